package wlsbridge

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/ratelimit"
	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Bridge is a web login service. It is made by [New], cannot be changed, and is safe for
// concurrent use.
type Bridge struct {
	cfg   Config // with defaults
	site  *site.Site
	sites []relyingSite
	keys  *keys.Set // the public halves
	guard *xsrf.Guard
	seals atomic.Pointer[seals] // replaced as a whole with the site's secret

	byAddress, byPerson *ratelimit.Gate
}

// seals are what is derived from the site's secret.
type seals struct{ asked, confirmed *seal.Codec }

// New returns a Bridge for cfg. The error of a configuration that is wrong is a
// [*site.ConfigError], with everything that is.
func New(cfg Config) (*Bridge, error) {
	if err := cfg.normalise().Err("wlsbridge: Config."); err != nil {
		return nil, err
	}
	b := &Bridge{
		cfg: cfg, site: cfg.Auth.Site(),
		byAddress: ratelimit.NewGate(addressTries, addressRest), byPerson: ratelimit.NewGate(personTries, personRest),
	}
	for i := range cfg.Sites {
		s, err := cfg.Sites[i].read()
		if err != nil {
			return nil, err // not reached: normalise has read it
		}
		b.sites = append(b.sites, s)
	}
	var public []keys.Key
	for _, k := range cfg.Keys {
		key, err := keys.New(k.Kid, &k.Private.PublicKey)
		if err != nil {
			return nil, err
		}
		public = append(public, key)
	}
	var err error
	if b.keys, err = keys.NewSet(public...); err != nil {
		return nil, err
	}
	if b.guard, err = xsrf.New(xsrf.Config{Site: b.site, Auth: cfg.Auth, MaxForm: maxForm}); err != nil {
		return nil, err
	}
	if err := b.site.OnSecret(b.derive); err != nil {
		return nil, err
	}
	return b, nil
}

// derive makes all that hangs on the site's secret.
func (b *Bridge) derive(secret *site.Secret) error {
	var s seals
	for purpose, codec := range map[string]**seal.Codec{"wlsbridge asked": &s.asked, "wlsbridge confirmed": &s.confirmed} {
		var err error
		if *codec, err = seal.New(purpose, secret.Derive(purpose, b.site.Origins()[0], b.cfg.Path)); err != nil {
			return err
		}
	}
	b.seals.Store(&s)
	return nil
}

// Service returns the login service as sites configure it.
func (b *Bridge) Service(name string) webauth.Service {
	origin := b.site.Origins()[0]
	return webauth.Service{Name: name, AuthURL: origin + b.cfg.Path, LogoutURL: origin + b.cfg.LogoutPath, Keys: b.keys}
}

// Handler serves the pages of the service: [Config.Path], [Config.LogoutPath], and the public
// keys. Mount it inside of [site.Site.Handler] and outside of [glue.Auth.Require]: it has
// people log in itself. Auth.Login is mounted beside it.
func (b *Bridge) Handler() http.Handler {
	authenticate := b.authenticate()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := b.site.Asked(r)
		switch asked {
		case b.cfg.Path:
			authenticate.ServeHTTP(w, r)
		case b.cfg.LogoutPath:
			b.logout(w, r)
		default:
			b.publicKey(w, r, asked)
		}
	})
}

// logout forgets what the person confirmed as well.
func (b *Bridge) logout(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		b.forget(w, r)
	}
	b.cfg.Auth.Logout(w, r)
}

// publicKey serves the keys as files, as mod_ucam_webauth and package keys read them.
func (b *Bridge) publicKey(w http.ResponseWriter, r *http.Request, asked string) {
	kid, found := strings.CutPrefix(asked, path.Join(path.Dir(b.cfg.Path), "pubkey"))
	key, known := b.keys.Lookup(kid)
	if !found || !known || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/x-pem-file")
	h.Set("Cache-Control", "public, max-age=300")
	block := pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key.Public())}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(pem.EncodeToMemory(&block))))
}
