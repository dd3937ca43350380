package oidctest

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
)

// ClientID and ClientSecret are those of DefaultApp.
const (
	ClientID     = "site"
	ClientSecret = "the-secret-of-test-sites"
)

// App is a site as it is registered with the provider: a client, in the words of OAuth 2.0.
type App struct {
	// ID is its client_id.
	ID string
	// Secret is its client secret, for client_secret_basic and client_secret_post. An
	// empty one is never right.
	Secret string
	// Key verifies its assertions, for private_key_jwt (RS256); nil has none.
	Key *rsa.PublicKey
	// RedirectURIs are where a login may lead, PostLogoutRedirectURIs where a logout may;
	// nil means any http or https URL on a loopback address or at localhost.
	RedirectURIs, PostLogoutRedirectURIs []string
	// BackChannelLogoutURI gets a logout token when a person who logged in to the site is
	// logged out. Empty gets none.
	BackChannelLogoutURI string
}

// DefaultApp is [ClientID] with [ClientSecret], on any port of this machine.
func DefaultApp() App { return App{ID: ClientID, Secret: ClientSecret} }

// SetApp registers an app or replaces the one of that ID, to change its secret or to add
// what was not known before the site was served. It panics if the ID is not printable ASCII
// without blanks.
func (p *Provider) SetApp(a App) { must(p.apps.put(a)) }

// RemoveApp removes an app.
func (p *Provider) RemoveApp(id string) { p.apps.remove(id) }

func (a App) id() string { return a.ID }

func (a App) check() error {
	if !printable(a.ID, 255) {
		return fmt.Errorf("oidctest: App.ID %q: want 1 to 255 bytes of printable ASCII without blanks", a.ID)
	}
	return nil
}

// registered reports whether a browser may be sent to raw.
func registered(uris []string, raw string) bool {
	if uris != nil {
		return slices.Contains(uris, raw)
	}
	return checkLoopback(raw) == nil
}

func checkLoopback(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.Fragment != "" {
		return errors.New("want an absolute http or https URL without a fragment")
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("it is on no loopback address and was not registered")
	}
	return nil
}
