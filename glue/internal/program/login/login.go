// Package login has what a configuration file says of where people log in.
package login

import (
	"regexp"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config says where people log in.
type Config struct {
	// WLS is a login service: "raven", "raven-demo", "nevar", "goose" or "custom".
	WLS string `toml:"wls,omitempty"`
	// KeyDir has the pubkeyN files of nevar, goose or a custom service; it is read again
	// as they change.
	KeyDir string `toml:"key-dir,omitempty"`
	// CustomWLS describes the service that WLS = "custom" stands for.
	CustomWLS CustomWLS `toml:"custom-wls,omitempty"`
	// Service replaces WLS, for a program that makes its own.
	Service *webauth.Service `toml:"-"`
}

// CustomWLS is a service of one's own; see webauth.Service.
type CustomWLS struct {
	Name      string `toml:"name,omitempty"`
	AuthURL   string `toml:"auth-url,omitempty"`
	LogoutURL string `toml:"logout-url,omitempty"`
	NoPtags   bool   `toml:"no-ptags,omitempty"`
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
		if err := c.WithoutKeys().CheckOrigin(origin); err != nil && origin != "" {
			k.Warnf(key, "%v", err)
		}
	}
}

func (c *Config) check(k *serve.Report, s *serve.Config) {
	if c.Service != nil {
		if c.WLS != "" || c.KeyDir != "" || c.CustomWLS != (CustomWLS{}) {
			k.Errorf("wls", "Config.Service is set already: leave wls, key-dir and custom-wls out")
		}
		return
	}
	bundled, known := services[c.WLS]
	switch {
	case c.WLS == "":
		k.Need("wls", c.WLS, `where people log in: "raven", "raven-demo", "nevar", "goose" or "custom"`)
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
	if name := c.CustomWLS.Name; name != "" && !serviceName.MatchString(name) {
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

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// SetPaths makes the paths of files begin at the configuration file's directory.
func (c *Config) SetPaths(s *serve.Config) { c.KeyDir = s.File.Path(c.KeyDir) }

// Open returns where people log in. It reads the service's keys, where they are in files.
func (c *Config) Open(file *config.File, now func() time.Time) (webauth.Service, error) {
	s := c.WithoutKeys()
	if c.Service != nil || s.Keys != nil {
		return s, nil
	}
	dir, err := keys.NewDir(keys.DirConfig{Path: c.KeyDir, Now: now})
	if err != nil {
		return webauth.Service{}, file.Errorf("key-dir", "%v", err)
	}
	s.Keys = dir
	return s, nil
}

// WithoutKeys returns where people log in, without the keys where those are in files.
func (c *Config) WithoutKeys() webauth.Service {
	if c.Service != nil {
		return *c.Service
	}
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

// Key is the key that says which keys the service signs with.
func (c *Config) Key() string {
	if c.KeyDir != "" {
		return "key-dir"
	}
	return "wls"
}
