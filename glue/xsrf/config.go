package xsrf

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// Config configures a Guard. Site is required.
type Config struct {
	// Site is whose forms and scripts are protected. It must have a secret.
	Site *site.Site
	// Auth is the site's login, if it has one. A request with a bearer token and without a
	// session cookie of the site's logins needs no other token; if Auth is nil, it must have
	// no cookie at all.
	Auth *glue.Auth

	// TTL is how long a token lasts; zero means 1 hour. 1 minute to 24 hours.
	TTL time.Duration
	// Headers are those that may carry a token; nil means X-XSRF-Token, X-CSRFToken.
	// Fields are the form fields; nil means xsrf-token, csrf_token.
	Headers, Fields []string
	// NoHeader and NoCookie keep Send from giving tokens in that way, for sites whose
	// scripts need only the other, or whose forms need neither.
	NoHeader, NoCookie bool
	// MaxForm is the largest form, in bytes, that is read to find a token in it; zero
	// means 10 MiB. Scripts that send more put the token into a header.
	MaxForm int64
}

// Names of what carries a token by default. Send always uses Header and CookieName.
const (
	Header     = "X-XSRF-Token"
	CookieName = "XSRF-TOKEN"
	Field      = "xsrf-token"
)

// purpose is what the site's keys are derived for.
const purpose = "xsrf-token"

const (
	defaultTTL     = time.Hour
	defaultMaxForm = 10 << 20
)

// Guard refuses requests that other sites sent. It is safe for concurrent use.
type Guard struct {
	cfg     Config
	cross   *http.CrossOriginProtection
	exempt  *atomic.Pointer[[]string] // paths, the same for all that With makes
	options []Option
}

// New returns a Guard for cfg.
func New(cfg Config) (*Guard, error) {
	switch {
	case cfg.Site == nil:
		return nil, errors.New("xsrf: Config.Site is missing: make it with site.New")
	case cfg.Site.Keys(purpose) == nil:
		return nil, site.ErrNoSecret
	}
	g := &Guard{cfg: cfg, cross: http.NewCrossOriginProtection(), exempt: new(atomic.Pointer[[]string])}
	c := &g.cfg
	if c.TTL == 0 {
		c.TTL = defaultTTL
	}
	if c.MaxForm == 0 {
		c.MaxForm = defaultMaxForm
	}
	if c.Headers == nil {
		c.Headers = []string{Header, "X-CSRFToken"}
	}
	if c.Fields == nil {
		c.Fields = []string{Field, "csrf_token"}
	}
	c.Headers, c.Fields = slices.Clone(c.Headers), slices.Clone(c.Fields)
	switch {
	case c.TTL < time.Minute || c.TTL > 24*time.Hour:
		return nil, fmt.Errorf("xsrf: Config.TTL is %s, want 1 minute to 1 day", words.Duration(c.TTL))
	case c.MaxForm < 0:
		return nil, errors.New("xsrf: Config.MaxForm is negative")
	case len(c.Headers) == 0 && len(c.Fields) == 0:
		return nil, errors.New("xsrf: Config.Headers and Fields are both empty: nothing could carry a token")
	case slices.Contains(c.Headers, "") || slices.Contains(c.Fields, ""):
		return nil, errors.New("xsrf: Config.Headers or Fields holds an empty name")
	}
	// Origins that the library compares by host are compared as a whole by us; it only
	// must not refuse those of ours that differ from the request's Host.
	for _, o := range cfg.Site.Origins() {
		if err := g.cross.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("xsrf: origin %q: %v", o, err)
		}
	}
	return g, nil
}

// With returns a Guard whose tokens are narrowed by options, in addition to those that g
// has: guard.With(xsrf.Action("delete")).Check is a middleware for one action.
func (g *Guard) With(options ...Option) *Guard {
	narrowed := *g
	narrowed.options = append(slices.Clone(g.options), options...)
	return &narrowed
}

// narrow applies the options of g and those of a call to whom a token is for, and reports
// whether it is for single use.
func (g *Guard) narrow(b *binding, options []Option) (once bool) {
	for _, o := range append(slices.Clone(g.options), options...) {
		o(b, &once)
	}
	return once
}

// keys returns those of tokens; the first signs.
func (g *Guard) keys() [][]byte { return g.cfg.Site.Keys(purpose) }
