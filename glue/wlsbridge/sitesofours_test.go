package wlsbridge_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// ourSite is a site of package glue that has people log in by the bridge.
type ourSite struct {
	url     string
	handler atomic.Pointer[http.Handler]
}

func newOurSite(t *testing.T) *ourSite {
	s := &ourSite{}
	s.url = webauthtest.Site(t, func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) })
	}).URL
	return s
}

// logInBy makes the site: each page says who is there.
func (s *ourSite) logInBy(t *testing.T, service webauth.Service, now func() time.Time) {
	t.Helper()
	home, err := site.New(site.Config{BaseURL: s.url, Secret: rand.Text() + rand.Text(), Now: now, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	auth, err := glue.New(glue.Config{Site: home, Service: service, LoginPath: "/login"})
	require.NoError(t, err)
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		fmt.Fprintf(w, "%s %q auth %q sso %q", id.Principal, id.Ptags, id.Auth, id.SSO)
	})
	mux := http.NewServeMux()
	mux.Handle("/private/", auth.Require(page))
	mux.Handle("/fresh/", auth.With(func(p *glue.Policy) { p.Fresh = time.Minute }).Require(page))
	mux.Handle("/optional/", auth.With(func(p *glue.Policy) { p.Silent = true }).Optional(page))
	mux.Handle("/card/", auth.With(func(p *glue.Policy) { p.AAuth = []string{"x-card"} }).Require(page))
	mux.Handle("/fail/", auth.With(func(p *glue.Policy) { p.AAuth, p.Fail = []string{"x-card"}, true }).Require(page))
	mux.HandleFunc("/login", auth.Login)
	h := home.Handler(mux)
	s.handler.Store(&h)
}

// twoSites starts a bridge with two sites of ours. The second may be told no ptags.
func twoSites(t *testing.T, su setup) (w *world, one, two *ourSite) {
	t.Helper()
	one, two = newOurSite(t), newOurSite(t)
	edit := su.config
	su.config = func(c *wlsbridge.Config) {
		c.Confirm = wlsbridge.ConfirmEachSite
		c.Sites = []wlsbridge.Site{{URLPrefix: one.url, Ptags: []string{"current"}}, {URLPrefix: two.url, Ptags: []string{"current"}}}
		if edit != nil {
			edit(c)
		}
	}
	w = start(t, su)
	one.logInBy(t, w.bridge.Service("bridge"), w.fake.Now)
	two.logInBy(t, w.bridge.Service("bridge"), w.fake.Now)
	return w, one, two
}

// everywhere is somebody at a browser that goes wherever it is sent.
func (w *world) everywhere(user string) *person { return &person{w, w.fake.Client(user)} }

func TestTwoSitesAndOneLogin(t *testing.T) {
	w, one, two := twoSites(t, setup{})
	p := w.everywhere("test0001")
	a := p.open(one.url + "/private/?q=caf%C3%A9&r=a+b")
	require.Equal(t, "bridge-confirm", a.kind())
	a = p.press(a, "continue")
	assert.Equal(t, `test0001 ["current"] auth "pwd" sso []`, a.body)
	assert.Equal(t, one.url+"/private/?q=caf%C3%A9&r=a+b", a.Request.URL.String())

	w.fake.Advance(time.Minute)
	a = p.press(p.open(two.url+"/private/"), "continue")
	assert.Equal(t, `test0001 ["current"] auth "" sso ["pwd"]`, a.body)
	assert.Equal(t, 1, w.typed(), "one password for both")

	w.fake.Advance(time.Minute)
	a = p.open(two.url + "/fresh/")
	assert.Equal(t, `test0001 ["current"] auth "pwd" sso []`, a.body)
	assert.Equal(t, 2, w.typed(), "typed for it")

	w.fake.Advance(2 * time.Hour)
	a = p.open(one.url + "/private/" + strings.Repeat("long/", 600))
	assert.Equal(t, `test0001 ["current"] auth "" sso ["pwd"]`, a.body, "all sessions had ended but for that of the service behind")
	assert.Equal(t, 2, w.typed())
}

func TestSilentSignInAtASite(t *testing.T) {
	w, one, two := twoSites(t, setup{config: func(c *wlsbridge.Config) { c.Confirm = wlsbridge.ConfirmFirst }})
	p := w.everywhere("test0001")
	p.open(one.url + "/optional/") // where silent sign-in begins with the second page
	assert.Equal(t, ` [] auth "" sso []`, p.open(one.url+"/optional/").body, "nobody is logged in anywhere")
	p.press(p.open(one.url+"/private/"), "continue")
	p.open(two.url + "/optional/")
	assert.Equal(t, `test0001 ["current"] auth "" sso ["pwd"]`, p.open(two.url+"/optional/").body)
	assert.Equal(t, 1, w.typed())
}

func TestWhatASiteOfOursMakesOfFailures(t *testing.T) {
	w, one, _ := twoSites(t, setup{})
	p := w.everywhere("test0001")
	a := p.press(p.open(one.url+"/private/?a=b"), "cancel")
	assert.Equal(t, "cancelled", a.kind())
	assert.True(t, strings.HasPrefix(a.Request.URL.String(), one.url))
	a = p.open(one.url + "/card/")
	assert.Equal(t, "declined", a.kind())
	assert.True(t, strings.HasPrefix(a.Request.URL.String(), one.url))
	a = p.open(one.url + "/fail/")
	assert.Equal(t, "bridge-failed", a.kind())
	assert.True(t, strings.HasPrefix(a.Request.URL.String(), w.url), "fail=yes")
	a = p.press(p.open(one.url+"/private/?a=b"), "continue")
	assert.Equal(t, `test0001 ["current"] auth "" sso ["pwd"]`, a.body)
}

// TestResponsesAreForOneSite: what one site got works at no other.
func TestResponsesAreForOneSite(t *testing.T) {
	w, one, two := twoSites(t, setup{config: func(c *wlsbridge.Config) { c.Confirm = wlsbridge.ConfirmNever }})
	p := w.person("test0001")
	a := p.open(one.url + "/private/") // stops when it would go back
	u, _ := p.response(a)
	require.Equal(t, one.url+"/private/", u.URL())
	back := a.Header.Get("Location")
	a = p.stop().open(strings.Replace(back, one.url, two.url, 1))
	assert.Equal(t, http.StatusForbidden, a.StatusCode)
	assert.Equal(t, "refused", a.kind())
}

// TestQuirksBehind: a service behind that has them logs people in all the same, and none of
// them gets through to a site.
func TestQuirksBehind(t *testing.T) {
	for _, quirk := range webauthtest.Quirks() {
		t.Run(string(quirk), func(t *testing.T) {
			w, one, _ := twoSites(t, setup{config: func(c *wlsbridge.Config) { c.Confirm = wlsbridge.ConfirmNever }})
			w.fake.Always(webauthtest.Outcome{Quirks: []webauthtest.Quirk{quirk}})
			p := w.person("test0001")
			a := p.visit(asks(func(r *wls.Request) { r.URL = one.url + "/private/?a=%41&b=&c=%20" }))
			r := p.success(a, "")
			assert.Equal(t, "test0001", r.Principal())
			assert.Equal(t, "pwd", r.Auth())
			assert.Empty(t, r.SSO())
			assert.Regexp(t, `^[A-Z2-7]{24}$`, r.ID())
			life, ok := r.Life()
			assert.True(t, ok && life >= time.Minute, "%v", life)
			assert.True(t, strings.HasPrefix(a.Header.Get("Location"), one.url+"/private/?a=%41&b=&c=%20&WLS-Response=3%21200"))
			assert.NotContains(t, a.Header.Get("Location"), "+")
			// Its failures are ours to report, in our own form.
			silent := w.person("test0001")
			u, location := silent.response(silent.visit(asks(no, func(r *wls.Request) { r.URL = one.url + "/x?y" })))
			assert.Equal(t, 540, u.Status())
			assert.Equal(t, 3, u.Version())
			assert.True(t, strings.HasPrefix(location, one.url+"/x?y&"), location)

			whole := w.everywhere("test0001")
			ptags := `["current"]`
			if quirk == webauthtest.QuirkNoPtags {
				ptags = `[]`
			}
			body := whole.open(one.url + "/private/x?a=b").body
			if quirk == webauthtest.QuirkNoPtags {
				assert.Contains(t, body, "current students and staff", "the site wants it, and nobody made it up")
				return
			}
			assert.True(t, strings.HasPrefix(body, "test0001 "+ptags), body)
		})
	}
}

// TestFaultsBehind: what a site of ours must refuse, the bridge refuses, and no site hears
// anything that the service behind did not vouch for.
func TestFaultsBehind(t *testing.T) {
	for _, fault := range webauthtest.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			w, one, _ := twoSites(t, setup{config: func(c *wlsbridge.Config) { c.Confirm = wlsbridge.ConfirmNever }})
			if fault == webauthtest.FaultReplay {
				w.fake.Next(webauthtest.Outcome{})
				w.person("test0002").visit(asks(func(r *wls.Request) { r.URL = one.url + "/private/" })) // whose is replayed
			}
			before := len(w.reasons("answered"))
			w.fake.Always(webauthtest.Outcome{Fault: fault, Delay: time.Millisecond})
			p := w.person("test0001")
			r, err := http.NewRequest(http.MethodGet, w.urlOf(asks(yes, func(r *wls.Request) { r.URL = one.url + "/private/" })), http.NoBody)
			require.NoError(t, err)
			resp, err := p.client.Do(r)
			if fault == webauthtest.FaultClosed {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			if fault == webauthtest.FaultSlow {
				assert.Contains(t, resp.Header.Get("Location"), "WLS-Response=3%21200", "slow is no fault")
				return
			}
			assert.Empty(t, resp.Header.Get("Location"))
			assert.Equal(t, fault != webauthtest.FaultCancel, resp.StatusCode >= 400, "to cancel is no error")
			assert.Len(t, w.reasons("answered"), before)
		})
	}
}
