// Package oidctest is an OpenID Connect provider for tests and demos, in the manner of
// net/http/httptest: a real HTTP server with discovery, keys, authorization code flow,
// logout and back-channel logout, with test users, a login page, and faults by name that
// a site must withstand.
//
//	fake := oidctest.New(t)
//	site := webauthtest.Site(t, func(baseURL string) http.Handler {
//		return newMySite(baseURL, &oidclogin.Provider{
//			Name: "fake", Issuer: fake.Issuer(),
//			ClientID: oidctest.ClientID, ClientSecretFile: fake.SecretFile(t),
//		})
//	})
//	resp, err := fake.Client("test0001").Get(site.URL + "/private/") // logs in on the way
//
// The users are test0001 to test0010, with any password. The claim "sub" is the user's id,
// "upn" and "preferred_username" are that at cam.ac.uk, "tid" is [TenantID]; the group is
// "current", but test0010 has none. [Provider.Next], [Provider.Always] and
// [Provider.ForUser] script what happens instead of a plain login: any error, or a [Fault].
// [Provider.Respond] returns the URL a browser would come back with, without a browser.
// [Provider.SetNow] and [Provider.Advance] move the clock, [Provider.RotateKey] changes
// the key, [Provider.LogOut] logs a person out by the back channel, [Provider.Requests]
// lists what was asked and answered.
//
// For demos, and wherever there is no testing.T, [NewProvider] returns the same provider as
// an http.Handler.
//
// It is for tests only: the client secret is printed here. PKCE with S256 is required, and
// codes work once. Scopes, consent and refresh tokens are beyond it.
//
// The package follows the module's stability promise, with one exception: the text and
// markup of the pages may change at any time.
package oidctest
