package site

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config is everything that a Site can be told. BaseURL is required; every other
// field's zero value is the safe default.
type Config struct {
	// BaseURL is where browsers see the site, such as "https://soc.example", with a
	// path if the site begins below one. Its host is allowed. http is for loopback
	// hosts.
	BaseURL string
	// PrefixStripped says that a front server removes the path of BaseURL before it
	// passes requests on.
	PrefixStripped bool
	// SiteName is what people know the site as, such as "Quiz Society": its pages say so. It
	// is one line of at most 60 characters; the default is the address without its scheme.
	SiteName string

	// Hosts are further hosts that the site answers to, without a scheme:
	//
	//	www.soc.example         this name, at the default port
	//	soc.example:8443        this name at this port
	//	[2001:db8::1]           an address; IPv6 in brackets
	//	.soc.example            soc.example itself and every name below it
	//
	// Requests for all others get 421. Letter case and a final dot do not matter. The
	// default port is that of the request's scheme or of BaseURL's. Absolute links and
	// redirects are made of configured hosts only: a request that only a suffix allows
	// gets those of BaseURL, so name the hosts that shall have their own.
	Hosts []string
	// Redirect says which requests are sent to a better address; default none.
	Redirect Redirect

	// Proxies are the front servers whose word about the client is believed. The zero
	// value believes nobody.
	Proxies Proxies

	// PassHeaders are names of headers that Handler would remove and next is to get, such as
	// "X-HTTP-Method-Override", spelled so, for programs that know what they do: clients
	// write them. What frames a message or says who somebody is cannot be passed.
	PassHeaders []string
	// OnRemoved is told, unless nil, the name of each header that Handler removes, as it
	// came, and the request before that. It must be quick.
	OnRemoved func(r *http.Request, name string)

	// Headers are the security headers of every answer, unless With or a handler
	// changes them. The zero value is safe for an ordinary server-rendered site.
	Headers Headers

	// OnMisdirected is told, unless nil, of each request for another host before it is answered
	// with 421. It sees the host as the client sent it, which can be any.
	OnMisdirected func(r *http.Request)
	// SecretFile names a file with the site's secret, made on first use; see [LoadSecret]. A
	// relative name that is there below $CREDENTIALS_DIRECTORY of systemd is that file.
	// Secret is the same text, for those who keep it elsewhere. A site without logins,
	// tokens and forms needs neither. The package documentation says how it is rotated.
	SecretFile, Secret string
	// OneUse remembers used responses, tokens and forms; nil means in this process's
	// memory. All machines of a site must share one.
	OneUse webauth.OneUse
	// Page shows pages, those of all packages, in the site's own dress; nil means the
	// built-in one. It writes the status, p.Status, and must escape what it writes, but for
	// p.Body. Our headers are set already; Content-Security-Policy among them lets nothing
	// in but p.Style, so a page with another style replaces that header. Scripts have no
	// business on pages that show secrets.
	Page func(w http.ResponseWriter, r *http.Request, p Page)
	// Logger gets what operators need to know; nil means slog.Default().
	Logger *slog.Logger
	// OnEvent is told of everything that packages report of requests, for audit and
	// metrics. It runs before the answer is written and must be quick.
	OnEvent func(context.Context, Event)
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// InsecureAllowHTTP lets a site that is not on loopback have an http BaseURL: anybody on
	// the way can read and change everything, people's sessions included.
	InsecureAllowHTTP bool
}

// Site is a web site, and what stands in front of it. It is made by [New], cannot be
// changed but for its secret, and is safe for concurrent use.
type Site struct {
	cfg     Config // with defaults
	origin  string // of BaseURL, "https://soc.example"
	https   bool   // BaseURL is https
	path    string // of BaseURL, without a final slash
	prefix  string // put in front of paths, for PrefixStripped
	origins []string
	byHost  map[string]string // to the origin
	secret  secretInUse
	oneUse  webauth.OneUse
	cookies atomic.Pointer[[]Cookies]
	hosts   hostTable
	headers headerSet
	passed  map[string]bool // Config.PassHeaders, as net/http spells them
	advised advised
}

// New returns a Site for cfg, which it checks and copies, and reads or makes the site's secret.
// The error of a configuration that is wrong is a [*ConfigError].
func New(cfg Config) (*Site, error) {
	s, found := read(cfg)
	if err := found.Err("site: Config."); err != nil {
		return nil, err
	}
	if s.oneUse = cfg.OneUse; s.oneUse == nil {
		s.oneUse = webauth.NewMemoryOneUse(0, s.cfg.Now)
	}
	if s.hasSecret() { // which is made for a configuration that is right only
		secret, warning, err := s.cfg.loadSecret()
		if err != nil {
			return nil, err
		}
		s.warnOfSecret(warning)
		s.secret.ring.Store(&keyring{secret: secret})
	}
	return s, nil
}

// read checks a configuration and makes a Site of it, but for what it keeps.
func read(cfg Config) (*Site, Findings) {
	s := &Site{cfg: cfg}
	s.cfg.SecretFile = secretfile.Path(cfg.SecretFile)
	s.cfg.Hosts = slices.Clone(cfg.Hosts)
	s.cfg.PassHeaders = slices.Clone(cfg.PassHeaders)
	s.cfg.Proxies.Ranges = slices.Clone(cfg.Proxies.Ranges)
	s.cfg.Headers = cfg.Headers.withDefaults()
	if cfg.Logger == nil {
		s.cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		s.cfg.Now = time.Now
	}
	var found Findings
	s.readBaseURL(&found)
	if found != nil {
		return nil, found // nothing else can be judged without it
	}
	s.readName(&found)
	s.hosts = newHostTable(s.origin, cfg.Hosts, &found)
	s.listOrigins(&found)
	s.checkRedirect(&found)
	cfg.Proxies.check(&found)
	s.checkPassHeaders(&found)
	s.headers = s.cfg.Headers.compile("Headers", s.origin, &found)
	s.checkSecret(&found)
	return s, found
}

// Handler returns a handler that puts the site in front of next: it finds out where a request
// comes from, refuses or redirects what is for another host, and sets the security headers
// before next runs. Mount it around everything else, but inside of handlers that need to see
// requests as they came, and beside those that load balancers probe by address.
//
// For next, the request's Host is in normal form (lower case, without a final dot or
// the default port), its URL has neither scheme nor host, and its headers hold nothing
// that tells a client's address, scheme or host, or that path or method are others,
// whoever wrote it: use [ClientIP], [Scheme] and r.Host. (RemoteAddr and TLS are still those
// of the connection.) Forwarded and all that begins with X-Forwarded are among what is
// removed, and so are X-Real-Ip, True-Client-Ip, Cf-Connecting-Ip, X-Original-Url,
// X-HTTP-Method-Override, Script-Name and their like, in every spelling that some software
// takes for theirs; and other spellings of Content-Length, Cookie and whatever else is
// believed under its own name. [Config.PassHeaders] makes exceptions.
func (s *Site) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st, came := s.receive(r), r
		s.lookAtFront(came, &st.hop)
		spelled := st.host
		a, ok := s.hosts.find(spelled, st.scheme)
		if ok {
			st.host, st.origin = a.host, a.origin
		}
		r = st.attach(r)
		if !ok {
			s.misdirect(w, r, s.hostWrong(came, &st.hop, ""))
			return
		}
		if origin := s.elsewhere(a, spelled, st.scheme); origin != "" {
			s.redirect(w, r, came, &st.hop, origin)
			return
		}
		s.headers.apply(w.Header(), st)
		next.ServeHTTP(w, r)
	})
}

// Now returns the time by the site's clock.
func (s *Site) Now() time.Time { return s.cfg.Now() }

// Logger returns the site's log.
func (s *Site) Logger() *slog.Logger { return s.cfg.Logger }

// receive finds out where a request comes from. A Site inside of another one, or of
// itself, takes the outer one's word: the headers are gone.
func (s *Site) receive(r *http.Request) *state {
	st := &state{Context: r.Context(), site: s, origin: s.origin}
	if outer := stateOf(r.Context()); outer != nil {
		st.hop = outer.hop
		st.hop.host = r.Host
	} else {
		st.hop = s.cfg.Proxies.believe(r)
	}
	return st
}
