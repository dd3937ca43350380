package glue_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// attackWorld is the stage of one attack: sites as the world sees them (behind a front
// server that ends TLS, so each listens without), two people, and their login service.
//
//	soc      https://soc.example and https://alt.soc.example
//	soc2     a second machine of the same, which shares its OneUse
//	other    https://other.example, by the same people: same secret, same login service
//	below    https://soc.example/b, beside soc: same secret, same login service
//	foreign  https://soc.example again, same secret, but of another login service
//
// The words of a kind's or an attack's world change it:
//
//	http           soc is http://localhost:PORT
//	cookie domain  soc shares its session cookie with every host below soc.example
//	file store     all sites keep their sessions in the same files, and a cookie names them
//	inactivity     soc ends a session after 10 minutes without use
//	low exponent   the login service's key has the exponent 3
type attackWorld struct {
	t        *testing.T
	words    []string
	secret   string
	oneUse   webauth.OneUse
	store    func() sessions.Store
	now      func() time.Time
	fakes    map[string]*webauthtest.WLS // by server
	trusted  *trusted
	servers  map[string]*attackedSite
	people   map[string]*actor
	scripted bool          // the next answer of the login service is
	last     answer        // to the last request
	at       *attackedSite // who answered it
	since    int           // how many events there were before it
	event    *site.Event   // the last one of it, once that is known
}

type attackedSite struct {
	*testSite
	base, address string // its origin for browsers; where it listens
}

const (
	victimID   = "vic1"
	attackerID = "mal1"
)

func newAttackWorld(t *testing.T, words []string) *attackWorld {
	w := &attackWorld{
		t: t, words: words, secret: rand.Text() + rand.Text(),
		fakes: map[string]*webauthtest.WLS{}, servers: map[string]*attackedSite{}, people: map[string]*actor{},
	}
	key := wlsKey()
	if w.has("low exponent") {
		key = lowExponentKey()
	}
	soc := w.newService("https://wls.example", key)
	w.now = soc.Now
	for _, name := range []string{"soc", "soc2", "other", "below"} {
		w.fakes[name] = soc
	}
	w.fakes["foreign"] = w.newService("https://wls.other.example", foreignKey())
	w.trusted = &trusted{KeySource: soc.Service().Keys, more: map[string]keys.Key{}}
	soc.Advance(-time.Hour) // the site has been up for an hour
	w.store = sync.OnceValue(func() sessions.Store {
		return sessions.NewFilesystemStore(t.TempDir(), []byte(strings.Repeat("k", 32)))
	})
	w.oneUse = webauth.NewMemoryOneUse(0, w.now)
	soc.Advance(time.Hour)
	w.people["victim"] = &actor{world: w, id: victimID}
	w.people["attacker"] = &actor{world: w, id: attackerID}
	return w
}

func (w *attackWorld) has(word string) bool { return slices.Contains(w.words, word) }

func (w *attackWorld) newService(base string, key *rsa.PrivateKey) *webauthtest.WLS {
	fake, err := webauthtest.NewWLS(webauthtest.Config{
		BaseURL: base, Kid: "7", Key: key,
		Users: []webauthtest.User{
			{ID: victimID, Password: "test", Ptags: []string{"current"}},
			{ID: attackerID, Password: "test", Ptags: []string{"current"}},
			{ID: "old1", Password: "test"},
		},
	})
	require.NoError(w.t, err)
	w.t.Cleanup(fake.Close)
	fake.SetNow(testNow)
	return fake
}

// server gives one of the sites, which starts when it is first needed.
func (w *attackWorld) server(name string) *attackedSite {
	if s := w.servers[name]; s != nil {
		return s
	}
	require.NotNil(w.t, w.fakes[name], "there is no site %q", name)
	site := &attackedSite{}
	var auth *glue.Auth
	site.testSite = startSite(w.t, setup{
		fake: w.fakes[name],
		config: func(c *config) {
			c.Secret, c.Now = w.secret, w.now
			w.configure(name, c)
			origin, err := webauth.Origin(c.BaseURL)
			require.NoError(w.t, err)
			site.base = origin
		},
		routes: func(_ *http.ServeMux, a *glue.Auth) { auth = a },
		wrap:   func(http.Handler) http.Handler { return attackedHandler(auth) },
	})
	site.address = strings.Replace(strings.TrimPrefix(site.url, "http://"), "localhost", "127.0.0.1", 1)
	site.tls = strings.HasPrefix(site.base, "https:")
	site.hide(w.secret)
	w.servers[name] = site
	return site
}

func (w *attackWorld) configure(name string, c *config) {
	switch {
	case name == "other":
		c.BaseURL = "https://other.example"
	case name == "below":
		c.BaseURL, c.LogoutPath = "https://soc.example/b", "/b/logout"
	case !w.has("http"):
		c.BaseURL, c.Hosts = "https://soc.example", []string{"alt.soc.example"}
	}
	if w.has("file store") {
		c.Session.Store, c.SingleMachine = w.store(), true
	}
	if name != "soc" && name != "soc2" {
		return
	}
	c.wls(func(s *webauth.Service) { s.Keys = w.trusted })
	c.OneUse = w.oneUse
	if w.has("cookie domain") {
		c.InsecureCookieDomain = "soc.example"
	}
	if w.has("inactivity") {
		c.Session.Inactivity = 10 * time.Minute
	}
}

// attackedHandler routes without http.ServeMux, which would put strange paths right.
func attackedHandler(auth *glue.Auth) http.Handler {
	routes := map[string]http.Handler{
		"/login":    http.HandlerFunc(auth.Login),
		"/logout":   http.HandlerFunc(auth.Logout),
		"/optional": auth.Optional(echo),
		"/silent":   auth.With(func(p *glue.Policy) { p.Silent = true }).Optional(echo),
		"/strict":   auth.With(func(p *glue.Policy) { p.IAct = webauth.IActYes }).Require(echo),
		"/fresh":    auth.With(func(p *glue.Policy) { p.Fresh = 5 * time.Minute }).Require(echo),
		"/staff":    auth.With(func(p *glue.Policy) { p.Principals = []string{"spqr1"} }).Require(echo),
		"/card":     auth.With(func(p *glue.Policy) { p.AAuth = []string{"x-card"} }).Require(echo),
		"/either":   auth.With(func(p *glue.Policy) { p.AAuth = []string{"pwd", "x-card"} }).Require(echo),
		"/anyone":   auth.With(func(p *glue.Policy) { p.AnyPtags = true }).Require(echo),
		"/public":   echo,
	}
	private := auth.Require(echo)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := routes[r.URL.Path]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		private.ServeHTTP(w, r)
	})
}

// trusted are the keys of the login service and whatever its operators add.
type trusted struct {
	webauth.KeySource
	more map[string]keys.Key
}

func (k *trusted) Lookup(kid string) (keys.Key, bool) {
	if key, ok := k.more[kid]; ok {
		return key, true
	}
	return k.KeySource.Lookup(kid)
}

func (k *trusted) Keys() []keys.Key {
	return append(slices.Collect(maps.Values(k.more)), k.KeySource.Keys()...)
}

// foreignKey is that of the other login service.
var foreignKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err) // the system's random source never fails
	}
	return key
})

// seenBy tells whom the handler saw: a principal, "nobody", or empty if it did not run.
func seenBy(a answer) string {
	var e echoed
	switch {
	case a.Header.Get("Content-Type") != echoType || json.Unmarshal([]byte(a.Body), &e) != nil:
		return ""
	case !e.Known:
		return "nobody"
	}
	return e.Identity.Principal
}
