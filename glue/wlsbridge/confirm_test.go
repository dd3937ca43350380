package wlsbridge_test

import (
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

func eachSite(c *wlsbridge.Config) { c.Confirm = wlsbridge.ConfirmEachSite }

func other(r *wls.Request) { r.URL = "https://other.example:8443/app/" }

func TestConfirmPage(t *testing.T) {
	w := start(t, setup{config: func(c *wlsbridge.Config) {
		c.Confirm, c.Sites[0].Name = wlsbridge.ConfirmEachSite, `The "Society" <b>`
	}})
	p := w.person("test0001")
	a := p.visit(asks(func(r *wls.Request) {
		r.Desc, r.Msg = `Caf&eacute; &lt;script&gt; </bdi><b>x</b> &#x202e;evil &#8203;`, `<form action="https://evil.example/">`
	}))
	assert.Equal(t, "bridge-confirm", a.kind())
	assert.Equal(t, http.StatusOK, a.StatusCode)
	for _, want := range []string{
		`<strong><bdi>soc.example</bdi></strong> (<bdi>The &#34;Society&#34; &lt;b&gt;</bdi>) asks who you are.`,
		`<strong><bdi>test0001</bdi></strong>, and that you are a current student or member of staff.`,
		`In the site’s own words, which nobody here has checked:`,
		`<p><bdi>Café &lt;script&gt; &lt;/bdi&gt;&lt;b&gt;x&lt;/b&gt;  evil</bdi></p><p><bdi>&lt;form action=&#34;https://evil.example/&#34;&gt;</bdi></p>`,
	} {
		assert.Contains(t, a.body, want)
	}
	assert.Equal(t, 1, strings.Count(a.body, "<form"))
	assert.Contains(t, a.body, `href="`+w.url+`/auth/logout.html">Not you? Log out</a>`)
	assert.NotContains(t, a.body, "\u202e")
	csp := a.Header.Get("Content-Security-Policy")
	assert.Contains(t, csp, "default-src 'none'")
	assert.Contains(t, csp, "frame-ancestors 'none'")
	assert.NotContains(t, csp, "form-action", "browsers apply it to the redirect to the site")
	assert.Equal(t, "DENY", a.Header.Get("X-Frame-Options"))
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	assert.Equal(t, "same-origin", a.Header.Get("Referrer-Policy"))

	r := p.success(p.press(a, "continue"), "")
	assert.Equal(t, "test0001", r.Principal())
	assert.Equal(t, "pwd", r.Auth(), "typed for this request, though the question came between")
}

func TestConfirmPageNamesTheRest(t *testing.T) {
	w := start(t, setup{config: func(c *wlsbridge.Config) {
		c.Sites = []wlsbridge.Site{{URLPrefix: "https://people.example:8443/~soc"}, {URLPrefix: "http://old.example", InsecureHTTP: true}}
		c.Confirm = wlsbridge.ConfirmEachSite
	}})
	p := w.person("test0001")
	a := p.visit(asks(func(r *wls.Request) { r.URL = "https://people.example:8443/~soc/x" }))
	assert.Contains(t, a.body, `<strong><bdi>people.example:8443</bdi></strong>/~soc/ asks`)
	assert.NotContains(t, a.body, "current student")
	assert.NotContains(t, a.body, "words", "it has none")
	assert.NotContains(t, a.body, "not encrypted")
	a = p.visit(asks(func(r *wls.Request) { r.URL = "http://old.example/" }))
	assert.Contains(t, a.body, `<strong><bdi>http://old.example</bdi></strong> asks`)
	assert.Contains(t, a.body, "not encrypted")
}

func TestWordsThatPileUpOrGoOn(t *testing.T) {
	w := start(t, setup{config: eachSite})
	p := w.person("test0001")
	a := p.visit(asks(func(r *wls.Request) {
		r.Desc, r.Msg = "a"+strings.Repeat("&#x0301;", 20)+"b", strings.Repeat("m", 2000)
	}))
	assert.Contains(t, a.body, "<bdi>ab</bdi>")
	assert.Contains(t, a.body, "<bdi>"+strings.Repeat("m", 300)+"…</bdi>")
}

// TestWhenPeopleAreAsked follows a person through a browser session.
func TestWhenPeopleAreAsked(t *testing.T) {
	type step struct {
		does  string // "soc", "other": visits it and continues; "logout", "restart": of the browser, "day": passes, "test0002": logs in
		asked bool
	}
	rows := []struct {
		name    string
		confirm wlsbridge.Confirm
		steps   []step
	}{
		{"each site", wlsbridge.ConfirmEachSite, []step{{"soc", true}, {"soc", false}, {"other", true}, {"soc", false}, {"other", false}}},
		{"first", wlsbridge.ConfirmFirst, []step{{"soc", true}, {"soc", false}, {"other", false}}},
		{"never", wlsbridge.ConfirmNever, []step{{"soc", false}, {"other", false}}},
		{"after a logout", wlsbridge.ConfirmEachSite, []step{{"soc", true}, {"logout", false}, {"soc", true}}},
		{"after a logout, the first", wlsbridge.ConfirmFirst, []step{{"soc", true}, {"logout", false}, {"other", true}}},
		{"after a day", wlsbridge.ConfirmEachSite, []step{{"soc", true}, {"day", false}, {"soc", true}}},
		{"in another browser", wlsbridge.ConfirmEachSite, []step{{"soc", true}, {"restart", false}, {"soc", true}}},
		{"somebody else", wlsbridge.ConfirmEachSite, []step{{"soc", true}, {"test0002", false}, {"soc", true}, {"soc", false}}},
		{"somebody else, the first", wlsbridge.ConfirmFirst, []step{{"soc", true}, {"test0002", false}, {"other", true}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setup{config: func(c *wlsbridge.Config) { c.Confirm = row.confirm }})
			p := w.person("test0001")
			for i, s := range row.steps {
				w.fake.Advance(time.Minute)
				switch s.does {
				case "logout":
					p.logOut()
					continue
				case "day":
					w.fake.Advance(24 * time.Hour)
					continue
				case "restart":
					p = w.person("test0001")
					continue
				case "test0002":
					next := w.person("test0002")
					next.client.Jar = p.client.Jar
					p = next
					p.dropCookie("wls-session")
					p.dropCookie("fakewls")
					continue
				}
				q := asks()
				if s.does == "other" {
					q = asks(other)
				}
				a := p.visit(q)
				require.Equal(t, s.asked, a.kind() == "bridge-confirm", "step %d: %s: %s", i, s.does, a.kind())
				if s.asked {
					a = p.press(a, "continue")
				}
				p.success(a, "")
			}
		})
	}
}

func (p *person) logOut() {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.url+"/auth/logout.html", http.NoBody)
	require.NoError(p.t, err)
	require.Equal(p.t, "logged-out", p.do(r).kind())
}

func (p *person) dropCookie(part string) {
	p.t.Helper()
	at := p.url
	if part == "fakewls" {
		at = p.fake.Service().AuthURL
	}
	c := cookieAt(p.t, p, at, part)
	p.client.Jar.SetCookies(mustParse(p.t, at), []*http.Cookie{{Name: c.Name, MaxAge: -1, Path: "/"}})
}

// TestForgedConsent: nothing but the button of the page that was shown, in that browser and for
// that request, tells a site anything.
func TestForgedConsent(t *testing.T) {
	rows := []struct {
		name string
		edit func(t *testing.T, p *person, form url.Values, r *http.Request)
		kind string // the page
	}{
		{"from another site", func(_ *testing.T, _ *person, _ url.Values, r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
		}, "cross-origin"},
		{"from another host of the university", func(_ *testing.T, _ *person, _ url.Values, r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-site")
			r.Header.Set("Origin", "https://evil.soc.example")
		}, "cross-origin"},
		{"from another site by an old browser", func(_ *testing.T, _ *person, _ url.Values, r *http.Request) {
			r.Header["Sec-Fetch-Mode"], r.Header["Sec-Fetch-Dest"], r.Header["Sec-Fetch-Site"] = nil, nil, nil
			r.Header.Set("Accept", "text/html")
			r.Header.Set("Origin", "https://evil.example")
		}, "cross-origin"},
		{"without a token", func(_ *testing.T, _ *person, form url.Values, _ *http.Request) { form.Del("xsrf-token") }, "bridge-confirm"},
		{"with another token", func(_ *testing.T, _ *person, form url.Values, _ *http.Request) {
			form.Set("xsrf-token", form.Get("xsrf-token")[:60]+"AAAAAAAAAAAAAAAAAA")
		}, "bridge-confirm"},
		{"with the token of another site's page", func(_ *testing.T, p *person, form url.Values, _ *http.Request) {
			form.Set("xsrf-token", p.token(p.visit(asks(other))))
		}, "bridge-confirm"},
		{"with the token of another page of the site", func(_ *testing.T, p *person, form url.Values, _ *http.Request) {
			form.Set("xsrf-token", p.token(p.visit(asks(func(r *wls.Request) { r.Params = "p-2" }))))
		}, "bridge-confirm"},
		{"with a token of another person", func(_ *testing.T, p *person, form url.Values, r *http.Request) {
			form.Set("xsrf-token", p.world.person("test0002").in(p.t).tokenAt(r.URL.String()))
		}, "bridge-confirm"},
		{"an hour later", func(_ *testing.T, p *person, _ url.Values, _ *http.Request) { p.fake.Advance(time.Hour + time.Second) }, "bridge-confirm"},
		{"with no decision", func(_ *testing.T, _ *person, form url.Values, _ *http.Request) { form.Del("decision") }, "bridge-request"},
		{"with another decision", func(_ *testing.T, _ *person, form url.Values, _ *http.Request) { form.Set("decision", "yes") }, "bridge-request"},
		{"with the decision in the address", func(_ *testing.T, _ *person, form url.Values, r *http.Request) {
			form.Del("decision")
			r.URL.RawQuery += "&decision=continue"
		}, "start"},
		{"for another url", func(t *testing.T, _ *person, _ url.Values, r *http.Request) {
			changed := strings.Replace(r.URL.RawQuery, "soc.example%2Fprivate", "soc.example%2Fother", 1)
			require.NotEqual(t, changed, r.URL.RawQuery)
			r.URL.RawQuery = changed
		}, "bridge-confirm"},
		{"for another site", func(t *testing.T, _ *person, _ url.Values, r *http.Request) {
			r.URL.RawQuery = asks(other).Encode()
		}, "bridge-confirm"},
		{"by a script", func(_ *testing.T, _ *person, _ url.Values, r *http.Request) {
			r.Header.Set("Sec-Fetch-Mode", "cors")
			r.Header.Set("Sec-Fetch-Dest", "empty")
		}, ""},
		{"in a frame", func(_ *testing.T, _ *person, _ url.Values, r *http.Request) {
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "iframe")
		}, ""},
		{"by nobody", func(_ *testing.T, p *person, _ url.Values, _ *http.Request) { p.dropCookie("wls-session") }, "start"},
		{"without a browser", func(_ *testing.T, p *person, _ url.Values, _ *http.Request) { p.client.Jar = nil }, "start"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setup{config: eachSite})
			p := w.person("test0001")
			p.open(w.url + "/login?next=/auth/pubkey700")
			page := p.visit(asks())
			require.Equal(t, "bridge-confirm", page.kind())
			r := p.form(page, "continue")
			form := url.Values{"decision": {"continue"}, "xsrf-token": {p.token(page)}}
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			row.edit(t, p, form, r)
			p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			post, err := http.NewRequest(http.MethodPost, r.URL.String(), strings.NewReader(form.Encode()))
			require.NoError(t, err)
			post.Header = r.Header
			a := p.do(post)
			if row.kind == "start" {
				assert.Equal(t, http.StatusSeeOther, a.StatusCode)
				assert.True(t, strings.HasPrefix(a.Header.Get("Location"), w.url+"/auth/authenticate.html?"), a.Header.Get("Location"))
				return
			}
			assert.Empty(t, a.Header.Get("Location"))
			assert.Equal(t, row.kind, a.kind())
			if row.kind != "bridge-confirm" { // which asks again
				assert.GreaterOrEqual(t, a.StatusCode, 400)
			}
			assert.Empty(t, w.reasons("answered"))
		})
	}
}

// TestConsentOfASessionThatEnded begins anew, and keeps no form.
func TestConsentOfASessionThatEnded(t *testing.T) {
	for name, q := range map[string]wls.Request{"as needed": asks(), "password": asks(yes)} {
		t.Run(name, func(t *testing.T) {
			w := start(t, setup{config: eachSite})
			p := w.person("test0001")
			page := p.visit(q)
			w.fake.Advance(2 * time.Hour)
			a := p.stop().do(p.form(page, "continue"))
			assert.Equal(t, w.urlOf(q), a.Header.Get("Location"))
		})
	}
}

// TestConsentAfterAReload: what the page asked is what the site gets, or nothing.
func TestConsentAfterAReload(t *testing.T) {
	var cfg wlsbridge.Config
	w := start(t, setup{config: func(c *wlsbridge.Config) {
		c.Confirm, c.Sites[0].InsecureImplyCurrent = wlsbridge.ConfirmEachSite, true
		cfg = *c
		cfg.Sites = slices.Clone(c.Sites)
	}})
	p := w.person("test0010")
	page := p.visit(asks(func(r *wls.Request) { r.Ver = 2 }))
	require.Equal(t, "bridge-confirm", page.kind())
	cfg.Sites[0].InsecureImplyCurrent = false
	var err error
	w.bridge, err = wlsbridge.New(cfg)
	require.NoError(t, err)
	r, _ := p.response(p.press(page, "continue"))
	assert.Equal(t, 570, r.Status())
}

// token returns the token of a page's form.
func (p *person) token(page answer) string {
	p.t.Helper()
	for _, h := range hidden.FindAllStringSubmatch(page.body, -1) {
		if h[1] == "xsrf-token" {
			return html.UnescapeString(h[2])
		}
	}
	require.Fail(p.t, "no token on the page", page.kind())
	return ""
}

func (p *person) tokenAt(target string) string { return p.token(p.open(target)) }

// TestTwoTabs: each tab answers the site that it is about, whichever is pressed first.
func TestTwoTabs(t *testing.T) {
	w := start(t, setup{config: eachSite})
	p := w.person("test0001")
	soc := p.visit(asks(yes))
	second := p.visit(asks(yes, other))
	third := p.visit(asks(func(r *wls.Request) { r.Params = "p-3" }))
	r := p.success(p.press(second, "continue"), webauth.IActYes)
	assert.Equal(t, "https://other.example:8443/app/", r.URL())
	assert.Empty(t, r.Ptags())
	r = p.success(p.press(third, "continue"), "")
	assert.Equal(t, "p-3", r.Params())
	// The session in which the first was asked is over: asked again, in the one that there is,
	// and the password of that was for the second.
	assert.Equal(t, 2, w.typed())
	again := p.press(soc, "continue")
	require.Equal(t, "bridge-confirm", again.kind())
	r = p.success(p.press(again, "continue"), webauth.IActYes)
	assert.Equal(t, socURL, r.URL())
	assert.Equal(t, 3, w.typed())
}

func TestCancelIsNotRemembered(t *testing.T) {
	w := start(t, setup{config: eachSite})
	p := w.person("test0001")
	a := p.press(p.visit(asks()), "cancel")
	r, _ := p.response(a)
	assert.Equal(t, 410, r.Status())
	assert.Equal(t, "bridge-confirm", p.visit(asks()).kind())
	assert.Equal(t, []string{""}, w.reasons("failed"))
}

// TestNothingBeforeConsent: a site that nobody has confirmed learns nothing by iact=no, not even
// that somebody is logged in who is no current member; and who is asked is told that versions
// without ptags say that they are one.
func TestNothingBeforeConsent(t *testing.T) {
	w := start(t, setup{config: func(c *wlsbridge.Config) {
		c.Confirm = wlsbridge.ConfirmEachSite
		c.Sites = append(c.Sites, wlsbridge.Site{URLPrefix: "https://third.example/"})
	}})
	w.fake.AddUser(webauthtest.User{ID: "guest1", Password: "test"})
	third := func(r *wls.Request) { r.URL, r.Ver = "https://third.example/", 1 }
	for _, user := range []string{"guest1", "test0001"} {
		p := w.person(user)
		p.press(p.visit(asks()), "continue")
		assert.Equal(t, "540", p.fields(p.visit(asks(no, third)))[1], user)
	}
	p := w.person("test0001")
	assert.Contains(t, p.visit(asks(third)).body, "that you are a current student or member of staff.")
}
