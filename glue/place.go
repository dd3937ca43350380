package glue

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// place is the site at one of its origins: everything that is derived for the
// service and that origin, so that nothing made for one is good at another.
type place struct {
	origin   string // "https://soc.example"
	prefix   string // path of BaseURL without a trailing slash, or ""
	stripped bool   // the prefix is missing from requests
	cookies  cookieJar
	signer   *webauth.RequestSigner
	verifier *webauth.Verifier

	session, seen, loops, kept, logout, failed, confirm, targets *seal.Codec
}

// places finds the place for a Host header.
type places map[string]*place

// newPlaces derives all places from the configuration and the site's secret.
func newPlaces(cfg *Config, secret *site.Secret) (places, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || cfg.BaseURL == "" {
		return nil, errors.New("glue: Config.BaseURL is missing or no URL: say where browsers see the site, such as https://soc.example")
	}
	if base.RawQuery != "" {
		return nil, errors.New("glue: Config.BaseURL must not have a query")
	}
	origins := append([]string{cfg.BaseURL}, cfg.Origins...)
	for i, raw := range origins {
		if origins[i], err = webauth.Origin(raw); err != nil {
			return nil, fmt.Errorf("glue: Config.BaseURL or Origins: %q: %v", raw, err)
		}
		if i > 0 && strings.TrimSuffix(raw, "/") != origins[i] {
			return nil, fmt.Errorf("glue: Config.Origins: %q is not an origin in its usual form (%q)", raw, origins[i])
		}
	}
	prefix, err := basePath(base)
	if err != nil {
		return nil, err
	}
	all := places{}
	for i, origin := range origins {
		host := hostOf(origin)
		if all[host] != nil {
			return nil, fmt.Errorf("glue: Config.Origins: host %s comes twice; requests could not be told apart", host)
		}
		p, err := newPlace(cfg, secret, origin, prefix, origins)
		if err != nil {
			return nil, err
		}
		p.cookies = newCookieJar(cfg, origin, prefix)
		if i == 0 {
			if err := errors.Join(p.checkPath("LogoutPath", cfg.LogoutPath), p.checkPath("AfterLogout", cfg.AfterLogout), p.checkPath("LoginPath", cfg.LoginPath)); err != nil {
				return nil, err
			}
		}
		all[host] = p
	}
	return all, nil
}

func newPlace(cfg *Config, secret *site.Secret, origin, prefix string, origins []string) (*place, error) {
	if strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(origin) && !cfg.InsecureAllowHTTP {
		return nil, fmt.Errorf("glue: origin %s is http: use https, or http://localhost for trying things out", origin)
	}
	p := &place{origin: origin, prefix: prefix, stripped: cfg.PrefixStripped}
	var err error
	keysFor := func(purpose string) [][]byte { return secret.Derive(purpose, cfg.Service.ID(), origin, prefix) }
	p.signer, err = webauth.NewRequestSigner(webauth.SignerConfig{
		Service: cfg.Service, Origin: origin, Keys: keysFor("request-token"), Now: cfg.Now,
	})
	if err != nil {
		return nil, err
	}
	p.verifier, err = webauth.NewVerifier(webauth.VerifierConfig{
		Service: cfg.Service, Versions: cfg.Versions, MaxAge: cfg.MaxAge, Skew: cfg.Skew, Now: cfg.Now,
		Signer: p.signer, OneUse: cfg.OneUse, Origins: origins,
	})
	if err != nil {
		return nil, err
	}
	for purpose, codec := range map[string]**seal.Codec{
		"session": &p.session, "last-use": &p.seen, "loops": &p.loops, "kept-form": &p.kept, "logout": &p.logout,
		"failed-tokens": &p.failed, "confirm-login": &p.confirm, "target": &p.targets,
	} {
		if *codec, err = seal.New(purpose, keysFor(purpose)); err != nil {
			return nil, fmt.Errorf("glue: %w", err)
		}
	}
	return p, nil
}

// find gives the place that a request is for, from its Host header; nil for a host
// that is not configured.
func (ps places) find(host string) *place {
	if p := ps[host]; p != nil {
		return p
	}
	// Browsers leave the default port out; other clients may spell it.
	host = strings.ToLower(host)
	if p := ps[strings.TrimSuffix(host, ":443")]; p != nil && p.https() {
		return p
	}
	if p := ps[strings.TrimSuffix(host, ":80")]; p != nil && !p.https() {
		return p
	}
	return nil
}

func hostOf(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	return host
}

func (p *place) https() bool { return strings.HasPrefix(p.origin, "https:") }

// target is the path and query that the browser asked for, as it wrote them: before
// any StripPrefix and with the prefix that a front server removed.
func (p *place) target(r *http.Request) (path, query string) {
	uri := r.RequestURI
	if i := strings.Index(uri, "://"); i > 0 && uri[0] != '/' { // absolute form, as proxies use
		uri = uri[i+len("://"):]
		uri = "/" + strings.TrimPrefix(strings.TrimLeftFunc(uri, func(c rune) bool { return c != '/' && c != '?' }), "/")
	}
	if !strings.HasPrefix(uri, "/") { // a request made by hand
		uri = r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			uri += "?" + r.URL.RawQuery
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	if p.stripped {
		path = p.prefix + path
	}
	return path, query
}

// url makes an absolute URL of this site.
func (p *place) url(path, query string) string {
	if query != "" {
		path += "?" + query
	}
	return p.origin + path
}

// home is the URL of the site's start.
func (p *place) home() string { return p.origin + p.prefix + "/" }

// nowSeconds is the clock to whole seconds, as sessions keep time.
func nowSeconds(now func() time.Time) time.Time { return time.Unix(now().Unix(), 0).UTC() }
