package gateway

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/internal/ratelimit"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

// Paths that are the gateway's own, beside those of package serve; nothing below
// serve.ReservedPath reaches a backend.
const (
	authPath    = serve.ReservedPath + "/auth"
	orLoginPath = serve.ReservedPath + "/auth-or-login"
)

// core is a configuration at work. All that can be prepared is, so that a request only
// finds its rule. It does not change; a reload makes another one.
type core struct {
	serve.Uses

	cfg      Config
	common   *serve.Config // of cfg
	metrics  *metrics
	checker  *password.Checker
	removals *removals
	logouts  *ratelimit.Gate

	site      *site.Site
	auth      *glue.Auth
	challenge string // for WWW-Authenticate
	xsrf      *xsrf.Guard
	proxy     *httputil.ReverseProxy

	identity  *identity
	stripping *stripping
	rules     map[string][]*rule // by host, the first that fits
	oddPaths  bool               // some rule lets odd ones pass
	nothing   *rule              // for what no rule fits
	ambiguous *rule              // for what several rules might
	handler   http.Handler       // the way through, from its beginning

	noted    site.Findings // what building it found worth knowing
	store    *serve.Store
	backends []*backend // each once
}

// build makes a core, or returns all that is wrong. The caller holds g.mu, or nobody else
// knows g yet.
func (g *Gateway) build(cfg Config) (*core, error) {
	cfg.Rules = append([]Rule(nil), cfg.Rules...)
	c := &core{cfg: cfg, common: cfg.common(), metrics: g.metrics, removals: g.removals, logouts: g.logouts, oddPaths: cfg.anyOddPaths()}
	err := g.buildSite(c)
	if err == nil {
		err = errors.Join(c.buildLogin(), c.buildIdentity())
	}
	if err == nil {
		err = g.buildRules(c)
	}
	if err != nil {
		g.release(c)
		return nil, err
	}
	c.proxy = newProxy(c)
	c.handler = c.site.Handler(http.HandlerFunc(c.serve))
	return c, nil
}

// buildLogin makes the login.
func (c *core) buildLogin() error {
	login := c.cfg.login()
	config, err := login.LoginConfig(c.common.LoginConfig(), c.cfg.file, c.cfg.Now)
	if err != nil {
		return err
	}
	config.Site = c.site
	config.Policy.AnyPtags = login.Open() != nil // each rule says itself who may come in
	login.Note(&c.noted, &config)
	c.challenge = config.Service.Info().Challenge
	if c.store != nil {
		config.Session.Store = c.store.Store
	}
	if c.auth, err = glue.New(config); err != nil {
		return c.common.Refused(err, login.Key()) // of what is about no field, it is the service's keys
	}
	c.xsrf, err = xsrf.New(xsrf.Config{Site: c.site, Auth: c.auth})
	return err
}

// buildSite makes what stands in front of everything, hosts, front servers and headers, and
// what the login keeps its state in; and what checks passwords, if no configuration has made
// that.
func (g *Gateway) buildSite(c *core) (err error) {
	cfg := &c.cfg
	config := c.common.SiteConfig()
	config.Headers = cfg.Headers.site()
	config.SecretFile, config.OneUse, config.Proxies = cfg.SecretFile, g.stores.OneUse, cfg.Front.Believed()
	config.OnMisdirected, config.OnEvent = c.misdirected, c.metrics.OnEvent
	config.PassHeaders, config.OnRemoved = c.passAnywhere(), c.removedBefore
	if config.Page, err = c.common.Page(); err != nil {
		return err
	}
	if c.store, err = g.stores.Use(c.common, &c.noted); err != nil {
		return err
	}
	if c.store != nil {
		config.OneUse = c.store.OneUse
	}
	if c.site, err = site.New(config); err != nil {
		return c.common.Refused(err, "secret-file")
	}
	if g.checker == nil {
		g.checker, err = newChecker(c.site)
	}
	c.checker = g.checker
	return err
}

// serve is the way through inside of site.Handler: path, rule, access, backend.
func (c *core) serve(w http.ResponseWriter, r *http.Request) {
	observe.RecordOf(r.Context()).Client = site.ClientIP(r)
	if !isPassedOn(r.Method) {
		c.spendOr(w, r, c.badMethod)
		return
	}
	if err := c.normalise(r); err != nil {
		c.spendOr(w, r, func(w http.ResponseWriter, r *http.Request) { c.badPath(w, r, err) })
		return
	}
	path := r.URL.RawPath
	if isReserved(path) {
		c.serveReserved(w, r, path)
		return
	}
	ru := c.ruleOf(r)
	observe.RecordOf(r.Context()).Rule = ru.label
	if ru == c.ambiguous { // before any login: that would not make it clear
		c.spendOr(w, r, func(w http.ResponseWriter, r *http.Request) { c.badPath(w, r, paths.ErrAmbiguous) })
		return
	}
	if c.auth.Brings(r) {
		ru.respond.ServeHTTP(w, r)
		return
	}
	ru.serve.ServeHTTP(w, r)
}

// isPassedOn reports whether a method may reach a backend: not CONNECT, which is for
// other proxies; not TRACE, which sends back what we add; no text that is no method,
// which HTTP/2 can carry; and none in small letters. Methods are case-sensitive (RFC 9110
// section 9.1), but some servers do not know that: "head", to which we would expect a
// body, is HEAD to them, and "delete" is DELETE.
func isPassedOn(method string) bool {
	return isMethod(method) && method != http.MethodConnect && method != http.MethodTrace
}

// normalise puts the form of the path that pathOf returns in place of what was sent: what is
// matched is what the login service signs, what is logged and what the backend gets.
func (c *core) normalise(r *http.Request) error {
	path, query, err := paths.SplitTarget(r.RequestURI)
	if err != nil {
		return err
	}
	normal, err := c.pathOf(r.Host, path)
	if err != nil {
		return err
	}
	if normal == path && r.URL.Path == normal && r.URL.RawQuery == query && r.RequestURI[0] == '/' {
		r.URL.RawPath = normal // says the same, and is where the normal form is looked for
		return nil
	}
	u := *r.URL // the one of the request as it came is the log's
	u.Path, u.RawPath, u.RawQuery = decoded(normal), normal, query
	u.Scheme, u.Host, u.User, u.Opaque, u.Fragment, u.RawFragment = "", "", nil, "", "", ""
	r.URL = &u
	if normal != path || !strings.HasPrefix(r.RequestURI, "/") {
		r.RequestURI = u.RequestURI()
	}
	return nil
}

func isReserved(path string) bool {
	return len(path) >= len(serve.ReservedPath) && strings.EqualFold(path[:len(serve.ReservedPath)], serve.ReservedPath) &&
		(len(path) == len(serve.ReservedPath) || path[len(serve.ReservedPath)] == '/')
}

// serveReserved answers for the gateway's own paths.
func (c *core) serveReserved(w http.ResponseWriter, r *http.Request, path string) {
	switch {
	case path == serve.LoginPath:
		c.login(w, r)
	case c.auth.Brings(r):
		c.spendOr(w, r, c.notFound)
	case path == serve.LogoutPath:
		c.auth.Logout(w, r)
	case path == backChannelPath:
		c.backChannel(w, r)
	case path == whoamiPath:
		c.whoami(w, r)
	case path == authPath && c.cfg.ForwardAuth:
		c.forwardAuth(w, r, false)
	case path == orLoginPath && c.cfg.ForwardAuth:
		c.forwardAuth(w, r, true)
	default:
		c.notFound(w, r)
	}
}

// spendOr answers a request that is refused before any rule is asked. A response of the
// login service that it brings is spent all the same, so that nobody can use it who finds
// it in a log.
func (c *core) spendOr(w http.ResponseWriter, r *http.Request, refuse http.HandlerFunc) {
	if c.auth.Brings(r) {
		c.auth.Optional(refuse).ServeHTTP(w, r)
		return
	}
	refuse(w, r)
}

// misdirected spends what a request for a host that is not ours brings.
func (c *core) misdirected(r *http.Request) {
	if c.auth.Brings(r) {
		_ = c.auth.Spend(r) // it is refused either way
	}
}

// problemAt names the rule that an error is about.
func (c *core) problemAt(i int, field string, err error) error {
	return c.cfg.file.Errorf(ruleKey(i, field), "%v", err)
}
