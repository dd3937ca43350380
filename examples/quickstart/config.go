package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// configure turns flags into a configuration.
func configure(o options, fake *webauthtest.WLS) (glue.Config, error) {
	service, err := chooseService(o, fake)
	if err != nil {
		return glue.Config{}, err
	}
	cfg := glue.Config{
		Service:    service,
		BaseURL:    o.baseURL,
		SecretFile: o.secretIn,
		Policy:     glue.Policy{Desc: o.desc},
		LogoutPath: "/logout",
	}
	if o.secretIn == "" {
		cfg.Secret = rand.Text() + rand.Text() // sessions end with the program
	}
	switch {
	case o.ptags == "any":
		cfg.Policy.AnyPtags = true
	case o.ptags != "":
		cfg.Policy.Ptags = strings.Split(o.ptags, ",")
	}
	return cfg, nil
}

func chooseService(o options, fake *webauthtest.WLS) (webauth.Service, error) {
	if fake != nil {
		return fake.Service(), nil
	}
	var set webauth.KeySource
	if o.keys != "" {
		dir, err := keys.LoadDir(o.keys)
		if err != nil {
			return webauth.Service{}, err
		}
		set = dir
	}
	if o.authURL != "" {
		if set == nil {
			return webauth.Service{}, errors.New("-auth-url needs -keys: a directory with the service's public keys, called pubkeyN")
		}
		return webauth.Service{Name: "custom", AuthURL: o.authURL, LogoutURL: o.logoutURL, Keys: set, Ptags: o.ptags != "any"}, nil
	}
	var s webauth.Service
	switch o.wls {
	case "raven":
		s = webauth.Raven()
	case "raven-demo":
		s = webauth.RavenDemo()
	case "nevar":
		s = webauth.Nevar(set)
	case "goose":
		s = webauth.Goose(set)
	default:
		return s, fmt.Errorf("-wls %q is none of fake, raven, raven-demo, nevar, goose", o.wls)
	}
	if set == nil && s.Keys == nil {
		return s, fmt.Errorf("-wls %s needs -keys: its operators hand out the public key", o.wls)
	}
	if set != nil {
		s.Keys = set
	}
	if o.logoutURL != "" {
		s.LogoutURL = o.logoutURL
	}
	return s, nil
}
