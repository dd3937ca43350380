package oidclogin

import (
	"fmt"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Findings implements [webauth.LoginService].
func (p *Provider) Findings(origins []string) (found []webauth.ServiceFinding) {
	add := func(note bool, format string, args ...any) {
		found = append(found, webauth.ServiceFinding{Text: fmt.Sprintf(format, args...), Note: note})
	}
	add(true, "%s knows no ptag \"current\" and no life, and shows no Desc and Msg: what of a policy rests on them is lost; Fresh and IAct yes need the claim auth_time", p.name())
	if webauth.IsLoopback(p.Issuer) {
		for _, origin := range origins {
			if !webauth.IsLoopback(origin) {
				add(false, "the issuer %s is this machine's own: whoever can listen there can log in as anybody at %s", p.Issuer, origin)
			}
		}
	}
	switch claim := p.principalClaim(); claim {
	case "preferred_username":
		add(false, "PrincipalClaim preferred_username can be changed by people and be another person's later (OpenID Connect Core 1.0, section 5.7): take sub, or a claim that the provider vouches for")
	case "upn":
		if p.ObjectClaim == "" {
			add(true, "a user name (upn) can be another person's later: set ObjectClaim to \"oid\" and keep Identity.ObjectID beside it")
		}
	}
	for _, name := range []string{p.ClientSecretFile, p.PrivateKeyFile} {
		if name == "" {
			continue
		}
		if warning := fileWarning(name); warning != "" {
			add(false, "%s", warning)
		}
	}
	for _, s := range p.Scopes {
		if s == "offline_access" || strings.EqualFold(s, "openid") {
			add(true, "the scope %s is of no use", s)
		}
	}
	return found
}
