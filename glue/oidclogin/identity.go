package oidclogin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// proof returns what verified claims say of a person.
func (a *attempt) proof(c claims) (*webauth.Proof, error) {
	p := &webauth.Proof{URL: a.state.url, Token: a.state.Token, Confirm: a.confirm}
	var err error
	if p.Subject, err = a.p.claimedName(c, "sub"); err != nil {
		return nil, err
	}
	if p.Principal, err = a.p.principal(c); err != nil {
		return nil, err
	}
	if a.p.ObjectClaim != "" {
		if p.ObjectID, err = a.p.claimedName(c, a.p.ObjectClaim); err != nil {
			return nil, err
		}
	}
	if p.Ptags, err = a.p.ptags(c); err != nil {
		return nil, err
	}
	p.Issue, _ = c.time("iat")
	if sid, ok := c.text("sid"); ok && webauth.IsName(sid) {
		p.Session = sid
	}
	a.strength(p, c)
	iact, aauth := a.state.IAct, a.state.AAuth
	switch reason := a.p.CheckStrength(iact, aauth, p.Auth, p.SSO); reason {
	case "":
		return p, nil
	case webauth.ReasonAuthType:
		return nil, refusef(reason, "none of the types %q was used to log in, amr and acr say %q", aauth, slices.Concat([]string{p.Auth}, p.SSO))
	default:
		return nil, refusef(reason, "the person had to log in for this request, and %s", a.whenInstead(c))
	}
}

// whenInstead says when somebody logged in who had to do so for this request.
func (a *attempt) whenInstead(c claims) string {
	at, ok := c.time("auth_time")
	if !ok {
		return "the identity token does not say when they did: have the provider send auth_time"
	}
	return fmt.Sprintf("did so %s before it (auth_time)", words.Ago(a.state.Issued.Sub(at)))
}

// claimedName returns a claim that names somebody. There is no other where it is missing.
func (p *Provider) claimedName(c claims, claim string) (string, error) {
	name, ok := c.text(claim)
	switch {
	case !ok:
		return "", refusef(webauth.ReasonIdentity, "the identity token has no claim %s that is a string", claim)
	case !webauth.IsName(name):
		return "", refusef(webauth.ReasonIdentity, "its claim %s is not 1 to 255 printable ASCII characters without blanks: %+.300q", claim, name)
	}
	return name, nil
}

func (p *Provider) principal(c claims) (string, error) {
	name, err := p.claimedName(c, p.principalClaim())
	if err != nil || !p.CRSid {
		return name, err
	}
	user, domain, found := strings.Cut(name, "@")
	switch {
	case !found || user == "" || domain == "":
		return "", refusef(webauth.ReasonIdentity, "its claim %s is no user name with a domain: %q", p.principalClaim(), name)
	case "@"+domain == cambridgeDomain:
		return user, nil
	}
	return name, nil
}

// ptags returns those of a person's groups or roles that the site knows.
func (p *Provider) ptags(c claims) ([]string, error) {
	if p.PtagsClaim == "" {
		return nil, nil
	}
	switch {
	case p.overage(c):
		return nil, refusef(webauth.ReasonPtags, "the provider does not list the person's %s, because they are too many: have it send those that are assigned to this application alone, or roles", p.PtagsClaim)
	case !c.has(p.PtagsClaim):
		return nil, nil
	}
	all, ok := c.texts(p.PtagsClaim)
	if !ok {
		return nil, refusef(webauth.ReasonPtags, "the claim %s is not a list of strings", p.PtagsClaim)
	}
	var known []string
	for _, ptag := range p.Ptags {
		if slices.Contains(all, ptag) && !slices.Contains(known, ptag) {
			known = append(known, ptag)
		}
	}
	return known, nil
}

// overage reports whether a token has a link, or a word, in place of the list or of a part of it
// (OpenID Connect Core 1.0, section 5.6.2; Entra ID's "groups overage claim").
func (p *Provider) overage(c claims) bool {
	var names map[string]json.RawMessage
	if c.has("_claim_names") && json.Unmarshal(c["_claim_names"], &names) != nil {
		return true
	}
	return names[p.PtagsClaim] != nil || p.PtagsClaim == "groups" && c.has("hasgroups") && string(c["hasgroups"]) != "false"
}

const (
	// unnamedType is the type of a login of which the provider says nothing.
	unnamedType = "oidc"
	maxTypes    = 16
)

// strength fills in how the person logged in: amr and acr are the types, one of them of just now
// if they logged in for this request. With prompt=none they cannot have.
func (a *attempt) strength(p *webauth.Proof, c claims) {
	acr, _ := c.textOrTexts("acr")
	amr, _ := c.textOrTexts("amr")
	var types []string
	for _, t := range append(amr, acr...) {
		if len(t) <= 64 && webauth.IsPtag(t) && !slices.Contains(types, t) && len(types) < maxTypes {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		types = []string{unnamedType}
	}
	p.SSO = types
	if a.state.IAct == webauth.IActNo || !a.justNow(c) {
		return
	}
	p.Password, _ = c.time("auth_time")
	i := max(0, slices.IndexFunc(types, func(t string) bool { return slices.Contains(a.state.AAuth, t) }))
	p.Auth = types[i]
	p.SSO = slices.Delete(types, i, i+1)
}
