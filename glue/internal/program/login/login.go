// Package login has what a configuration file says of where people log in.
package login

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config says where people log in: by OpenID Connect, by Ucam-WebAuth, or by both while a site
// moves from one to the other.
type Config struct {
	// OIDC is an OpenID Connect provider where people log in. The path /.wls/login of the
	// site must be registered there as a redirect URI.
	OIDC OIDC `toml:"oidc,omitempty"`
	// WLS is a login service: "raven", "raven-demo", "nevar", "goose" or "custom".
	WLS string `toml:"wls,omitempty"`
	// KeyDir has the pubkeyN files of nevar, goose or a custom service; it is read again
	// as they change.
	KeyDir string `toml:"key-dir,omitempty"`
	// CustomWLS describes the service that WLS = "custom" stands for.
	CustomWLS CustomWLS `toml:"custom-wls,omitempty"`
	// Login says where new logins are made if both OIDC and WLS are there: "oidc" (the default),
	// "wls", or "choose", where people choose. Sessions of the other are honoured until they end.
	Login string `toml:"login,omitempty"`
	// Service replaces all of these, for a program that makes its own.
	Service webauth.LoginService `toml:"-"`
}

// Words of Config.Login.
const (
	newByOIDC   = "oidc"
	newByWLS    = "wls"
	newByChoice = "choose"
)

// CustomWLS is a service of one's own; see webauth.Service.
type CustomWLS struct {
	// Name is a short name for logs, of a-z, 0-9 and '-'.
	Name string `toml:"name,omitempty"`
	// AuthURL is where the service has people log in, by https, without a query.
	AuthURL string `toml:"auth-url,omitempty"`
	// LogoutURL is where people end their session at the service; empty where there is none.
	LogoutURL string `toml:"logout-url,omitempty"`
	// NoPtags says that the service sends no ptags. Policies require "current" by default,
	// which locks everybody out where there are none.
	NoPtags bool `toml:"no-ptags,omitempty"`
}

// services are the values of WLS; those that are false need a KeyDir.
var services = map[string]bool{"raven": true, "raven-demo": true, "nevar": false, "goose": false, "custom": false}

// Check reports what is wrong or weak about c, for a site.
func (c *Config) Check(k *serve.Report, s *serve.Config) {
	c.check(k, s)
	for i, origin := range append([]string{s.BaseURL}, s.Origins...) {
		key := "base-url"
		if i > 0 {
			key = config.Element("origins", i)
		}
		for _, service := range c.Services() {
			checks, can := service.(interface{ CheckOrigin(string) error })
			if !can || origin == "" {
				continue
			}
			if err := checks.CheckOrigin(origin); err != nil {
				k.Warnf(key, "%v", err)
			}
		}
	}
}

func (c *Config) check(k *serve.Report, s *serve.Config) {
	if c.Service != nil {
		if c.WLS != "" || c.KeyDir != "" || c.CustomWLS != (CustomWLS{}) || c.OIDC.isSet() || c.Login != "" {
			k.Errorf(c.Key(), "Config.Service is set already: leave wls, key-dir, custom-wls, oidc and login out")
		}
		return
	}
	both := c.OIDC.isSet() && c.WLS != ""
	switch {
	case c.Login != "" && !both:
		k.Errorf("login", "this is for a site with both wls and [oidc]: leave it out")
	case both:
		k.OneOf("login", cmp.Or(c.Login, newByOIDC), newByOIDC, newByWLS, newByChoice)
	}
	if c.OIDC.isSet() {
		c.OIDC.check(k)
	}
	if c.WLS != "" || !c.OIDC.isSet() {
		c.checkWLS(k, s)
		return
	}
	for _, f := range []struct {
		key string
		set bool
	}{{"key-dir", c.KeyDir != ""}, {"custom-wls", c.CustomWLS != (CustomWLS{})}} {
		if f.set {
			k.Errorf(f.key, "this is for wls: leave it out, or set wls too")
		}
	}
}

func (c *Config) checkWLS(k *serve.Report, s *serve.Config) {
	bundled, known := services[c.WLS]
	switch {
	case c.WLS == "":
		k.Need("wls", c.WLS, `where people log in: "raven", "raven-demo", "nevar", "goose" or "custom"; or write a table [oidc]`)
	case !known:
		k.OneOf("wls", c.WLS, "raven", "raven-demo", "nevar", "goose", "custom")
	case bundled && c.KeyDir != "":
		k.Errorf("key-dir", "the key of %s is built in: leave this out", c.WLS)
	case !bundled && c.KeyDir == "":
		k.Errorf("key-dir", "this is missing: the operators of %s hand out its public key; name a directory with it, as a file pubkeyN where N is the key's number", c.WLS)
	}
	if c.WLS == "raven-demo" {
		if !webauth.IsLoopback(s.BaseURL) {
			k.Errorf("wls", "anybody can sign as raven-demo, whose private key is published: it is for sites on a loopback host")
		}
		k.Warnf("wls", "anybody can sign as raven-demo, so that anybody can be anybody: for trying things out")
	}
	if c.WLS == "custom" {
		c.checkCustom(k)
	} else if c.CustomWLS != (CustomWLS{}) {
		k.Errorf("custom-wls", `this is for wls = "custom"`)
	}
}

func (c *Config) checkCustom(k *serve.Report) {
	k.Need("custom-wls.name", c.CustomWLS.Name, "a short name for logs, such as college")
	k.Need("custom-wls.auth-url", c.CustomWLS.AuthURL, "where the service has people log in, such as https://wls.example/authenticate")
	if name := c.CustomWLS.Name; name != "" && !webauth.IsServiceName(name) {
		k.Errorf("custom-wls.name", "%q: use 1 to 32 of a-z, 0-9 and '-'", name)
	}
	for _, f := range [][2]string{{"custom-wls.auth-url", c.CustomWLS.AuthURL}, {"custom-wls.logout-url", c.CustomWLS.LogoutURL}} {
		if f[1] == "" {
			continue
		}
		origin, err := webauth.Origin(f[1])
		switch {
		case err != nil:
			k.Errorf(f[0], "%q: %v", f[1], err)
		case strings.Contains(f[1], "?"):
			k.Errorf(f[0], "%q must not have a query", f[1])
		case strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(origin):
			k.Errorf(f[0], "%q must be https (http is for loopback hosts)", f[1])
		}
	}
}

// Normalise makes the paths of files absolute, and small letters of words.
func (c *Config) Normalise(s *serve.Config) {
	serve.SmallLetters(&c.WLS, &c.Login, &c.OIDC.Preset)
	c.KeyDir = s.File.Path(c.KeyDir)
	c.OIDC.setPaths(s)
}

// LoginConfig returns config with where people log in. It reads keys and secrets where they are
// in files.
func (c *Config) LoginConfig(config glue.Config, file *config.File, now func() time.Time) (glue.Config, error) {
	if c.OIDC.isSet() {
		if err := file.Err(c.OIDC.mistakes()); err != nil {
			return config, err
		}
	}
	all := c.Services()
	for i, service := range all {
		wls, ok := service.(webauth.Service)
		if !ok || c.Service != nil || wls.Keys != nil {
			continue
		}
		dir, err := keys.NewDir(keys.DirConfig{Path: c.KeyDir, Now: now})
		if err != nil {
			return config, file.Errorf("key-dir", "%v", err)
		}
		wls.Keys = dir
		all[i] = wls
	}
	config.Service, config.Also, config.ChooseService = all[0], all[1:], c.Login == newByChoice && len(all) > 1
	return config, nil
}

// Note notes what is weak or odd about the services that config logs people in by, for a site.
func (c *Config) Note(noted *site.Findings, config *glue.Config) {
	for _, service := range append([]webauth.LoginService{config.Service}, config.Also...) {
		key := c.keyOf(service)
		if wls, ok := service.(interface{ CheckKeys() error }); ok { // the rest is looked at by Check
			if err := wls.CheckKeys(); err != nil {
				noted.Warnf(key, "%v", err)
			}
			continue
		}
		for _, f := range service.Findings(config.Site.Origins()) {
			if f.Note {
				noted.Notef(key, "%s", inWordsOfFile.Replace(f.Text))
			} else {
				noted.Warnf(key, "%s", inWordsOfFile.Replace(f.Text))
			}
		}
	}
}

// Services returns all by which somebody may be logged in, the one for new logins first, and
// without the keys where those are in files.
func (c *Config) Services() (all []webauth.LoginService) {
	if c.Service != nil {
		return []webauth.LoginService{c.Service}
	}
	if c.OIDC.isSet() {
		all = append(all, c.OIDC.provider())
	}
	if c.WLS != "" || all == nil {
		all = append(all, c.wls())
	}
	if c.Login == newByWLS {
		slices.Reverse(all)
	}
	return all
}

// wls returns the service of Ucam-WebAuth, without the keys where those are in files.
func (c *Config) wls() webauth.Service {
	switch c.WLS {
	case "raven":
		return webauth.Raven()
	case "raven-demo":
		return webauth.RavenDemo()
	case "nevar":
		return webauth.Nevar(nil)
	case "goose":
		return webauth.Goose(nil)
	}
	w := c.CustomWLS
	return webauth.Service{Name: w.Name, AuthURL: w.AuthURL, LogoutURL: w.LogoutURL, NoPtags: w.NoPtags}
}

// SetsPtags reports whether a service sets ptags.
func (c *Config) SetsPtags() bool {
	return slices.ContainsFunc(c.Services(), func(s webauth.LoginService) bool { return !s.Info().NoPtags })
}

// Open returns the first service that also knows people who are nobody's members; nil for none.
// See webauth.ServiceInfo.
func (c *Config) Open() webauth.LoginService {
	for _, s := range c.Services() {
		if s.Info().Open {
			return s
		}
	}
	return nil
}

// CheckPrincipal returns why no service reports a principal; nil if one may.
func (c *Config) CheckPrincipal(name string) error {
	return c.ofNone(func(s webauth.LoginService) error { return s.CheckPrincipal(name) })
}

// CheckPtag returns why no service reports a ptag; nil if one may.
func (c *Config) CheckPtag(ptag string) error {
	return c.ofNone(func(s webauth.LoginService) error { return s.CheckPtag(ptag) })
}

func (c *Config) ofNone(check func(webauth.LoginService) error) (first error) {
	for _, s := range c.Services() {
		err := check(s)
		if err == nil {
			return nil
		}
		if _, ok := s.(*oidclogin.Provider); ok {
			err = errors.New(inWordsOfFile.Replace(err.Error()))
		}
		first = cmp.Or(first, err)
	}
	return first
}

// Key is the key that is answerable for the service of new logins: for a WLS, the one that
// says which keys it signs with.
func (c *Config) Key() string { return c.keyOf(c.Services()[0]) }

func (c *Config) keyOf(service webauth.LoginService) string {
	if _, ok := service.(*oidclogin.Provider); ok {
		return oidcKey
	}
	if c.KeyDir != "" {
		return "key-dir"
	}
	return "wls"
}
