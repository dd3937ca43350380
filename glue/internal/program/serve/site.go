package serve

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

// Paths that are a program's own.
const (
	ReservedPath = "/.wls"
	LoginPath    = ReservedPath + "/login"
	LogoutPath   = ReservedPath + "/logout"
)

// SiteConfig returns what package site is told, but for headers, front servers and whatever
// belongs to one process.
func (c *Config) SiteConfig() site.Config {
	cfg := site.Config{BaseURL: c.BaseURL, SiteName: c.SiteName, Logger: c.Logger, Now: c.Now}
	for _, raw := range c.Origins {
		if origin, err := webauth.Origin(raw); err == nil {
			cfg.Hosts = append(cfg.Hosts, HostOf(origin))
		}
	}
	if strings.HasPrefix(c.BaseURL, "https:") {
		cfg.Redirect = site.RedirectHTTPS
	}
	return cfg
}

// LoginConfig returns what package glue is told, but for site and service.
func (c *Config) LoginConfig() glue.Config {
	s := &c.Session
	return glue.Config{
		MaxAge: time.Duration(s.MaxAge), Skew: time.Duration(s.Skew),
		LoginPath: LoginPath, LogoutPath: LogoutPath, AfterLogout: s.AfterLogout, LogoutAtWLS: s.LogoutAtWLS,
		Session: glue.Session{
			MaxLife: time.Duration(s.MaxLife), Inactivity: time.Duration(s.Inactivity),
			IgnoreWLSLife: s.IgnoreWLSLife, BindAddress: s.BindAddress, BindBrowser: s.BindBrowser,
		},
	}
}

// fieldKeys are the keys of a file for fields of packages site and glue.
var fieldKeys = map[string]string{
	"BaseURL":                   "base-url",
	"SiteName":                  "site-name",
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
// and glue find weak is so on purpose, such as headers that are for backends to decide, or is found here.
var weakFields = map[string]bool{"Headers.HSTS": true, "MaxAge": true, "Skew": true, "Session.MaxLife": true}

// Take adds what packages site and glue have found.
func (k *Report) Take(found []site.Finding) {
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

// Refused returns an error of package site or glue as one about keys of the file; what names no
// field is about otherwise.
func (c *Config) Refused(err error, otherwise string) error {
	k := &Report{}
	for _, f := range FindingsOf(err) {
		if f.Key == "" {
			f.Key = otherwise
		}
		k.Take([]site.Finding{f})
	}
	return c.File.Err(k.Findings)
}

// standIn is the address of a site whose own cannot be used.
const standIn = "https://soc.example"

// checkSite checks addresses, and asks packages site and glue about what they are told.
func (c *Config) checkSite(k *Report, headers site.Headers) {
	k.Need("base-url", c.BaseURL, `where browsers see the site, such as "https://soc.example"`)
	for i, raw := range c.Origins {
		key := config.Element("origins", i+1)
		origin, err := webauth.Origin(raw)
		switch {
		case err != nil:
			k.Errorf(key, "%q: %v; write it such as https://soc.example", raw, err)
			continue
		case strings.HasPrefix(HostOf(origin), "."): // to package site, all names below it
			k.Errorf(key, "%q has a host that begins with a dot: name the hosts one by one", raw)
		case HasPath(raw):
			k.Errorf(key, "%q has a path or a query: write %s", raw, origin)
		case strings.HasPrefix(origin, "https:") != strings.HasPrefix(c.BaseURL, "https:") && c.BaseURL != "":
			k.Errorf(key, "%s has another scheme than base-url", origin)
		}
		c.Origins[i] = origin
	}
	cfg := c.SiteConfig()
	cfg.Headers = headers
	cfg.Secret, cfg.Logger = rand.Text()+rand.Text(), slog.New(slog.DiscardHandler) // nothing is made of it
	if cfg.BaseURL == "" {
		cfg.BaseURL = standIn
	}
	k.Take(site.Check(cfg))
	s, err := site.New(cfg)
	if err == nil && c.BaseURL != "" {
		c.BaseURL = s.Origins()[0]
	}
	if err == nil && s.Path() != "" {
		k.Errorf("base-url", "%q has a path: write %s", cfg.BaseURL, c.BaseURL)
	}
	if err != nil || s.Path() != "" {
		s, err = site.New(site.Config{BaseURL: standIn, Secret: cfg.Secret})
	}
	if err != nil {
		k.Errorf("", "%v", err)
		return
	}
	c.checkLogin(k, s)
}

// checkLogin asks package glue about the times of a login, but for those that are refused
// by the service's verifier, whose errors have no key.
func (c *Config) checkLogin(k *Report, s *site.Site) {
	login := c.LoginConfig()
	login.Site, login.Service = s, webauth.Raven()
	if !k.Between("session.response-max-age", c.Session.MaxAge, time.Second, 10*time.Minute) {
		login.MaxAge = 0
	}
	if !k.Between("session.clock-skew", c.Session.Skew, 0, 10*time.Minute) {
		login.Skew = 0
	}
	k.Take(glue.Check(login))
}

// HasPath reports whether an address has more than scheme and host.
func HasPath(raw string) bool {
	u, err := url.Parse(raw)
	return err != nil || u.Path != "" && u.Path != "/" || strings.Contains(raw, "?")
}
