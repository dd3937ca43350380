package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// checkLogin returns which flags do not go with each other, takes names in any letter case, and
// fills in the path of OpenID Connect.
func (o *options) checkLogin() (err error) {
	if o.login, err = words.Name(o.login, "wls", "oidc"); err != nil {
		return fmt.Errorf("-login %v", err)
	}
	if o.wls, err = words.Name(o.wls, "fake", "raven", "raven-demo", "nevar", "goose"); err != nil {
		return fmt.Errorf("-wls %v", err)
	}
	client := cmp.Or(o.clientID, o.secretFile, o.principal) != "" || o.crsid
	switch wls := cmp.Or(o.authURL, o.logoutURL, o.keys); {
	case o.login == "wls" && (client || cmp.Or(o.issuer, o.loginPath) != ""):
		return errors.New("-issuer, -client-id, -client-secret-file, -principal-claim, -crsid and -login-path are for OpenID Connect: give -login oidc, too")
	case o.login == "wls" && o.usesFake() && wls != "":
		return errors.New("-keys and -logout-url are for a real login service: give its -auth-url, or its name with -wls")
	case o.login == "wls":
		return nil
	case o.wls != "fake" || wls != "":
		return errors.New("-wls, -auth-url, -logout-url and -keys are for Ucam-WebAuth, not for -login oidc")
	case o.issuer == "" && client:
		return errors.New("-client-id, -client-secret-file, -principal-claim and -crsid are for a real provider: give its -issuer, too")
	case o.issuer != "" && (o.clientID == "" || o.secretFile == ""):
		return errors.New("-issuer needs -client-id and -client-secret-file: the provider's operators give you both when they register the site")
	}
	o.loginPath = cmp.Or(o.loginPath, defaultLoginPath)
	if !loginPaths.MatchString(o.loginPath) || slices.Contains(taken, o.loginPath) {
		return fmt.Errorf("-login-path %q: want a path of its own of letters, digits, '-', '_' and '/', such as /login", o.loginPath)
	}
	return nil
}

const defaultLoginPath = "/login"

var (
	loginPaths = regexp.MustCompile(`^(/[A-Za-z0-9_-]+)+$`)
	taken      = []string{"/private", "/admin", "/optional", "/form", "/sessions", "/logout"}
)

// realProvider is the provider that the flags name.
func realProvider(o *options) *oidclogin.Provider {
	p := &oidclogin.Provider{
		Issuer: o.issuer, ClientID: o.clientID, ClientSecretFile: o.secretFile,
		Scopes: []string{"profile"}, PrincipalClaim: o.principal, CRSid: o.crsid,
	}
	if tenant, ok := strings.CutPrefix(o.issuer, "https://login.microsoftonline.com/"); ok { // of Entra ID
		p.TenantID, _, _ = strings.Cut(tenant, "/")
	}
	if groups := o.groups(); groups != nil {
		p.PtagsClaim, p.Ptags = "groups", groups
	}
	return p
}

// groups are the groups of a provider's that the site knows, by which it lets people in.
func (o *options) groups() []string {
	switch {
	case o.ptags == "" && o.usesFake():
		return []string{"current"}
	case o.ptags == "" || o.ptags == "any":
		return nil
	}
	return strings.Split(o.ptags, ",")
}

// fakeProvider is an OpenID Connect provider for trying things out. A site has its secret in
// a file, as with any other.
type fakeProvider struct {
	*oidctest.Provider
	dir string
}

func newFakeProvider(o *options) (*fakeProvider, error) {
	fake, err := oidctest.NewProvider(oidctest.Config{BaseURL: httpURL(o.wlsAddr), Now: o.now})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return nil, err
	}
	p := &fakeProvider{fake, dir}
	if err := os.WriteFile(p.secretFile(), []byte(oidctest.ClientSecret+"\n"), 0o600); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *fakeProvider) secretFile() string { return filepath.Join(p.dir, "client-secret") }

// Close removes the file.
func (p *fakeProvider) Close() {
	p.Provider.Close()
	_ = os.RemoveAll(p.dir) // what is left is in a temporary directory
}

// service has people as the fake WLS has them: by their CRSids, and most in the group
// "current".
func (p *fakeProvider) service(groups []string) *oidclogin.Provider {
	if groups == nil {
		groups = []string{"current"}
	}
	if groups == nil {
		groups = []string{"current"}
	}
	return &oidclogin.Provider{
		Name: "fake", Title: "the fake provider", Issuer: p.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: p.secretFile(),
		PrincipalClaim: "upn", CRSid: true, PtagsClaim: "groups", Ptags: groups,
	}
}
