package oidclogin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

const (
	// maxLocation bounds the URL that people are sent to, in bytes: old browsers and front
	// servers cut longer ones.
	maxLocation = 2048
	// silentLimit is how long a request waits for the provider that may go on without a login,
	// such as one for a public page.
	silentLimit = time.Second
	// defaultMaxAge is the max_age of a login that must be made now. What counts is that the
	// provider says when it was made; prompt=login has it made.
	defaultMaxAge = time.Minute
)

// login is the login at one origin.
type login struct {
	p        *Provider
	place    webauth.Place
	callback string // the redirect URI
	keys     []*siteKey
	skew     time.Duration
}

func newLogin(p *Provider, place webauth.Place) (*login, error) {
	l := &login{p: p, place: place, callback: place.Origin + place.Callback, skew: cmp.Or(place.Skew, 5*time.Second)}
	var err error
	l.keys, err = newSiteKeys(place.Keys("openid-connect"), p.ID()+" "+place.Origin)
	return l, err
}

// Begin returns the authentication request (OpenID Connect Core 1.0, section 3.1.2.1).
func (l *login) Begin(ctx context.Context, secret webauth.BrowserSecret, r webauth.Request) (string, error) {
	if err := l.checkRequest(secret, r); err != nil {
		return "", fmt.Errorf("oidclogin: %w", err)
	}
	if r.IAct == webauth.IActNo {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, silentLimit)
		defer cancel()
	}
	m, err := l.p.discover(ctx, l.place.Now)
	if err != nil {
		return "", err
	}
	s, text, err := newState(l.keys[0], secret, r, l.place.Now())
	if err != nil {
		return "", err
	}
	q := [][2]string{
		{"client_id", l.p.ClientID}, {"response_type", "code"}, {"response_mode", "query"}, {"redirect_uri", l.callback},
		{"scope", strings.Join(append([]string{"openid"}, l.p.Scopes...), " ")},
		{"state", text}, {"nonce", s.nonce(secret)}, {"code_challenge", challenge(s.verifier(secret))}, {"code_challenge_method", "S256"},
	}
	switch r.IAct {
	case webauth.IActYes:
		seconds := int64(cmp.Or(r.Fresh, defaultMaxAge) / time.Second)
		q = append(q, [2]string{"prompt", "login"}, [2]string{"max_age", strconv.FormatInt(seconds, 10)})
	case webauth.IActNo:
		q = append(q, [2]string{"prompt", "none"})
	}
	if len(r.AAuth) > 0 {
		q = append(q, [2]string{"acr_values", strings.Join(r.AAuth, " ")})
	}
	location := withQuery(m.Authorization, q)
	if len(location) > maxLocation {
		return "", fmt.Errorf("%w: it would be %d bytes, the limit is %d", webauth.ErrTooLong, len(location), maxLocation)
	}
	return location, nil
}

func (l *login) checkRequest(secret webauth.BrowserSecret, r webauth.Request) error {
	canonical, err := webauth.CanonicalURL(r.URL)
	if err != nil {
		return fmt.Errorf("Request.URL: %v", err)
	}
	origin, err := webauth.Origin(r.URL)
	switch {
	case err != nil:
		return fmt.Errorf("Request.URL: %v", err)
	case origin != l.place.Origin:
		return fmt.Errorf("Request.URL is not of the origin %s", l.place.Origin)
	case canonical != r.URL:
		return errors.New("Request.URL: bring it to the form of browsers with webauth.CanonicalURL")
	case r.Params != "":
		return errors.New("Request.Params: the state goes there, leave it empty")
	case !secret.Valid():
		return errors.New("the browser secret is not one of NewBrowserSecret")
	}
	return l.p.CheckRequest(r)
}

// withQuery appends parameters to an endpoint, which may have some.
func withQuery(endpoint string, parameters [][2]string) string {
	var b strings.Builder
	b.WriteString(endpoint)
	sep := "?"
	if strings.Contains(endpoint, "?") {
		sep = "&"
	}
	for _, p := range parameters {
		b.WriteString(sep + p[0] + "=" + url.QueryEscape(p[1]))
		sep = "&"
	}
	return b.String()
}

// Brings reports whether a request is for the redirect URI, with an answer.
func (l *login) Brings(path, query string) bool { return path == l.place.Callback && brings(query) }

// Asked reports whether the answer in a query is to a request of this login: answers of all
// providers come to one path.
func (l *login) Asked(query string) bool {
	return readState(l.keys, parseAnswer(query).state, l.place.Now()) != nil
}

// Strip returns the query without the answer.
func (l *login) Strip(path, query string) string {
	if path != l.place.Callback {
		return query
	}
	return strip(query)
}

// End returns the provider's page for logging out (OpenID Connect RP-Initiated Logout 1.0).
func (l *login) End(back string) string {
	ctx, cancel := context.WithTimeout(context.Background(), silentLimit)
	defer cancel()
	m, err := l.p.discover(ctx, l.place.Now)
	if err != nil || m.EndSession == "" {
		return ""
	}
	q := [][2]string{{"client_id", l.p.ClientID}}
	if back != "" {
		q = append(q, [2]string{"post_logout_redirect_uri", back})
	}
	return withQuery(m.EndSession, q)
}
