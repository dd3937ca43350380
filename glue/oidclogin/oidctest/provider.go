package oidctest

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// Paths of the provider, below the issuer.
const (
	discoveryPath = "/.well-known/openid-configuration"
	authPath      = "/authorize"
	tokenPath     = "/token"
	keysPath      = "/keys"
	userinfoPath  = "/userinfo"
	logoutPath    = "/logout"
)

// DefaultSlowFor is how long the faults that are slow wait.
const DefaultSlowFor = 2 * time.Second

// Config configures a provider. The zero value of each field but BaseURL is a sensible
// default.
type Config struct {
	// BaseURL is the issuer, where browsers and sites find the provider: scheme, host and
	// port, no path. Required for NewProvider; New sets it.
	BaseURL string
	// Users are those who can log in; nil means DefaultUsers.
	Users []User
	// Apps are the sites that are registered; nil means DefaultApp alone.
	Apps []App
	// Key signs; nil means a key that is made once per process.
	Key *rsa.PrivateKey
	// Now is the clock until SetNow stops it; nil means time.Now.
	Now func() time.Time
	// SessionLife is how long single sign-on lasts; zero means DefaultSessionLife.
	SessionLife time.Duration
	// SlowFor is how long the faults that are slow wait; zero means DefaultSlowFor.
	SlowFor time.Duration
	// LogSize is how many exchanges Requests remembers; zero means DefaultLogSize.
	LogSize int
	// OnExchange, where not nil, is called after each exchange, from any goroutine.
	OnExchange func(Exchange)
}

// Provider is an OpenID Connect provider for tests. It is an http.Handler; all its methods
// are safe for concurrent use.
type Provider struct {
	issuer      string
	clock       *fakelogin.Clock
	users       table[User]
	apps        table[App]
	sessions    sessionTable
	sessionLife time.Duration
	slowFor     time.Duration
	grants      grantTable
	script      script
	signer      *signer
	journal     journal
	cookieName  string
	handler     http.Handler
	transport   *http.Transport // shared by all clients
	closed      chan struct{}
	close       sync.Once
}

// NewProvider returns a provider without a listener: serve it as an http.Handler at
// cfg.BaseURL. A configuration that cannot work is an error.
func NewProvider(cfg Config) (*Provider, error) {
	base, err := fakelogin.ParseOrigin(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("oidctest: Config.BaseURL %w", err)
	}
	if cfg.SessionLife < 0 || cfg.SlowFor < 0 || cfg.LogSize < 0 {
		return nil, errors.New("oidctest: Config: SessionLife, SlowFor and LogSize cannot be negative")
	}
	cfg = cfg.withDefaults()
	p := &Provider{
		issuer:      fakelogin.Origin(base),
		clock:       fakelogin.NewClock(cfg.Now),
		sessionLife: cfg.SessionLife,
		slowFor:     cfg.SlowFor,
		signer:      newSigner(cfg.Key),
		journal:     journal{size: cfg.LogSize, observer: cfg.OnExchange},
		cookieName:  "oidctest",
		transport:   fakelogin.NewTransport(),
		closed:      make(chan struct{}),
	}
	if port := base.Port(); port != "" {
		p.cookieName += "-" + port // because browsers send a host's cookies to all its ports
	}
	for _, u := range cfg.Users {
		if err := p.users.put(u); err != nil {
			return nil, err
		}
	}
	for _, a := range cfg.Apps {
		if err := p.apps.put(a); err != nil {
			return nil, err
		}
	}
	p.handler = p.routes()
	return p, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Users == nil {
		cfg.Users = DefaultUsers()
	}
	if cfg.Apps == nil {
		cfg.Apps = []App{DefaultApp()}
	}
	if cfg.Key == nil {
		cfg.Key = firstKey()
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

// Issuer returns the provider's name, as sites configure it.
func (p *Provider) Issuer() string { return p.issuer }

// ServeHTTP serves the endpoints and, at /, a page about the provider.
func (p *Provider) ServeHTTP(rw http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(rw, r) }

// Close ends what is waiting in a fault that is slow, and the clients' idle connections. A
// provider made by New is closed by the test's Cleanup.
func (p *Provider) Close() {
	p.close.Do(func() { close(p.closed) })
	p.transport.CloseIdleConnections()
}

// Now returns the provider's time. Give it to the site under test as its clock and both
// agree.
func (p *Provider) Now() time.Time { return p.clock.Now() }

// SetNow stops the provider's clock at t; only Advance moves it from then on. A zero t lets
// it run again.
func (p *Provider) SetNow(t time.Time) { p.clock.Set(t) }

// Advance moves the provider's clock by d, which may be negative, stopped or not.
func (p *Provider) Advance(d time.Duration) { p.clock.Advance(d) }

func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+discoveryPath, p.discovery)
	mux.HandleFunc("GET "+keysPath, p.keys)
	mux.HandleFunc("GET "+authPath, p.arrive)
	mux.HandleFunc("POST "+authPath, p.submit)
	mux.HandleFunc("HEAD "+authPath, func(rw http.ResponseWriter, _ *http.Request) {
		// A HEAD must not use up what a test has scripted for the GET.
		rw.Header().Set("Allow", "GET, POST")
		rw.WriteHeader(http.StatusMethodNotAllowed)
	})
	mux.HandleFunc("POST "+tokenPath, p.token)
	mux.HandleFunc(userinfoPath, p.userinfo)
	mux.HandleFunc(logoutPath, p.logout)
	mux.HandleFunc("GET /{$}", p.about)
	return mux
}
