package main

import (
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// TestSite plays people at browsers of tests, once for each kind of login.
func TestSite(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(t *testing.T, p *quickstart)
	}{
		{"pages", hasPages},
		{"login link", hasLoginLink},
		{"identity", showsIdentity},
		{"fresh password", wantsFreshPassword},
		{"form", takesForm},
		{"kept form", keepsForm},
		{"kept form of somebody else", keepsFormFromOthers},
		{"cross-origin", refusesOtherSites},
		{"logout", endsSession},
		{"silent sign-in", signsInSilently},
	} {
		for _, login := range logins {
			t.Run(row.name+", "+login, func(t *testing.T) { row.test(t, start(t, "-login", login)) })
		}
	}
}

func hasPages(t *testing.T, p *quickstart) {
	for _, c := range []struct {
		user, path string
		status     int
		page       string
	}{
		{"", "/", 200, "front"},
		{"", "/optional", 200, "optional"},
		{"", "/private", 200, ""}, // the login service's
		{"", "/admin", 200, ""},
		{"", "/form", 200, ""},
		{"", "/nowhere", 404, "not-found"},
		{"", "/login?next=/optional", 200, ""},
		{"", "/login?next=//evil.example", 400, "next"},
		{"", "/logout", 200, "not-logged-in"},
		{"test0001", "/private", 200, "private"},
		{"test0001", "/admin", 200, "admin"},
		{"test0001", "/form", 200, "form"},
		{"test0001", "/login?next=/optional", 200, "optional"},
		{"test0001", "/login", 200, "front"},
		{"test0002", "/private", 200, "private"},
		{"test0002", "/admin", 403, "forbidden"},
		{"test0010", "/private", 403, "forbidden"},
		{"test0010", "/optional", 200, "optional"}, // as anybody
	} {
		t.Run(c.user+c.path, func(t *testing.T) {
			a := p.person(c.user).get(c.path)
			assert.Equal(t, c.page, a.Page(), a.Request.URL)
			assert.Equal(t, c.status, a.StatusCode)
			known := c.user != "" && c.status == 200 && c.path != "/optional"
			assert.Equal(t, known, a.Principal() != "", a.Body)
			if known {
				assert.Equal(t, c.user, a.Principal())
			}
			if c.page != "" && c.status == 200 && c.page != "not-logged-in" {
				checkHeaders(t, a, known)
			}
			if c.status == 403 {
				ref := demotest.Match(`<code>([A-Z2-7]+)</code>`, a.Body)
				assert.Regexp(t, "level=WARN .* principal="+c.user+" .*ref="+ref, p.Stderr.String())
			}
		})
	}
}

// The link to log in leads back to where it was.
func hasLoginLink(t *testing.T, p *quickstart) {
	who := p.person("test0001")
	next := demotest.Match(`<a href="(/login[^"]*)">Log in</a>`, who.get("/optional").Body)
	a := who.get(html.UnescapeString(next))
	requirePage(t, a, http.StatusOK, "optional", "test0001")
	assert.Equal(t, "/optional", a.Request.URL.RequestURI())
	assert.NotContains(t, a.Body, ">Log in<")
	assert.Contains(t, a.Body, `<a href="/logout">Log out</a>`)
}

// checkHeaders checks what a page of the quickstart says to the browser.
func checkHeaders(t *testing.T, a demotest.Answer, known bool) {
	t.Helper()
	assert.Equal(t, "text/html; charset=utf-8", a.Header.Get("Content-Type"))
	assert.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
	assert.Equal(t, "Cookie", a.Header.Get("Vary"))
	if known {
		assert.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"))
	}
}

func showsIdentity(t *testing.T, p *quickstart) {
	who := p.person("test0001")
	a := who.get("/private")
	assert.Contains(t, a.Body, `<dd id="ptags">current</dd>`)
	assert.Contains(t, a.Body, `<dd id="how">pwd, typed for this site</dd>`)
	assert.Contains(t, a.Body, `<dd id="expires"><time datetime="2026-03-01T14:00:00Z">1 March 2026, 14:00:00 UTC</time></dd>`)

	p.Advance(2 * time.Hour) // the session ends, single sign-on goes on
	a = who.get("/private")
	requirePage(t, a, http.StatusOK, "private", "test0001")
	assert.Contains(t, a.Body, `<dd id="how">single sign-on after pwd</dd>`)
	assert.Contains(t, a.Body, "not in this session")
}

func wantsFreshPassword(t *testing.T, p *quickstart) {
	who, nobody := p.person("test0001"), p.person("")
	nobody.client.Jar = who.client.Jar // the same browser, but nobody types a password
	requirePage(t, who.get("/admin"), http.StatusOK, "admin", "test0001")
	p.Advance(5 * time.Minute)
	requirePage(t, nobody.get("/admin"), http.StatusOK, "admin", "test0001")
	p.Advance(time.Second)
	assert.Contains(t, nobody.get("/admin").Body, "It wants you to type your password")
	requirePage(t, nobody.get("/private"), http.StatusOK, "private", "test0001")
	requirePage(t, who.get("/admin"), http.StatusOK, "admin", "test0001")
}

func takesForm(t *testing.T, p *quickstart) {
	who := p.person("test0001")
	who.get("/private")
	token := demotest.Match(`name="xsrf-token" value="([^"]+)"`, who.get("/form").Body)
	requirePage(t, who.post("/form", "note", "without a token"), http.StatusForbidden, "form-expired", "")
	requirePage(t, who.post("/form", "note", `<script>"&'`, "xsrf-token", token), http.StatusOK, "form", "test0001")
	requirePage(t, who.post("/form", "note", "", "xsrf-token", token), http.StatusOK, "form", "test0001")
	assert.Equal(t, []string{`<script>"&'`}, notes(who.get("/form")))
	assert.Empty(t, notes(p.person("test0002").get("/form")), "of somebody else")
	requirePage(t, who.post("/form", "note", strings.Repeat("x", 70<<10), "xsrf-token", token), http.StatusRequestEntityTooLarge, "form-too-large", "")
	assert.Len(t, notes(who.get("/form")), 1)
}

// notes are what the form page lists.
func notes(a demotest.Answer) (list []string) {
	_, rest, _ := strings.Cut(a.Body, `<ul id="notes">`)
	rest, _, _ = strings.Cut(rest, "</ul>")
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "<li>") {
			list = append(list, html.UnescapeString(demotest.Match(`<li>(.*)</li>`, line)))
		}
	}
	return list
}

func keepsForm(t *testing.T, p *quickstart) {
	who := p.person("test0001")
	token := demotest.Match(`name="xsrf-token" value="([^"]+)"`, who.get("/form").Body)
	p.Advance(3 * time.Hour)
	a := who.post("/form", "note", "kept", "xsrf-token", token)
	requirePage(t, a, http.StatusUnauthorized, "form-kept", "")
	kept := demotest.Match(`name="wls-kept" value="([^"]+)"`, a.Body)

	// Too early: nobody has logged in yet.
	requirePage(t, who.post("/form?wls-kept=1", "wls-kept", kept), http.StatusUnauthorized, "form-kept", "")
	requirePage(t, who.get("/form?wls-kept=1"), http.StatusOK, "go-back", "")
	requirePage(t, who.post("/form?wls-kept=1", "wls-kept", kept), http.StatusOK, "form", "test0001")
	assert.Equal(t, []string{"kept"}, notes(who.get("/form")))
	// Once.
	a = who.post("/form?wls-kept=1", "wls-kept", kept)
	requirePage(t, a, http.StatusForbidden, "form-gone", "")
	assert.Contains(t, a.Body, `href="`+p.url+`/"`, "to the front page, not to the kept form again")
	assert.Equal(t, []string{"kept"}, notes(who.get("/form")))
}

func keepsFormFromOthers(t *testing.T, p *quickstart) {
	who, other := p.person("test0001"), p.person("test0002")
	other.client.Jar = who.client.Jar // at the same browser
	who.get("/form")
	p.Advance(11 * time.Hour) // single sign-on has ended, too
	kept := demotest.Match(`name="wls-kept" value="([^"]+)"`, who.post("/form", "note", "mine").Body)
	require.NotEmpty(t, kept)
	requirePage(t, other.get("/form?wls-kept=1"), http.StatusOK, "go-back", "")
	requirePage(t, other.post("/form?wls-kept=1", "wls-kept", kept), http.StatusForbidden, "not-yours", "")
	assert.Empty(t, notes(other.get("/form")))
}

// What another site makes a browser send changes nothing here.
func refusesOtherSites(t *testing.T, p *quickstart) {
	who := p.person("test0001")
	who.get("/private")
	for _, path := range []string{"/form", "/logout"} {
		for name, header := range map[string][]string{
			"another site":         {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
			"another port":         {"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:1"},
			"a sandboxed document": {"Sec-Fetch-Site", "cross-site", "Origin", "null"},
			"an old browser":       {"Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Origin", "https://evil.example"},
		} {
			a := who.do(http.MethodPost, path, map[string][]string{"note": {"theirs"}}, header...)
			assert.Equal(t, http.StatusForbidden, a.StatusCode, "%s, %s", path, name)
		}
	}
	a := who.get("/form")
	requirePage(t, a, http.StatusOK, "form", "test0001")
	assert.Empty(t, notes(a))
}

func endsSession(t *testing.T, p *quickstart) {
	who := p.person("test0001")
	who.get("/private")
	requirePage(t, who.get("/logout"), http.StatusOK, "logout", "")
	requirePage(t, who.get("/optional"), http.StatusOK, "optional", "test0001")
	a := who.post("/logout")
	requirePage(t, a, http.StatusOK, "logged-out", "")
	assert.Contains(t, a.Body, `href="`+p.wls+p.logoutPath())
	requirePage(t, who.get("/optional"), http.StatusOK, "optional", "")
	requirePage(t, who.get("/"), http.StatusOK, "front", "") // no silent sign-in after that

	a = who.do(http.MethodGet, "/private", nil, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Accept", "application/json")
	assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
	assert.JSONEq(t, `{"error":"login_required","reason":"session"}`, a.Body)
}

func signsInSilently(t *testing.T, p *quickstart) {
	who := p.person("test0001")
	requirePage(t, who.get("/"), http.StatusOK, "front", "") // not before the browser has our cookie
	requirePage(t, who.get("/"), http.StatusOK, "front", "") // nobody is logged in anywhere
	requirePage(t, who.get("/"), http.StatusOK, "front", "") // and it tries once only

	who = p.person("test0001")
	elsewhere := start(t, p.elsewhere()...)
	who.site = elsewhere.url
	requirePage(t, who.get("/private"), http.StatusOK, "private", "test0001")
	who.site = p.url
	requirePage(t, who.get("/"), http.StatusOK, "front", "")
	requirePage(t, who.get("/"), http.StatusOK, "front", "test0001")
}

func TestStyle(t *testing.T) {
	a := start(t).person("").get("/page.css")
	assert.Equal(t, http.StatusOK, a.StatusCode)
	assert.Equal(t, "text/css; charset=utf-8", a.Header.Get("Content-Type"))
	assert.Contains(t, a.Body, "color-scheme: light dark;")
}
