package gateway

import (
	"crypto/rand"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// siteConfig returns what package site is told, but for front servers and whatever belongs
// to one process.
func (c *Config) siteConfig() site.Config {
	h := &c.Headers
	cfg := site.Config{
		BaseURL: c.BaseURL, Logger: c.Logger, Now: c.Now,
		Headers: site.Headers{
			HSTS: site.HSTS{MaxAge: time.Duration(h.HSTS), IncludeSubDomains: h.HSTSSubDomains && h.HSTS != 0},
			CSP:  orOmit(h.CSP), FrameAncestors: orOmit(h.FrameAncestors),
			ReferrerPolicy: orOmit(h.ReferrerPolicy), PermissionsPolicy: orOmit(h.PermissionsPolicy),
			OpenerPolicy: site.Omit,
		},
	}
	for _, raw := range c.Origins {
		if origin, err := webauth.Origin(raw); err == nil {
			cfg.Hosts = append(cfg.Hosts, hostOf(origin))
		}
	}
	if strings.HasPrefix(c.BaseURL, "https:") {
		cfg.Redirect = site.RedirectHTTPS
	}
	return cfg
}

// orOmit leaves a header out that is not set: the backend knows its pages, the gateway does
// not.
func orOmit(value string) string {
	if value == "" {
		return site.Omit
	}
	return value
}

// proxies returns the front servers that are believed.
func (f *Front) proxies() site.Proxies {
	if len(f.Proxies) == 0 && !f.UnixSocket {
		return site.Proxies{}
	}
	p := site.Proxies{Ranges: f.Proxies, UnixSocket: f.UnixSocket, Host: f.Host, Header: site.XForwarded}
	if f.Header == frontForwarded {
		p.Header = site.Forwarded
	}
	return p
}

// loginConfig returns what package glue is told, but for site and service.
func (c *Config) loginConfig() glue.Config {
	s := &c.Session
	return glue.Config{
		MaxAge: time.Duration(s.MaxAge), Skew: time.Duration(s.Skew),
		LoginPath: loginPath, LogoutPath: logoutPath, AfterLogout: s.AfterLogout, LogoutAtWLS: s.LogoutAtWLS,
		Session: glue.Session{
			MaxLife: time.Duration(s.MaxLife), Inactivity: time.Duration(s.Inactivity),
			IgnoreWLSLife: s.IgnoreWLSLife, BindAddress: s.BindAddress, BindBrowser: s.BindBrowser,
		},
	}
}

// fieldKeys are the keys of a file for fields of packages site and glue.
var fieldKeys = map[string]string{
	"BaseURL":                   "base-url",
	"Hosts":                     "origins",
	"SecretFile":                "secret-file",
	"Service":                   "wls",
	"Proxies.Ranges":            "front.proxies",
	"Proxies.Header":            "front.header",
	"Headers.HSTS":              "headers.hsts",
	"Headers.CSP":               "headers.content-security-policy",
	"Headers.FrameAncestors":    "headers.frame-ancestors",
	"Headers.ReferrerPolicy":    "headers.referrer-policy",
	"Headers.PermissionsPolicy": "headers.permissions-policy",
	"MaxAge":                    "session.response-max-age",
	"Skew":                      "session.clock-skew",
	"Session.MaxLife":           "session.max-life",
	"Session.Inactivity":        "session.inactivity",
	"AfterLogout":               "session.after-logout",
}

// weakFields are those whose weaknesses are the operator's business. What else packages site
// and glue find weak is so on purpose in a gateway, such as headers that are for backends to
// decide, or is found here.
var weakFields = map[string]bool{"Headers.HSTS": true, "MaxAge": true, "Skew": true, "Session.MaxLife": true}

// take adds what packages site and glue have found.
func (k *checker) take(found []site.Finding) {
	for _, f := range found {
		if f.Severity != site.SeverityError && !weakFields[f.Key] {
			continue
		}
		if key, ok := fieldKeys[f.Key]; ok {
			f.Key = key
		}
		k.Findings = append(k.Findings, f)
	}
}

// refused returns an error of package site or glue as one about keys of the file; what names no
// field is about otherwise.
func (c *Config) refused(err error, otherwise string) error {
	k := &checker{Config: c}
	for _, f := range Findings(err) {
		if f.Key == "" {
			f.Key = otherwise
		}
		k.take([]site.Finding{f})
	}
	return c.file.Err(k.Findings)
}

// serviceKey is the key that says which keys a service signs with.
func serviceKey(c *Config) string {
	if c.KeyDir != "" {
		return "key-dir"
	}
	return "wls"
}

// standIn is the address of a site whose own cannot be used.
const standIn = "https://soc.example"

// checkSite checks addresses, and asks packages site and glue about what they are told.
func (k *checker) checkSite() {
	k.need("base-url", k.BaseURL, `where browsers see the site, such as "https://soc.example"`)
	for i, raw := range k.Origins {
		key := config.Element("origins", i+1)
		origin, err := webauth.Origin(raw)
		switch {
		case err != nil:
			k.Errorf(key, "%q: %v; write it such as https://soc.example", raw, err)
			continue
		case strings.HasPrefix(hostOf(origin), "."): // to package site, all names below it
			k.Errorf(key, "%q has a host that begins with a dot: name the hosts one by one", raw)
		case hasPath(raw):
			k.Errorf(key, "%q has a path or a query: write %s", raw, origin)
		case strings.HasPrefix(origin, "https:") != strings.HasPrefix(k.BaseURL, "https:") && k.BaseURL != "":
			k.Errorf(key, "%s has another scheme than base-url", origin)
		}
		k.Origins[i] = origin
	}
	cfg := k.siteConfig()
	cfg.Secret, cfg.Logger = rand.Text()+rand.Text(), slog.New(slog.DiscardHandler) // nothing is made of it
	if cfg.BaseURL == "" {
		cfg.BaseURL = standIn
	}
	k.take(site.Check(cfg))
	s, err := site.New(cfg)
	if err == nil && k.BaseURL != "" {
		k.BaseURL = s.Origins()[0]
	}
	if err == nil && s.Path() != "" {
		k.Errorf("base-url", "%q has a path: write %s", cfg.BaseURL, k.BaseURL)
	}
	if err != nil || s.Path() != "" {
		s, err = site.New(site.Config{BaseURL: standIn, Secret: cfg.Secret})
	}
	if err != nil {
		k.Errorf("", "%v", err)
		return
	}
	k.checkLogin(s)
}

// checkLogin asks package glue about the times of a login, but for those that are refused
// by the service's verifier, whose errors have no key.
func (k *checker) checkLogin(s *site.Site) {
	login := k.loginConfig()
	login.Site, login.Service = s, webauth.Raven()
	if !k.between("session.response-max-age", k.Session.MaxAge, time.Second, 10*time.Minute) {
		login.MaxAge = 0
	}
	if !k.between("session.clock-skew", k.Session.Skew, 0, 10*time.Minute) {
		login.Skew = 0
	}
	k.take(glue.Check(login))
}

func hasPath(raw string) bool {
	u, err := url.Parse(raw)
	return err != nil || u.Path != "" && u.Path != "/" || strings.Contains(raw, "?")
}
