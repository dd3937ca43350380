package oauth2server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/site"
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
	for name, a := range pages {
		t.Run(name, func(t *testing.T) {
			switch name {
			case "consent": // its form leads to the application
				checkHeaders(t, a, "", "same-origin")
			case "not-found": // it has no form
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
