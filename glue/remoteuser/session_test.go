package remoteuser_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// cookies are what the browser holds for the site, by the start of their names.
func (br *browser) cookies() map[string]*http.Cookie {
	u, err := url.Parse(br.b.url)
	require.NoError(br.b.t, err)
	all := map[string]*http.Cookie{}
	for _, c := range br.client.Jar.Cookies(u) {
		name, _, _ := strings.Cut(strings.TrimPrefix(c.Name, "password-"), "-")
		all[name] = c
	}
	return all
}

// with asks with just these cookies.
func (b *backend) with(cookies ...*http.Cookie) answer {
	b.t.Helper()
	br := b.browser()
	return br.do(http.MethodGet, "/optional", nil, func(r *http.Request) {
		for _, c := range cookies {
			r.AddCookie(c)
		}
	})
}

func TestSessionEnds(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { withForm(newSecret())(c); c.Form.MaxLife = time.Hour }})
	br := b.browser()
	br.login("ada", "correct horse")
	b.advance(time.Hour - time.Second)
	assert.True(t, br.get("/optional").seen.Known)
	b.advance(time.Second)
	assert.False(t, br.get("/optional").seen.Known)
	assert.Equal(t, http.StatusSeeOther, br.get("/").StatusCode)
	br.login("ada", "correct horse")
	assert.True(t, br.get("/optional").seen.Known)
}

func TestSessionIsOfOneBrowserAndSite(t *testing.T) {
	secret := newSecret()
	b := newBackend(t, setup{config: withForm(secret)})
	br := b.browser()
	br.login("ada", "correct horse")
	mine := br.cookies()
	other := b.browser()
	other.get("/login")
	theirs := other.cookies()
	require.True(t, b.with(mine["session"], mine["browser"]).seen.Known)

	altered := *mine["session"]
	middle, letter := len(altered.Value)/2, "A"
	if altered.Value[middle] == 'A' {
		letter = "B"
	}
	altered.Value = altered.Value[:middle] + letter + altered.Value[middle+1:]
	asBrowser := *mine["session"]
	asBrowser.Name = mine["browser"].Name
	twice := *mine["session"]
	twice.Value = "x"
	for name, cookies := range map[string][]*http.Cookie{
		"without the browser's secret":    {mine["session"]},
		"beside another browser's secret": {mine["session"], theirs["browser"]},
		"beside two secrets":              {mine["session"], mine["browser"], theirs["browser"]},
		"a session that comes twice":      {mine["session"], &twice, mine["browser"]},
		"altered":                         {&altered, mine["browser"]},
		"the session as the secret":       {mine["session"], &asBrowser},
		"the secret alone":                {mine["browser"]},
	} {
		t.Run(name, func(t *testing.T) { assert.False(t, b.with(cookies...).seen.Known) })
	}

	// A token of the form is no session, though it is sealed with the same secret.
	fresh := b.browser()
	token := *mine["session"]
	token.Value = fresh.fill("/login", "x", "x").Get("token")
	assert.False(t, b.with(&token, fresh.cookies()["browser"]).seen.Known)

	// Another origin of the same secret, and the same origin with another.
	for name, config := range map[string]func(c *config){
		"another origin": withForm(secret), "another secret": withForm(newSecret()),
	} {
		t.Run(name, func(t *testing.T) {
			there := newBackend(t, setup{config: config})
			thereBr := there.browser()
			thereBr.login("ada", "correct horse")
			names := thereBr.cookies()
			session, browser := *mine["session"], *mine["browser"]
			session.Name, browser.Name = names["session"].Name, names["browser"].Name
			assert.False(t, there.with(&session, &browser).seen.Known)
			assert.True(t, there.with(names["session"], names["browser"]).seen.Known)
		})
	}
}

func TestShorterLifeCountsAtOnce(t *testing.T) {
	secret := newSecret()
	b := newBackend(t, setup{config: withForm(secret)})
	br := b.browser()
	br.login("ada", "correct horse")
	cfg := config{Config: remoteuser.Config{UnixSocket: true}, Site: site.Config{BaseURL: b.url, Now: b.clock}}
	withForm(secret)(&cfg)
	cfg.Form.MaxLife = time.Minute
	shorter, _ := cfg.build(t)
	b.server.Config.Handler = shorter.Optional(http.HandlerFunc(echo))
	assert.True(t, br.get("/optional").seen.Known)
	b.advance(time.Minute)
	assert.False(t, br.get("/optional").seen.Known)
}

// A new secret ends the sessions of lines that it does not have any more.
func TestSessionWhenTheSecretIsReplaced(t *testing.T) {
	old, fresh := newSecret(), newSecret()
	cfg := config{Config: remoteuser.Config{UnixSocket: true}, Site: site.Config{BaseURL: "https://soc.example"}}
	withForm(old)(&cfg)
	_, form := cfg.build(t)
	ask := func(method string, body url.Values, cookies ...*http.Cookie) *http.Request {
		r := httptest.NewRequest(method, "https://soc.example/login", strings.NewReader(body.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		return r
	}
	w := httptest.NewRecorder()
	form.Login(w, ask(http.MethodGet, nil))
	sent := url.Values{"name": {"ada"}, "password": {"correct horse"}}
	for _, m := range hiddenText.FindAllStringSubmatch(w.Body.String(), -1) {
		sent.Set(m[1], unescape(m[2]))
	}
	cookies := w.Result().Cookies()
	for _, step := range []struct {
		name, secret string
		form, known  bool
	}{
		{"beside the old line", fresh + "\n" + old, true, true},
		{"without it, for a form of the old line and a session of the new one", fresh, false, true},
		{"another", newSecret(), false, false},
	} {
		secret, err := site.ParseSecret(step.secret)
		require.NoError(t, err)
		require.NoError(t, cfg.Config.Site.SetSecret(secret))
		w = httptest.NewRecorder()
		form.Login(w, ask(http.MethodPost, sent, cookies[0]))
		assert.Equal(t, step.form, w.Code == http.StatusSeeOther, step.name)
		if step.form {
			cookies = append(cookies, w.Result().Cookies()...)
		}
		_, known := form.Session(ask(http.MethodGet, nil, cookies...))
		assert.Equal(t, step.known, known, step.name)
	}
}

func TestLogout(t *testing.T) {
	b := newForm(t)
	br := b.browser()
	br.login("ada", "correct horse")
	mine := br.cookies()

	a := br.get("/logout")
	assert.Equal(t, "logout", a.kind())
	assert.Contains(t, a.body, "<strong>ada</strong>")
	assert.True(t, br.get("/optional").seen.Known, "looking at the page ends nothing")
	a = br.do(http.MethodPost, "/logout", nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	assert.Equal(t, "logout", a.kind())
	assert.True(t, br.get("/optional").seen.Known, "another site's page ends nothing")

	a = br.do(http.MethodPost, "/logout", nil, nil)
	assert.Equal(t, "logged-out", a.kind())
	assert.Equal(t, `"cache"`, a.Header.Get("Clear-Site-Data"))
	assert.False(t, br.get("/optional").seen.Known)
	assert.Contains(t, b.reasons(), "logout")
	assert.NotContains(t, br.cookies(), "session")

	// A copy that was kept does not fit the browser any more.
	assert.False(t, b.with(mine["session"], br.cookies()["browser"]).seen.Known)
}

// Old browsers do not say where a form comes from; the one on our page proves it.
func TestLogoutByAnOldBrowser(t *testing.T) {
	b := newForm(t)
	br := b.browser()
	br.login("ada", "correct horse")
	br.old = true
	assert.Equal(t, "logout", br.do(http.MethodPost, "/logout", url.Values{}, nil).kind())
	assert.Equal(t, "logout", br.do(http.MethodPost, "/logout", url.Values{"token": {"x"}}, nil).kind())
	assert.True(t, br.get("/optional").seen.Known)
	m := hiddenText.FindStringSubmatch(br.get("/logout").body)
	require.NotNil(t, m)
	assert.Equal(t, "logged-out", br.do(http.MethodPost, "/logout", url.Values{m[1]: {unescape(m[2])}}, nil).kind())
	assert.False(t, br.get("/optional").seen.Known)
	assert.Equal(t, "not-logged-in", b.browser().do(http.MethodPost, "/logout", nil, nil).kind(), "nobody logs out as well")
}

// Who is turned away by Lookup can log out and come back as somebody else.
func TestTurnedAwayWithASession(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) {
		withForm(newSecret())(c)
		c.Lookup = lookupNobody
	}})
	br := b.browser()
	br.login("ada", "correct horse")
	a := br.get("/")
	assert.Equal(t, "unknown-user", a.kind())
	assert.Contains(t, a.body, b.url+"/logout")
}

// Sites whose cookies have the same names, with one secret: a session of one is nothing
// at the other, and neither is a form.
func TestSessionOfAnotherOrigin(t *testing.T) {
	secret := newSecret()
	var cookies []*http.Cookie
	visit := func(origin, method, path string, body url.Values) *httptest.ResponseRecorder {
		cfg := config{Config: remoteuser.Config{UnixSocket: true}, Site: site.Config{BaseURL: origin}}
		withForm(secret)(&cfg)
		people, form := cfg.build(t)
		r := httptest.NewRequest(method, origin+path, strings.NewReader(body.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		mux := http.NewServeMux()
		mux.HandleFunc("/login", form.Login)
		mux.Handle("/", people.Optional(http.HandlerFunc(echo)))
		mux.ServeHTTP(w, r)
		cookies = append(cookies, w.Result().Cookies()...)
		return w
	}
	form := url.Values{"name": {"ada"}, "password": {"correct horse"}}
	for _, m := range hiddenText.FindAllStringSubmatch(visit("https://a.example", http.MethodGet, "/login", nil).Body.String(), -1) {
		form.Set(m[1], unescape(m[2]))
	}
	assert.Equal(t, http.StatusForbidden, visit("https://b.example", http.MethodPost, "/login", form).Code)
	require.Equal(t, http.StatusSeeOther, visit("https://a.example", http.MethodPost, "/login", form).Code)
	require.Len(t, cookies, 2)
	assert.Contains(t, visit("https://a.example", http.MethodGet, "/", nil).Body.String(), `"Known":true`)
	assert.Contains(t, visit("https://b.example", http.MethodGet, "/", nil).Body.String(), `"Known":false`)
}

// A cookie that somebody else put there is no secret: the browser gets one.
func TestWeakBrowserSecret(t *testing.T) {
	b := newForm(t)
	name := b.browser().get("/login").Cookies()[0].Name
	for _, value := range []string{"x", "", strings.Repeat("A", 23)} {
		a := b.browser().do(http.MethodGet, "/login", nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) })
		require.Len(t, a.Cookies(), 1)
		assert.NotEqual(t, value, a.Cookies()[0].Value)
	}
}
