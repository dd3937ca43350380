// Package certified tries package glue, with package oidclogin, against a certified OpenID
// Connect provider, which knows nothing of either: see enginetest.OIDCProvider.
package certified
