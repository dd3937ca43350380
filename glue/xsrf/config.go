package xsrf

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config configures a Guard. Either Auth is set, or Secret and Origins.
type Config struct {
	// Auth is the site's login: it gives origins, keys, one-use marks, pages, the log
	// and the clock, and tells who sends a request.
	Auth *glue.Auth

	// Secret and Origins are for sites without Auth: the site's secret, and where
	// browsers see it, such as "https://soc.example".
	Secret  *site.Secret
	Origins []string
	// Logger is for sites without Auth; nil means slog.Default().
	Logger *slog.Logger
	// Now is the clock of sites without Auth; nil means time.Now.
	Now func() time.Time

	// TTL is how long a token lasts; zero means 1 hour. 1 minute to 24 hours.
	TTL time.Duration
	// OneUse remembers single-use tokens. Nil means that of Auth, or this process's
	// memory.
	OneUse glue.OneUse
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

// Names of what carries a token by default.
const (
	Header     = "X-XSRF-Token"
	CookieName = "XSRF-TOKEN"
	Field      = "xsrf-token"
)

const (
	defaultTTL     = time.Hour
	defaultMaxForm = 10 << 20
)

// Guard refuses requests that other sites sent. It is safe for concurrent use.
type Guard struct {
	cfg     Config
	origins []string
	cross   *http.CrossOriginProtection
	keys    func() [][]byte // the first signs
	log     *slog.Logger
}

// New checks the configuration.
func New(cfg Config) (*Guard, error) {
	g := &Guard{cfg: cfg, cross: http.NewCrossOriginProtection()}
	var err error
	if cfg.Auth != nil {
		err = g.useAuth()
	} else {
		err = g.useOwn()
	}
	if err != nil {
		return nil, err
	}
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
		return nil, fmt.Errorf("xsrf: Config.TTL is %v, want 1 minute to 24 hours", c.TTL)
	case c.MaxForm < 0:
		return nil, errors.New("xsrf: Config.MaxForm is negative")
	case len(c.Headers) == 0 && len(c.Fields) == 0:
		return nil, errors.New("xsrf: Config.Headers and Fields are both empty: nothing could carry a token")
	case slices.Contains(c.Headers, "") || slices.Contains(c.Fields, ""):
		return nil, errors.New("xsrf: Config.Headers or Fields holds an empty name")
	}
	// Origins that the library compares by host are compared as a whole by us; it only
	// must not refuse those of ours that differ from the request's Host.
	for _, o := range g.origins {
		if err := g.cross.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("xsrf: origin %q: %v", o, err)
		}
	}
	return g, nil
}

func (g *Guard) useAuth() error {
	c := &g.cfg
	if c.Secret != nil || c.Origins != nil || c.Logger != nil || c.Now != nil {
		return errors.New("xsrf: Config: Auth gives Secret, Origins, Logger and Now; leave them out")
	}
	g.origins = c.Auth.Origins()
	g.keys = func() [][]byte { return c.Auth.Keys("xsrf-token") }
	g.log, c.Now = c.Auth.Logger(), c.Auth.Now
	if c.OneUse == nil {
		c.OneUse = c.Auth.OneUse()
	}
	return nil
}

func (g *Guard) useOwn() error {
	c := &g.cfg
	if c.Secret == nil || len(c.Origins) == 0 {
		return errors.New("xsrf: Config: set Auth, or both Secret and Origins")
	}
	for _, raw := range c.Origins {
		o, err := webauth.Origin(raw)
		if err != nil {
			return fmt.Errorf("xsrf: Config.Origins: %q: %v", raw, err)
		}
		g.origins = append(g.origins, o)
	}
	keys := c.Secret.Derive("xsrf-token", g.origins[0])
	g.keys = func() [][]byte { return keys }
	if g.log = c.Logger; g.log == nil {
		g.log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OneUse == nil {
		c.OneUse = webauth.NewMemoryOneUse(0, c.Now)
	}
	return nil
}
