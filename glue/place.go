package glue

import (
	"fmt"
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
	cookies  cookieJar
	signer   *webauth.RequestSigner
	verifier *webauth.Verifier

	session, seen, loops, kept, logout, failed, confirm, targets *seal.Codec
}

// places holds the site at each of its origins.
type places map[string]*place

// newPlaces derives all places from the configuration and the site's secret.
func newPlaces(cfg *Config, secret *site.Secret) (places, error) {
	all := places{}
	for _, origin := range cfg.Site.Origins() {
		p, err := newPlace(cfg, secret, origin)
		if err != nil {
			return nil, err
		}
		all[origin] = p
	}
	return all, nil
}

func newPlace(cfg *Config, secret *site.Secret, origin string) (*place, error) {
	prefix := cfg.Site.Path()
	p := &place{origin: origin, prefix: prefix, cookies: newCookieJar(cfg, origin, prefix)}
	var err error
	keysFor := func(purpose string) [][]byte { return secret.Derive(purpose, cfg.Service.ID(), origin, prefix) }
	p.signer, err = webauth.NewRequestSigner(webauth.SignerConfig{
		Service: cfg.Service, Origin: origin, Keys: keysFor("request-token"), Now: cfg.Site.Now,
	})
	if err != nil {
		return nil, err
	}
	p.verifier, err = webauth.NewVerifier(webauth.VerifierConfig{
		Service: cfg.Service, Versions: cfg.Versions, MaxAge: cfg.MaxAge, Skew: cfg.Skew, Now: cfg.Site.Now,
		Signer: p.signer, OneUse: cfg.Site.OneUse(), Origins: cfg.Site.Origins(),
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

// url makes an absolute URL of this site.
func (p *place) url(path, query string) string {
	if query != "" {
		path += "?" + query
	}
	return p.origin + path
}

// home is the URL of the site's start.
func (p *place) home() string { return p.origin + p.prefix + "/" }

// inSeconds cuts a time to whole seconds, as sessions keep it.
func inSeconds(t time.Time) time.Time { return time.Unix(t.Unix(), 0).UTC() }
