package oidclogin_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	gluesite "github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

type atGlue struct {
	t        *testing.T
	fake     *oidctest.Provider
	provider *oidclogin.Provider
	down     bool
	auth     *glue.Auth
	site     *gluesite.Site
	h        http.Handler
	jar      *cookiejar.Jar
	mu       sync.Mutex
	events   []gluesite.Event
}

func (a *atGlue) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.down {
		return nil, fmt.Errorf("down")
	}
	rec := httptest.NewRecorder()
	a.fake.ServeHTTP(rec, r)
	return rec.Result(), nil
}

func newAtGlue(t *testing.T, edit func(a *atGlue, c *glue.Config)) *atGlue {
	a := &atGlue{t: t}
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var err error
	a.fake, err = oidctest.NewProvider(oidctest.Config{BaseURL: "https://idp.example", Now: func() time.Time { return start }})
	require.NoError(t, err)
	a.jar, _ = cookiejar.New(nil)
	a.provider = &oidclogin.Provider{Name: "first", Issuer: "https://idp.example", ClientID: oidctest.ClientID, ClientSecretFile: a.fake.SecretFile(t), Transport: a}
	a.site, err = gluesite.New(gluesite.Config{
		BaseURL: "https://localhost:8443", Hosts: []string{"localhost:9443"}, Secret: rand.Text() + rand.Text(), Now: a.fake.Now,
		Logger: slog.New(slog.DiscardHandler), OnEvent: func(_ context.Context, e gluesite.Event) { a.mu.Lock(); a.events = append(a.events, e); a.mu.Unlock() },
	})
	require.NoError(t, err)
	cfg := glue.Config{Site: a.site, Service: a.provider, LoginPath: "/login", LogoutPath: "/logout", Policy: glue.Policy{AnyPtags: true}}
	if edit != nil {
		edit(a, &cfg)
	}
	a.auth, err = glue.New(cfg)
	require.NoError(t, err)
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, ok := glue.IdentityFrom(r.Context())
		fmt.Fprintf(w, "app %v %s", ok, id.Principal)
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/login", a.auth.Login)
	mux.HandleFunc("/logout", a.auth.Logout)
	mux.HandleFunc("/back", a.auth.BackChannelLogout)
	mux.Handle("/private/", a.auth.Require(app))
	mux.Handle("/loose/", a.auth.With(func(p *glue.Policy) { p.Fresh = 0; p.IAct = "" }).Require(app))
	mux.Handle("/public/", a.auth.With(func(p *glue.Policy) { p.Silent = true }).Optional(app))
	a.h = a.site.Handler(mux)
	a.fake.Advance(2 * time.Second)
	return a
}

func (a *atGlue) get(raw string, edits ...func(*http.Request)) *http.Response {
	a.t.Helper()
	r := httptest.NewRequest(http.MethodGet, raw, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Site", "none")
	r.Header.Set("Accept", "text/html")
	u, _ := url.Parse(raw)
	for _, c := range a.jar.Cookies(u) {
		r.AddCookie(c)
	}
	for _, e := range edits {
		e(r)
	}
	rec := httptest.NewRecorder()
	a.h.ServeHTTP(rec, r)
	resp := rec.Result()
	a.jar.SetCookies(u, resp.Cookies())
	return resp
}

func body(resp *http.Response) string {
	b := new(strings.Builder)
	buf := make([]byte, 1<<16)
	for {
		n, err := resp.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

func (a *atGlue) respond(loc, user string, doing ...oidctest.Person) string {
	a.t.Helper()
	back, err := a.fake.Respond(loc, user, doing...)
	require.NoError(a.t, err)
	return back
}

func (a *atGlue) logIn(page string, doing ...oidctest.Person) {
	a.t.Helper()
	loc := a.get(page).Header.Get("Location")
	resp := a.get(a.respond(loc, "test0001", doing...))
	require.Equal(a.t, page, resp.Header.Get("Location"), body(resp))
	require.Equal(a.t, 200, a.get(page).StatusCode)
}

func withRedis(t *testing.T) func(*atGlue, *glue.Config) {
	return func(a *atGlue, c *glue.Config) {
		mini := miniredis.RunT(t)
		mini.SetTime(a.fake.Now())
		store, err := redisstore.New(redisstore.Config{URL: "redis://" + mini.Addr(), Site: "soc", Now: a.fake.Now, Timeout: 10 * time.Second, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		c.Session.Store, c.SingleMachine = store, true
	}
}

func (a *atGlue) backChannel(origin string, token string) int {
	r := httptest.NewRequest(http.MethodPost, origin+"/back", strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	a.h.ServeHTTP(rec, r)
	return rec.Code
}

// 1. The provider tells a client once; the person's session at the site's other origin lives on.
func TestBackChannelOtherOrigin(t *testing.T) {
	a := newAtGlue(t, withRedis(t))
	a.logIn("https://localhost:9443/private/")
	a.fake.Advance(5 * time.Second)
	require.Equal(t, 200, a.backChannel("https://localhost:8443", a.fake.LogoutToken(oidctest.ClientID, "test0001")))
	t.Log(a.events[len(a.events)-1].Reason)
	assert.NotEqual(t, 200, a.get("https://localhost:9443/private/").StatusCode, "still logged in")
}

// 2. Two tabs, the second by another session at the provider: logging out there misses the one here.
func TestCoversOtherProviderSession(t *testing.T) {
	a := newAtGlue(t, withRedis(t))
	one := a.get("https://localhost:8443/private/").Header.Get("Location")
	two := a.get("https://localhost:8443/private/").Header.Get("Location")
	a.get(a.respond(one, "test0001", oidctest.SignedOn))
	a.fake.Advance(2 * time.Second)
	a.get(a.respond(two, "test0001", oidctest.SignedOn))
	require.Equal(t, 200, a.get("https://localhost:8443/private/").StatusCode)
	a.fake.Advance(5 * time.Second)
	require.Equal(t, 200, a.backChannel("https://localhost:8443", a.fake.LogoutToken(oidctest.ClientID, "test0001"))) // of the newest
	assert.NotEqual(t, 200, a.get("https://localhost:8443/private/").StatusCode, "still logged in")
}

// 3. A public page with silent sign-in and a policy with AAuth.
func TestSilentAuthType(t *testing.T) {
	a := newAtGlue(t, func(_ *atGlue, c *glue.Config) { c.Policy.AAuth = []string{"mfa"} })
	page := "https://localhost:8443/public/"
	require.Equal(t, 200, a.get(page).StatusCode) // sets the secret
	loc := a.get(page).Header.Get("Location")
	require.NotEmpty(t, loc)
	a.fake.AddUser(oidctest.User{ID: "test0001", AMR: []string{"pwd"}})
	// acr as the provider has it
	resp := a.get(a.respond(loc, "test0001", oidctest.SignedOn))
	assert.Equal(t, page, resp.Header.Get("Location"), "%d %s", resp.StatusCode, title(resp))
}

// 4. A refused answer (no navigation) at a site with two providers leaves the state good.
func TestSpendTwoProviders(t *testing.T) {
	a := newAtGlue(t, func(a *atGlue, c *glue.Config) {
		second := &oidclogin.Provider{Name: "old", Issuer: "https://idp.example", ClientID: oidctest.ClientID, ClientSecretFile: a.fake.SecretFile(t), Transport: a}
		c.Service, c.Also = second, []webauth.LoginService{a.provider}
		c.ChooseService = true
	})
	b := body(a.get("https://localhost:8443/private/"))
	var loc string
	for _, part := range strings.Split(b, `href="`)[1:] {
		if h, _, _ := strings.Cut(part, `"`); strings.HasPrefix(h, "https://idp.example/authorize") {
			loc = strings.ReplaceAll(h, "&amp;", "&") // the last is Also's
		}
	}
	first, again := a.respond(loc, "test0001"), a.respond(loc, "test0001")
	resp := a.get(first, func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Mode", "cors")
		r.Header.Set("Sec-Fetch-Dest", "empty")
		r.Header.Set("Accept", "*/*")
	})
	require.Equal(t, 401, resp.StatusCode)
	resp = a.get(again)
	assert.NotEqual(t, "https://localhost:8443/private/", resp.Header.Get("Location"), "the state was used before")
}

// 4b. The same with two origins.
func TestSpendTwoOrigins(t *testing.T) {
	good := 0
	for range 20 {
		a := newAtGlue(t, nil)
		loc := a.get("https://localhost:8443/private/").Header.Get("Location")
		first, again := a.respond(loc, "test0001"), a.respond(loc, "test0001")
		a.get(first, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Mode", "cors")
			r.Header.Set("Sec-Fetch-Dest", "empty")
			r.Header.Set("Accept", "*/*")
		})
		if a.get(again).Header.Get("Location") == "https://localhost:8443/private/" {
			good++
		}
	}
	assert.Zero(t, good, "of 20 states that were used")
}

// 5. Confirm and a long target.
func TestConfirmLongTarget(t *testing.T) {
	for name, page := range map[string]string{"short": "https://localhost:8443/private/?q=1", "long": "https://localhost:8443/private/?q=" + rand.Text() + strings.Repeat(rand.Text(), 60)} {
		t.Run(name, func(t *testing.T) {
			a := newAtGlue(t, nil)
			loc := a.get(page).Header.Get("Location")
			require.NotEmpty(t, loc)
			resp := a.get(a.respond(loc, "", oidctest.Cancels))
			require.Equal(t, 200, resp.StatusCode)
			resp = a.get(a.respond(loc, "test0001"))
			require.Equal(t, 200, resp.StatusCode)
			b := body(resp)
			i := strings.Index(b, "wls-confirm=")
			require.Positive(t, i, b)
			start := strings.LastIndex(b[:i], `"`) + 1
			href, _, _ := strings.Cut(b[start:], `"`)
			resp = a.get(strings.ReplaceAll(href, "&amp;", "&"))
			assert.Equal(t, page, resp.Header.Get("Location"), "%d %s", resp.StatusCode, title(resp))
		})
	}
}

// 6. The back button where LoginPath's policy is stricter than the page's.
func TestBackStricter(t *testing.T) {
	a := newAtGlue(t, func(_ *atGlue, c *glue.Config) { c.Policy.Fresh = 5 * time.Minute })
	page := "https://localhost:8443/loose/"
	loc := a.get(page).Header.Get("Location")
	back := a.respond(loc, "test0001", oidctest.SignedOn)
	require.Equal(t, page, a.get(back).Header.Get("Location"))
	require.Equal(t, 200, a.get(page).StatusCode)
	resp := a.get(back)
	assert.Equal(t, page, resp.Header.Get("Location"), "%d %s", resp.StatusCode, title(resp))
}

// 7. Silent sign-in while the provider is down: who hears of it?
func TestSilentDown(t *testing.T) {
	a := newAtGlue(t, nil)
	a.down = true
	page := "https://localhost:8443/public/"
	require.Equal(t, 200, a.get(page).StatusCode)
	require.Equal(t, 200, a.get(page).StatusCode)
	t.Log(a.events)
	assert.NotEmpty(t, a.events)
}

// 8. Choosing: the parked targets.
func TestChooseParks(t *testing.T) {
	a := newAtGlue(t, func(a *atGlue, c *glue.Config) {
		second := &oidclogin.Provider{Name: "second", Issuer: "https://idp.example", ClientID: oidctest.ClientID, ClientSecretFile: a.fake.SecretFile(t), Transport: a}
		c.Also, c.ChooseService = []webauth.LoginService{second}, true
	})
	for i := range 8 { // pages
		page := "https://localhost:8443/private/?q=" + rand.Text() + random(60)
		require.Equal(t, 200, a.get(page).StatusCode)
		u, _ := url.Parse("https://localhost:8443/login")
		total, n := 0, 0
		for _, c := range a.jar.Cookies(u) {
			total += len(c.Name) + len(c.Value)
			if strings.Contains(c.Name, "target") {
				n++
			}
		}
		t.Log(i, n, total)
		if i == 7 {
			assert.LessOrEqual(t, n, 5, "four, and which")
		}
	}
}

// 10. An answer at another origin of the site leaves its state good.
func TestSpendElsewhere(t *testing.T) {
	a := newAtGlue(t, nil)
	loc := a.get("https://localhost:8443/private/").Header.Get("Location")
	first, again := a.respond(loc, "test0001"), a.respond(loc, "test0001")
	require.Equal(t, 403, a.get(strings.Replace(first, "8443", "9443", 1)).StatusCode)
	assert.NotEqual(t, "https://localhost:8443/private/", a.get(again).Header.Get("Location"), "the state was used before")
}

// 11. A logout token of a provider that cannot be asked just now is one to send again.
func TestLogoutOfAProviderThatIsDown(t *testing.T) {
	edit := withRedis(t)
	a := newAtGlue(t, func(a *atGlue, c *glue.Config) {
		edit(a, c)
		other := oidctest.New(t)
		c.Also = []webauth.LoginService{&oidclogin.Provider{Name: "other", Issuer: other.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: other.SecretFile(t)}}
	})
	a.down = true
	assert.Equal(t, 503, a.backChannel("https://localhost:8443", a.fake.LogoutToken(oidctest.ClientID, "test0001")))
}

func random(n int) (s string) {
	for range n {
		s += rand.Text()
	}
	return s
}

func TestAtOnce(t *testing.T) {
	a := newAtGlue(t, nil)
	page := "https://localhost:8443/private/"
	loc := a.get(page).Header.Get("Location")
	back := a.respond(loc, "test0001")
	u, _ := url.Parse(back)
	cookies := a.jar.Cookies(u)
	var wg sync.WaitGroup
	got := make([]string, 16)
	for i := range got {
		wg.Go(func() {
			r := httptest.NewRequest(http.MethodGet, back, nil)
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
			for _, c := range cookies {
				r.AddCookie(c)
			}
			rec := httptest.NewRecorder()
			a.h.ServeHTTP(rec, r)
			got[i] = rec.Header().Get("Location")
		})
	}
	wg.Wait()
	n := 0
	for _, g := range got {
		if g == page {
			n++
		}
	}
	assert.Equal(t, 1, n)
}

func title(resp *http.Response) string {
	_, rest, _ := strings.Cut(body(resp), "<h1>")
	head, _, _ := strings.Cut(rest, "</h1>")
	return head
}
