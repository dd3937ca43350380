package oauth2server

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"html"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// TestPages_markup is what everybody needs, however they read a page: by eye, by ear,
// by keyboard.
func TestPages_markup(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.tokens(p.app)
	pages := map[string]answer{"tokens-empty": p.settings("/tokens")}
	pages["token-new"] = p.settings("/tokens/new")
	pages["token-made"] = p.fill(p.settings("/tokens/new"), "/tokens/new", tokenFields...)
	pages["token-mistakes"] = p.fill(p.settings("/tokens/new"), "/tokens/new", "life", "x")
	pages["tokens"] = p.settings("/tokens")
	pages["app-new"] = p.settings("/applications/new")
	pages["app-mistakes"] = p.fill(p.settings("/applications/new"), "/applications/new", "website", "x", "description", "\u200b")
	pages["secret"] = p.fill(p.settings("/applications/new"), "/applications/new", appFields...)
	at := "/applications/" + p.ownApp().ID
	pages["apps"], pages["app"] = p.settings("/applications"), p.settings(at)
	pages["app-edit"], pages["secret-reset"] = p.settings(at+"/edit"), p.settings(at+"/secret")
	pages["authorised"], pages["not-found"] = p.settings("/authorised"), p.settings("/x")
	pages["consent"] = p.visit(p.ask(p.other))
	pages["nowhere"] = p.openPage("/oauth/none", "")
	for name, a := range pages {
		t.Run(name, func(t *testing.T) {
			switch name {
			case "consent": // its form leads to the application
				checkHeaders(t, a, "", "same-origin")
			case "not-found", "nowhere": // they have no form
				checkHeaders(t, a, "; form-action 'none'", "no-referrer")
			default:
				checkHeaders(t, a, "; form-action 'self'", "same-origin")
			}
			checkMarkup(t, a.body)
		})
	}
}

func checkHeaders(t *testing.T, a answer, formAction, referrer string) {
	t.Helper()
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(a.body)
	require.NotNil(t, style)
	sum := sha256.Sum256([]byte(html.UnescapeString(style[1])))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors 'none'" + formAction
	assert.Equal(t, want, a.Header.Get("Content-Security-Policy"))
	for name, value := range map[string]string{
		"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": referrer, "Content-Type": "text/html; charset=utf-8",
	} {
		assert.Equal(t, value, a.Header.Get(name), name)
	}
}

// markup is what checkMarkup gathers of a page.
type markup struct {
	ids, labels, wanted, inputs []string
	count                       map[string]int
}

func checkMarkup(t *testing.T, page string) {
	t.Helper()
	m := readMarkup(t, page)
	assert.Contains(t, page, `<html lang="en">`)
	for _, name := range []string{"h1", "main", "title", "style"} {
		assert.Equal(t, 1, m.count[name], name)
	}
	for _, name := range []string{"script", "img", "link", "base", "iframe", "object"} {
		assert.Zero(t, m.count[name], name)
	}
	unique := slices.Compact(slices.Sorted(slices.Values(m.ids)))
	assert.Len(t, unique, len(m.ids), "every id is there once")
	for _, id := range m.wanted {
		assert.Contains(t, m.ids, id, "a description, a label or a link leads to it")
	}
	for _, id := range m.inputs {
		assert.Contains(t, m.labels, id, "every field has a label")
	}
}

// readMarkup reads a page, which is nearly XML. It fails the test where start and end
// tags do not fit together.
func readMarkup(t *testing.T, page string) markup {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.Entity = false, xml.HTMLEntity // not every attribute has a value
	m := markup{count: map[string]int{}}
	var open []string
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			require.Empty(t, open, "an element does not end")
			return m
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			m.note(t, token)
			if name := token.Name.Local; name != "meta" && name != "input" { // these have no end
				open = append(open, name)
			}
		case xml.EndElement:
			require.NotEmpty(t, open, "</%s> too many", token.Name.Local)
			require.Equal(t, open[len(open)-1], token.Name.Local, "the end of another element")
			open = open[:len(open)-1]
		}
	}
}

func (m *markup) note(t *testing.T, e xml.StartElement) {
	t.Helper()
	attrs := map[string]string{}
	for _, a := range e.Attr {
		attrs[a.Name.Local] = a.Value
		assert.False(t, a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on"), "the policy forbids %s", a.Name.Local)
	}
	m.count[e.Name.Local]++
	if id := attrs["id"]; id != "" {
		m.ids = append(m.ids, id)
	}
	m.wanted = append(m.wanted, strings.Fields(attrs["aria-describedby"]+" "+attrs["aria-labelledby"])...)
	if target, found := strings.CutPrefix(attrs["href"], "#"); found {
		m.wanted = append(m.wanted, target)
	}
	switch name := e.Name.Local; {
	case name == "label":
		m.labels = append(m.labels, attrs["for"])
	case name == "select", name == "textarea", name == "input" && attrs["type"] != "hidden":
		m.inputs = append(m.inputs, attrs["id"])
	}
}

// TestPages_dress has the site show a page in its own way.
func TestPages_dress(t *testing.T) {
	var got []site.Page
	w := newWorldAt(t, dbtest.SQLite(t), func(c *site.Config) {
		c.Page = func(w http.ResponseWriter, _ *http.Request, p site.Page) {
			got = append(got, p)
			w.WriteHeader(p.Status)
			_, _ = io.WriteString(w, "dressed "+p.Kind+string(p.Body))
		}
	}, func(c *Config) { c.Home = "/home" })
	p := w.party(t)
	a := p.settings("/tokens")
	assert.True(t, strings.HasPrefix(a.body, "dressed tokens"), a.body)
	got = slices.DeleteFunc(got, func(p site.Page) bool { return p.Kind != "tokens" }) // others of the login
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Len(t, got, 1)
	assert.Equal(t, p.person, got[0].Principal)
	assert.Equal(t, "Personal tokens", got[0].Title)
	assert.Contains(t, string(got[0].Body), "You have no tokens.")
	assert.Equal(t, site.Link{Text: "Tokens", Href: "/oauth/settings/tokens", Current: true}, got[0].Nav[0])
	assert.Equal(t, site.Link{Text: "Back to the site", Href: "/home"}, got[0].Nav[3])
	assert.Equal(t, http.StatusNotFound, p.settings("/x").StatusCode)
	assert.NotEmpty(t, got[1].Ref)
}

// TestPages_scripts has a program stumble upon a page: it gets a short text.
func TestPages_scripts(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	r, w := httptest.NewRequest(http.MethodGet, "/oauth/settings/x", http.NoBody), httptest.NewRecorder()
	s.problem(w, r, event{Name: EventRefused, Reason: "not-found"}, site.Page{Status: http.StatusNotFound, Title: "There is no such page"})
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "There is no such page.\n", w.Body.String())
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
}

// openPage opens an address of the site as somebody who is not logged in; accept is what the
// browser, or a script, takes, empty for a browser.
func (p *party) openPage(path, accept string) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.url+path, http.NoBody)
	require.NoError(p.t, err)
	r.Header.Set("Accept", cmp.Or(accept, "text/html"))
	return p.do(http.DefaultClient, r)
}

// Where nothing is people get a page, with a way on, and scripts a short answer. Neither
// holds anything of the address.
func TestPages_nowhere(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	for _, path := range []string{"/oauth/none", "/oauth/", "/oauth/authorize/", "/oauth/evil%22%3E%3Cscript%3E?evil=%3Cscript%3E"} {
		t.Run(path, func(t *testing.T) {
			a := p.openPage(path, "")
			requireKind(t, a, http.StatusNotFound, "not-found")
			assert.Contains(t, a.body, `href="/">Front page</a>`)
			assert.Regexp(t, `reference: <code>[A-Z2-7]{8}</code>`, a.body)
			assert.NotContains(t, a.body, "evil")
			assert.Equal(t, "There is no such page.\n", p.openPage(path, "*/*").body)
			assert.JSONEq(t, `{"error":"not found","reason":"not-found"}`, p.openPage(path, "application/json").body)
		})
	}
	a := p.fill(p.settings("/tokens/new"), "/none")
	requireKind(t, a, http.StatusNotFound, "not-found")
	assert.Contains(t, a.body, "Go to your settings")
}

// A page that breaks off has shown nothing: it could be half of a secret.
func TestPages_broken(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.templates = template.Must(template.New("tokens.html").Parse("evil {{.Nothing}}"))
	a := p.settings("/tokens")
	requireKind(t, a, http.StatusInternalServerError, "broken")
	assert.NotContains(t, a.body, "evil")
	assert.Contains(t, p.log.String(), "Nothing")
}

// People can log out of every page that shows who is logged in, where the site has a way to:
// by a link to its page that asks. What leads there by itself logs nobody out.
func TestPages_logout(t *testing.T) {
	const link = `href="/logout">`
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	for _, path := range []string{"/tokens", "/tokens/new", "/applications", "/applications/new", "/authorised"} {
		assert.Equal(t, 1, strings.Count(p.settings(path).body, link+"Log out</a>"), path)
	}
	assert.Contains(t, p.visit(p.ask(p.app)).body, "If you are not <strong><bdi>"+p.person+"</bdi></strong>, <a "+link+"log out</a>")
	requireKind(t, p.open(p.url+"/logout"), http.StatusOK, "logout")
	requireKind(t, p.settings("/tokens"), http.StatusOK, "tokens")

	without := newServer(t, dbtest.SQLite(t), func(c *Config) {
		auth, err := glue.New(glue.Config{Site: c.Auth.Site(), Service: webauth.Raven()})
		require.NoError(t, err)
		c.Auth = auth
	})
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	require.NoError(t, settings{without.Server}.page(w, r, "/tokens", site.Page{Kind: "tokens"}, tokensPage{}))
	without.show(w, r, site.Page{Kind: "consent"}, consentPage{})
	assert.Contains(t, w.Body.String(), "Back to the site")
	assert.NotRegexp(t, "(?i)log out|logout", w.Body.String())
}

// Who is asked, and who looks what they allowed, reads which site it is about. Its name is text
// that turns nothing around, as all names are.
func TestPages_site(t *testing.T) {
	const name = "\u05e7\u05d5\u05e8\u05d0 <b>"
	p := newWorldAt(t, dbtest.SQLite(t), func(c *site.Config) { c.SiteName = name }).party(t)
	for _, a := range []answer{p.visit(p.ask(p.app)), p.settings("/tokens"), p.settings("/authorised")} {
		body := html.UnescapeString(a.body)
		isolates := strings.Count(body, "<bdi>"+name+"</bdi>") + strings.Count(body, "\u2068"+name+"\u2069")
		assert.GreaterOrEqual(t, isolates, 2, "above the page and in it")
		_, main, _ := strings.Cut(body, "</head>") // a title's end needs none
		assert.Equal(t, strings.Count(main, name), strings.Count(main, "<bdi>"+name+"</bdi>")+strings.Count(main, "\u2068"+name+"\u2069"))
		assert.NotContains(t, a.body, "<b>")
		checkMarkup(t, a.body)
	}
}

// Who is to get something that is shown once knows before.
func TestPages_onlyOnce(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.fill(p.settings("/applications/new"), "/applications/new", appFields...)
	for _, path := range []string{"/tokens/new", "/applications/new", "/applications/" + p.ownApp().ID + "/secret"} {
		assert.Contains(t, p.settings(path).body, "only that once", path)
	}
	assert.NotContains(t, p.settings("/applications/"+p.ownApp().ID+"/edit").body, "only that once")
}

// visibleText is what people read of a page.
func visibleText(page string) string {
	_, body, _ := strings.Cut(page, "</head>")
	return html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " "))
}
