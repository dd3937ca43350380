package oidclogin

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

var scopeToken = regexp.MustCompile(`^[!#-\[\]-~]{1,128}$`) // RFC 6749 section 3.3

// Check implements [webauth.LoginService]. It reads the files that the Provider names, and
// makes no request.
func (p *Provider) Check() error {
	var errs []error
	wrong := func(err error) { errs = append(errs, fmt.Errorf("oidclogin: %w", err)) }
	if !webauth.IsServiceName(p.name()) {
		wrong(fieldErrorf("Name", "%q: want 1 to 32 of a-z, 0-9 and '-'", p.Name))
	}
	if err := checkIssuer(p.Issuer); err != nil {
		wrong(fieldErrorf("Issuer", "%v", err))
	}
	if !webauth.IsName(p.ClientID) {
		wrong(fieldErrorf("ClientID", "want the identifier that the provider gave this site: printable ASCII without blanks"))
	}
	for _, s := range p.Scopes {
		if !scopeToken.MatchString(s) {
			wrong(fieldErrorf("Scopes", "%q is not one scope", s))
		}
	}
	if err := p.checkCredentials(); err != nil {
		wrong(err)
	}
	if err := p.checkClaims(); err != nil {
		wrong(err)
	}
	return errors.Join(errs...)
}

// FieldError is one of the errors that [Provider.Check] joins: what is wrong with a field of a
// Provider.
type FieldError struct{ Field, Text string }

func (e *FieldError) Error() string { return "Provider." + e.Field + ": " + e.Text }

func fieldErrorf(field, format string, args ...any) error {
	return &FieldError{Field: field, Text: fmt.Sprintf(format, args...)}
}

// checkIssuer checks an issuer identifier (OpenID Connect Discovery 1.0, section 3).
func checkIssuer(issuer string) error {
	if issuer == "" {
		return errors.New("it is missing: it is the provider's issuer identifier, an https URL")
	}
	if err := checkEndpoint(issuer, webauth.IsLoopback(issuer)); err != nil {
		return fmt.Errorf("%q %v", issuer, err)
	}
	u, err := url.Parse(issuer)
	switch {
	case err != nil:
		return errors.New("not a valid URL")
	case strings.Contains(issuer, "?"):
		return fmt.Errorf("%q must not have a query", issuer)
	case strings.HasSuffix(issuer, wellKnown):
		return fmt.Errorf("%q is the address of its configuration: leave %s out", issuer, wellKnown)
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		switch {
		case segment == "common", segment == "organizations", segment == "consumers":
			return fmt.Errorf("%q is no issuer but stands for any tenant of Entra ID: write your own tenant's ID in place of %q", issuer, segment)
		case strings.ContainsAny(segment, "{}"):
			return fmt.Errorf("%q is a pattern: write your own tenant's ID in place of %q", issuer, segment)
		}
	}
	return nil
}

// checkEndpoint checks a URL of the provider, to go on from its name.
func checkEndpoint(raw string, loopback bool) error {
	origin, err := webauth.Origin(raw)
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(origin, "http:") && !(loopback && webauth.IsLoopback(origin)):
		return errors.New("must be https (http is for loopback hosts only)")
	}
	return nil
}

func (p *Provider) checkCredentials() error {
	switch {
	case p.ClientSecretFile != "" && p.PrivateKeyFile != "":
		return fieldErrorf("ClientSecretFile", "PrivateKeyFile is there as well: set one of them, not both")
	case p.PrivateKeyFile != "":
		_, err := p.readPrivateKey()
		return err
	case p.KeyID != "":
		return fieldErrorf("KeyID", "it is for a PrivateKeyFile, which is missing")
	case p.ClientSecretFile == "":
		return fieldErrorf("ClientSecretFile", "it is missing: put the secret that the provider gave this site into a file; or set PrivateKeyFile")
	}
	_, err := p.readSecret()
	return err
}

func (p *Provider) checkClaims() error {
	switch p.PrincipalClaim {
	case "email":
		return fieldErrorf("PrincipalClaim", `"email" names nobody: addresses are given away, and at many providers people choose theirs; take "sub" or the user name's claim`)
	case "iss", "aud", "azp", "exp", "iat", "nonce", "acr", "amr", "auth_time", "tid", "at_hash", "name", "given_name", "family_name", "nickname":
		return fieldErrorf("PrincipalClaim", "%q names nobody", p.PrincipalClaim)
	}
	switch {
	case strings.HasPrefix(p.Issuer, "https://login.microsoftonline.com/") && p.TenantID == "":
		return fieldErrorf("TenantID", "it is missing: it is the tenant's ID in the issuer")
	case p.TenantID != "" && strings.HasPrefix(p.Issuer, "https://login.microsoftonline.com/") && !slices.Contains(strings.Split(p.Issuer, "/"), p.TenantID):
		return fieldErrorf("TenantID", "%q is not the tenant in the issuer", p.TenantID)
	case p.PtagsClaim == "" && p.Ptags != nil:
		return fieldErrorf("PtagsClaim", `it is missing: say which claim lists groups or roles, such as "groups"`)
	case p.PtagsClaim != "" && len(p.Ptags) == 0:
		return fieldErrorf("Ptags", "it is missing: name the groups or roles of the claim that the site's policies know; no other is kept")
	}
	for _, ptag := range p.Ptags {
		if !webauth.IsPtag(ptag) {
			return fieldErrorf("Ptags", "%q: a ptag is 1 to 255 printable ASCII characters without blanks and commas", ptag)
		}
	}
	return nil
}
