package main

import (
	"cmp"
	"crypto/rand"
	"net"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// usesFake reports whether people log in at a fake.
func (o *options) usesFake() bool {
	if o.login == "oidc" {
		return o.issuer == ""
	}
	return o.wls == "fake" && o.authURL == ""
}

// fake is a login service for trying things out, in this process.
type fake interface {
	http.Handler
	Close()
}

// noFake is there where a real service is used.
type noFake struct{ http.Handler }

func (noFake) Close() {}

// newFake makes the fake login service, unless a real one is used.
func newFake(o *options) (fake, error) {
	switch {
	case !o.usesFake():
		return noFake{}, nil
	case o.login == "oidc":
		return newFakeProvider(o)
	}
	return webauthtest.NewWLS(webauthtest.Config{BaseURL: httpURL(o.wlsAddr), Now: o.now})
}

// httpURL is where a browser on this machine finds what listens on an address.
func httpURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr // for others to complain about
	}
	return "http://" + net.JoinHostPort(cmp.Or(host, "localhost"), port)
}

// configure turns flags into the configurations of the site and of its login.
func configure(o *options, fake fake) (soc site.Config, cfg glue.Config, err error) {
	service, err := chooseService(o, fake)
	if err != nil {
		return soc, cfg, err
	}
	soc = site.Config{
		BaseURL:    cmp.Or(o.baseURL, httpURL(o.addr)),
		SecretFile: o.secretIn,
		Headers:    site.Headers{CSP: "default-src 'none'; style-src 'self'; connect-src 'self'; base-uri 'none'", FrameAncestors: "'none'"},
		Now:        o.now,
	}
	if o.secretIn == "" {
		soc.Secret = rand.Text() + rand.Text() // sessions end with the program
	}
	cfg = glue.Config{Service: service, Policy: glue.Policy{Desc: o.desc}, LoginPath: o.loginPath, LogoutPath: "/logout"}
	if o.redis != "" {
		store, err := redisstore.New(redisstore.Config{URL: o.redis, Site: "quickstart", NoteBrowsers: true, Now: o.now})
		if err != nil {
			return soc, cfg, err
		}
		cfg.Session.Store, soc.OneUse = store, store
	}
	switch {
	case o.ptags == "any":
		cfg.Policy.AnyPtags = true
	case o.login == "oidc":
		cfg.Policy.Ptags = o.groups()
		cfg.Policy.AnyPtags = cfg.Policy.Ptags == nil // which printWelcome says
	case o.ptags != "":
		cfg.Policy.Ptags = strings.Split(o.ptags, ",")
	}
	return soc, cfg, nil
}

func chooseService(o *options, fake fake) (webauth.LoginService, error) {
	switch fake := fake.(type) {
	case *webauthtest.WLS:
		return fake.Service(), nil
	case *fakeProvider:
		return fake.service(o.groups()), nil
	}
	if o.login == "oidc" {
		return realProvider(o), nil
	}
	return realWLS(o)
}

// realWLS is the service that the flags name.
func realWLS(o *options) (webauth.Service, error) {
	var given webauth.KeySource
	if o.keys != "" {
		set, err := keys.LoadDir(o.keys)
		if err != nil {
			return webauth.Service{}, err
		}
		given = set
	}
	if o.authURL != "" {
		if given == nil {
			return webauth.Service{}, cli.Usagef("-auth-url needs -keys: a directory with the service's public keys, called pubkeyN")
		}
		return webauth.Service{Name: "custom", AuthURL: o.authURL, LogoutURL: o.logoutURL, Keys: given, NoPtags: o.ptags == "any"}, nil
	}
	s, err := namedService(o.wls, given)
	if err != nil {
		return s, err
	}
	s.LogoutURL = cmp.Or(o.logoutURL, s.LogoutURL)
	return s, nil
}

// namedService is one of the services that package webauth knows, with the keys given
// in place of its own, if any.
func namedService(name string, given webauth.KeySource) (webauth.Service, error) {
	var s webauth.Service
	switch name {
	case "raven":
		s = webauth.Raven()
	case "raven-demo":
		s = webauth.RavenDemo()
	case "nevar":
		s = webauth.Nevar(given)
	case "goose":
		s = webauth.Goose(given)
	}
	if given != nil {
		s.Keys = given
	}
	if s.Keys == nil {
		return s, cli.Usagef("-wls %s needs -keys: its operators hand out the public key", name)
	}
	return s, nil
}
