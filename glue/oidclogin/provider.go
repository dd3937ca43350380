package oidclogin

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Provider is an OpenID Connect provider, as one site is registered there: a
// [webauth.LoginService]. Its fields are not changed after its first use, and it is not copied.
// It is safe for concurrent use.
type Provider struct {
	// Name is a short lower-case name for logs; empty means "oidc". Title is what people call
	// the provider; empty means "your organisation's login".
	Name, Title string
	// Issuer is the provider's issuer identifier, exactly as its configuration and its tokens
	// have it: an https URL, or http on a loopback host. Required.
	Issuer string
	// ClientID is the site's identifier at the provider. Required.
	ClientID string
	// ClientSecretFile holds the site's secret at the provider, alone, with or without a line
	// break. It is read for each login, so that it can be replaced while the site runs. Who else may
	// read it is limited as for the site's own secret.
	ClientSecretFile string
	// PrivateKeyFile is a PEM file with an RSA key of 2048 bits or more, by which the site signs
	// for itself (private_key_jwt, RS256) in place of a secret. KeyID is the kid of these
	// signatures; it may be empty. A certificate in the file is named in them, too (x5t), as
	// Entra ID wants it.
	PrivateKeyFile, KeyID string
	// Scopes are asked for beside openid.
	Scopes []string
	// PrincipalClaim is the claim that is the principal; empty means "sub". It is a string of
	// 1 to 255 printable ASCII characters without blanks, or the login is refused. "email" may
	// not be used: at many providers people choose theirs.
	PrincipalClaim string
	// CRSid makes CRSids of the University of Cambridge's user names: it takes away exactly
	// "@cam.ac.uk", and leaves any other name whole. A name without a domain is refused, so that
	// no two people have one principal.
	CRSid bool
	// ObjectClaim is the claim that is Identity.ObjectID, such as Entra ID's "oid", the one
	// identifier of an account that is never given to another person. Empty for none.
	ObjectClaim string
	// TenantID is the Entra ID tenant whose tokens are accepted (claim tid). Required where the
	// issuer is Entra ID.
	TenantID string
	// PtagsClaim is the claim with a list of groups or roles; empty for no ptags. Ptags are
	// those that the site knows, and no other is kept. Where a provider leaves the list out
	// because it would be too long, nobody gets in.
	PtagsClaim string
	Ptags      []string
	// Transport makes the requests to the provider; nil means one of the Provider's own, which
	// honours HTTPS_PROXY.
	Transport http.RoundTripper

	prepare  sync.Once
	client   *http.Client
	metadata cached[*metadata]
	keys     cached[keySet]
}

var _ webauth.LoginService = (*Provider)(nil)

// ID implements [webauth.LoginService].
func (p *Provider) ID() string { return p.name() + " " + p.Issuer + " " + p.ClientID }

// Info implements [webauth.LoginService].
func (p *Provider) Info() webauth.ServiceInfo {
	title := p.Title
	if title == "" {
		title = "your organisation's login"
	}
	return webauth.ServiceInfo{Name: p.name(), Title: title, URL: p.Issuer, Challenge: "OpenID-Connect", NoPtags: p.PtagsClaim == "", Callback: true, Open: true}
}

func (p *Provider) name() string {
	if p.Name == "" {
		return "oidc"
	}
	return p.Name
}

func (p *Provider) principalClaim() string {
	if p.PrincipalClaim == "" {
		return "sub"
	}
	return p.PrincipalClaim
}

// String names the provider.
func (p *Provider) String() string { return "oidclogin.Provider(" + p.ID() + ")" }

// GoString is String.
func (p *Provider) GoString() string { return p.String() }

// CheckRequest implements [webauth.LoginService].
func (p *Provider) CheckRequest(r webauth.Request) error {
	// The words of a policy are Ucam-WebAuth's, whatever the service.
	return webauth.Service{AuthURL: "https://login.example/"}.CheckRequest(webauth.Request{AAuth: r.AAuth, IAct: r.IAct, Note: r.Note})
}

// CheckPrincipal implements [webauth.LoginService].
func (p *Provider) CheckPrincipal(principal string) error {
	name, cambridge := strings.CutSuffix(principal, cambridgeDomain)
	switch {
	case !webauth.IsName(principal):
		return fmt.Errorf("%q lets nobody in: a principal is 1 to 255 printable ASCII characters without blanks", principal)
	case p.CRSid && cambridge:
		return fmt.Errorf("%q lets nobody in: with CRSid, %s is taken away: write %q", principal, cambridgeDomain, name)
	case !p.CRSid && p.principalClaim() == "upn" && !strings.Contains(principal, "@"):
		return fmt.Errorf("%q lets nobody in: user names of %s have a domain: write %q, or set CRSid", principal, p.name(), principal+cambridgeDomain)
	}
	return nil
}

// CheckPtag implements [webauth.LoginService].
func (p *Provider) CheckPtag(ptag string) error {
	if slices.ContainsFunc(p.Ptags, func(known string) bool { return strings.EqualFold(known, ptag) }) { // as policies do
		return nil
	}
	return fmt.Errorf("%q is never reported: the Ptags of provider %q do not have it", ptag, p.name())
}

// CheckStrength implements [webauth.LoginService]. All types come from one act of logging in,
// so that one of them that is wanted is enough; where the policy wants none, any will do.
func (p *Provider) CheckStrength(iact webauth.Interact, aauth []string, auth string, sso []string) webauth.Reason {
	accepted := func(kind string) bool { return kind != "" && (aauth == nil || slices.Contains(aauth, kind)) }
	switch iact {
	case webauth.IActYes:
		if auth == "" {
			return webauth.ReasonInteract
		}
	case webauth.IActNo:
		if auth != "" {
			return webauth.ReasonInteract
		}
	case webauth.IActAsNeeded:
	default:
		return webauth.ReasonInteract
	}
	if accepted(auth) || slices.ContainsFunc(sso, accepted) {
		return ""
	}
	return webauth.ReasonAuthType
}

// At implements [webauth.LoginService].
func (p *Provider) At(place webauth.Place) (webauth.Login, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if place.Callback == "" {
		return nil, fmt.Errorf("oidclogin: provider %q sends people to one path alone: set LoginPath, mount Auth.Login there, and register %s and that path as a redirect URI", p.name(), place.Origin)
	}
	if path, _, err := webauth.CanonicalTarget(place.Callback, ""); err != nil || path != place.Callback || strings.Contains(path, "?") {
		return nil, errors.New("oidclogin: LoginPath is not a path as browsers write it")
	}
	if strings.HasPrefix(p.Issuer, "http:") && !webauth.IsLoopback(place.Origin) {
		return nil, fmt.Errorf("oidclogin: the issuer %s is this machine's, for trying things out: good for loopback sites, not for %s", p.Issuer, place.Origin)
	}
	return newLogin(p, place)
}
