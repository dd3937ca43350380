package webauthtest

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// Paths of the fake's pages, as Raven had them.
const (
	authPath   = "/auth/authenticate.html"
	logoutPath = "/auth/logout.html"
)

// DefaultSlowFor is how long FaultSlow waits.
const DefaultSlowFor = 2 * time.Second

// Config configures a fake. The zero value of each field but BaseURL is a sensible
// default.
type Config struct {
	// BaseURL is where browsers find the fake: scheme, host and port, no path. Required
	// for NewWLS; New sets it.
	BaseURL string
	// Users are those who can log in; nil means DefaultUsers.
	Users []User
	// Key signs responses and Kid names it; nil means RFC 9500's testRSA2048, whose
	// private half is public, and "" means DefaultKid.
	Key *rsa.PrivateKey
	Kid string
	// Now is the clock until SetNow stops it; nil means time.Now.
	Now func() time.Time
	// SessionLife is how long single sign-on lasts; zero means DefaultSessionLife.
	SessionLife time.Duration
	// Quirks are what every answer has; see SetQuirks.
	Quirks []Quirk
	// Faults come with these probabilities, per login, drawn from a source that Seed
	// starts, where nothing is scripted. At most 1 together.
	Faults map[Fault]float64
	Seed   uint64
	// SlowFor is how long FaultSlow waits; zero means DefaultSlowFor.
	SlowFor time.Duration
	// LogSize is how many exchanges Requests remembers; zero means DefaultLogSize.
	LogSize int
	// OnExchange, where not nil, is called after each exchange, from any goroutine.
	OnExchange func(Exchange)
}

// WLS is a fake web login service. It is an http.Handler; all its methods are safe for
// concurrent use.
type WLS struct {
	base        *url.URL
	clock       *fakelogin.Clock
	users       userTable
	sessions    sessionTable
	sessionLife time.Duration
	slowFor     time.Duration
	script      script
	signer      *signer
	journal     journal
	answers     atomic.Int64
	handler     http.Handler
	transport   *http.Transport // shared by all clients
	closed      chan struct{}
	close       sync.Once
}

// NewWLS returns a fake without a listener: serve it as an http.Handler at cfg.BaseURL. A
// configuration that cannot work is an error.
func NewWLS(cfg Config) (*WLS, error) {
	base, err := fakelogin.ParseOrigin(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("webauthtest: Config.BaseURL %w", err)
	}
	if cfg.SessionLife < 0 || cfg.SlowFor < 0 || cfg.LogSize < 0 {
		return nil, errors.New("webauthtest: Config: SessionLife, SlowFor and LogSize cannot be negative")
	}
	cfg = cfg.withDefaults()
	w := &WLS{
		base:        base,
		clock:       fakelogin.NewClock(cfg.Now),
		sessionLife: cfg.SessionLife,
		slowFor:     cfg.SlowFor,
		journal:     journal{size: cfg.LogSize, observer: cfg.OnExchange},
		closed:      make(chan struct{}),
	}
	for _, u := range cfg.Users {
		if err := w.users.put(u); err != nil {
			return nil, err
		}
	}
	if err := (Outcome{Quirks: cfg.Quirks}).check(); err != nil {
		return nil, err
	}
	w.script.quirks = slices.Clone(cfg.Quirks)
	if w.script.mix, err = newMix(cfg.Faults, cfg.Seed); err != nil {
		return nil, err
	}
	if w.signer, err = newSigner(cfg.Kid, cfg.Key); err != nil {
		return nil, err
	}
	w.transport = fakelogin.NewTransport()
	w.handler = w.routes()
	return w, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Users == nil {
		cfg.Users = DefaultUsers()
	}
	if cfg.Key == nil {
		cfg.Key = testkeys.RSA2048()
	}
	if cfg.Kid == "" {
		cfg.Kid = DefaultKid
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SessionLife == 0 {
		cfg.SessionLife = DefaultSessionLife
	}
	if cfg.SlowFor == 0 {
		cfg.SlowFor = DefaultSlowFor
	}
	if cfg.LogSize == 0 {
		cfg.LogSize = DefaultLogSize
	}
	return cfg
}

// Service returns the fake as sites configure it, by the name "fake". Its Keys follow
// RotateKey. Sites that are not on loopback refuse it while it signs with the default
// key.
func (w *WLS) Service() webauth.Service {
	return webauth.Service{
		Name:      "fake",
		AuthURL:   fakelogin.Origin(w.base) + authPath,
		LogoutURL: fakelogin.Origin(w.base) + logoutPath,
		Keys:      w.signer,
		NoPtags:   w.script.has(QuirkNoPtags),
	}
}

// ServeHTTP serves the login page, the logout page and, at /, a page about the fake.
func (w *WLS) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }

// Close ends what is waiting in FaultSlow or a Delay, and the clients' idle connections.
// A fake made by New is closed by the test's Cleanup.
func (w *WLS) Close() {
	w.close.Do(func() { close(w.closed) })
	w.transport.CloseIdleConnections()
}
