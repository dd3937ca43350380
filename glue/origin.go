package glue

import (
	"fmt"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// origin is the site at one of its origins: everything that is derived for the
// service and that origin, so that nothing made for one is good at another.
type origin struct {
	base    string // "https://soc.example"
	prefix  string // path of BaseURL without a trailing slash, or ""
	cookies cookieJar
	ways    []*way

	seen, loops, kept, logout, failed, confirm, targets *seal.Codec
}

// origins holds the site at each of its origins.
type origins map[string]*origin

// newOrigins derives all origins from the configuration and the site's secret.
func newOrigins(cfg *Config, secret *site.Secret) (origins, error) {
	all := origins{}
	for _, base := range cfg.Site.Origins() {
		o, err := newOrigin(cfg, secret, base)
		if err != nil {
			return nil, err
		}
		all[base] = o
	}
	return all, nil
}

func newOrigin(cfg *Config, secret *site.Secret, base string) (*origin, error) {
	prefix := cfg.Site.Path()
	o := &origin{base: base, prefix: prefix, cookies: newCookieJar(cfg, base, prefix)}
	for _, service := range cfg.services() {
		w, err := newWay(cfg, secret, service, base, prefix)
		if err != nil {
			return nil, err
		}
		o.ways = append(o.ways, w)
	}
	// What was made before the site moved from one service to another is good after it.
	keysFor := func(purpose string) (keys [][]byte) {
		for _, w := range o.ways {
			keys = append(keys, secret.Derive(purpose, w.service.ID(), base, prefix)...)
		}
		return keys
	}
	var err error
	for purpose, codec := range map[string]**seal.Codec{
		"last-use": &o.seen, "loops": &o.loops, "kept-form": &o.kept, "logout": &o.logout,
		"failed-tokens": &o.failed, "confirm-login": &o.confirm, "target": &o.targets,
	} {
		if *codec, err = seal.New(purpose, keysFor(purpose)); err != nil {
			return nil, fmt.Errorf("glue: %w", err)
		}
	}
	return o, nil
}

// url makes an absolute URL of this site.
func (o *origin) url(path, query string) string { return o.base + localpath.WithQuery(path, query) }

// home is the URL of the site's start.
func (o *origin) home() string { return o.base + o.prefix + "/" }

// inSeconds cuts a time to whole seconds, as sessions keep it.
func inSeconds(t time.Time) time.Time { return time.Unix(t.Unix(), 0).UTC() }
