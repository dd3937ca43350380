package oauth2server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
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
			checkHeaders(t, a, name != "consent")
			checkMarkup(t, a.body)
		})
	}
}

func checkHeaders(t *testing.T, a answer, selfOnly bool) {
	t.Helper()
	sum := sha256.Sum256([]byte(pageStyle))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors 'none'"
	if selfOnly {
		want += "; form-action 'self'"
	}
	assert.Equal(t, want, a.Header.Get("Content-Security-Policy"))
	for name, value := range map[string]string{
		"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
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

// TestPages_style checks colours that can be read (WCAG 2.2, 1.4.3 and 1.4.11) and a
// focus that can be seen (2.4.7).
func TestPages_style(t *testing.T) {
	light, dark, found := strings.Cut(pageStyle, "@media (prefers-color-scheme: dark)")
	require.True(t, found)
	for theme, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			colours[m[1]] = m[2]
		}
		for _, c := range []struct {
			front, back string
			atLeast     float64
		}{
			{"text", "card", 7}, {"text", "page", 7}, {"muted", "card", 4.5}, {"muted", "page", 4.5},
			{"accent", "card", 4.5}, {"accent", "page", 4.5}, {"on-accent", "accent", 4.5}, {"on-accent", "accent-over", 4.5},
			{"danger", "card", 4.5}, {"danger", "page", 4.5}, {"on-danger", "danger", 4.5}, {"on-danger", "danger-over", 4.5},
			{"edge", "card", 3}, {"edge", "page", 3}, {"done", "card", 3}, {"alert", "card", 3},
		} {
			require.NotEmpty(t, colours[c.front], theme+" "+c.front)
			a, b := luminance(t, colours[c.front]), luminance(t, colours[c.back])
			assert.GreaterOrEqual(t, (max(a, b)+0.05)/(min(a, b)+0.05), c.atLeast, "%s: %s on %s", theme, c.front, c.back)
		}
	}
	assert.Contains(t, pageStyle, ":focus-visible { outline: 3px solid")
	assert.NotRegexp(t, `url\(|@import|@font-face`, pageStyle)
}

func luminance(t *testing.T, colour string) (sum float64) {
	t.Helper()
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

// TestPages_dress has the site show a page in its own way.
func TestPages_dress(t *testing.T) {
	var got []Page
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) {
		c.Home = "/home"
		c.Page = func(w http.ResponseWriter, _ *http.Request, p Page) {
			got = append(got, p)
			w.WriteHeader(p.Status)
			_, _ = io.WriteString(w, "dressed "+p.Kind+string(p.Body))
		}
	})
	p := w.party(t)
	a := p.settings("/tokens")
	assert.True(t, strings.HasPrefix(a.body, "dressed tokens"), a.body)
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Len(t, got, 1)
	assert.Equal(t, p.person, got[0].Principal)
	assert.Equal(t, "Personal tokens", got[0].Title)
	assert.Contains(t, string(got[0].Body), "You have no tokens.")
	assert.Equal(t, Link{Text: "Tokens", Href: "/oauth/settings/tokens", Current: true}, got[0].Nav[0])
	assert.Equal(t, Link{Text: "Back to the site", Href: "/home"}, got[0].Nav[3])
	assert.Equal(t, http.StatusNotFound, p.settings("/x").StatusCode)
	assert.NotEmpty(t, got[1].Ref)
}

// TestPages_scripts has a program stumble upon a page: it gets a short text.
func TestPages_scripts(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	r, w := httptest.NewRequest(http.MethodGet, "/oauth/settings/x", http.NoBody), httptest.NewRecorder()
	s.problem(w, r, Event{Name: EventRefused, Reason: "not-found"}, Page{Status: http.StatusNotFound, Title: "There is no such page"})
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "There is no such page.\n", w.Body.String())
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
}
