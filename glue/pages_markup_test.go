package glue

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// filledPages are all pages with everything that they can hold.
func filledPages() []site.Page {
	here := site.Link{Text: "Try again", Href: "https://soc.example/private/?a=1&b=2"}
	newTab := site.Link{Text: "Log in again", Href: here.Href, NewTab: true}
	pages := []site.Page{
		pageMisdirected, pageMisconfigured, pageStoreDown, pageLoggedOutHere, pageForbidden, pageLoop, pageBadAddress, pageBadNext,
		pageNoCookies, pageMalformed, pageRefused, pageStale, pageForgotten, pageStrength, pageCancelled, pageDeclined, pageLogout, pageNotLoggedIn,
		pageLoggedOut, pageLoginAgain, pageFormKept, pageGoBack, pageNotYours, pageFormForgotten, pageFormGone,
		pageConfirmLogin("<b>&"), pageTargetLost, pageInFrame, pageOffice,
		pageChoose, pageIdentity, pageServiceDown, pageServiceRefuses,
	}
	for i := range pages {
		p := &pages[i]
		p.Ref = "ABCDEFGH"
		switch p.Kind {
		case "go-back":
			p.Links = []site.Link{{Text: "Or open the page anew", Href: "https://soc.example/private/"}}
		case "login-again":
			p.Text = []string{"Copy it.", loginOver}
			p.Links = []site.Link{here}
		case "logout":
			p.Principal = "test0001"
			p.Form = &site.Form{Action: here.Href, Button: "Log out", Hidden: map[string]string{"a": "<b>"}}
		case "form-kept":
			p.Links = []site.Link{newTab}
			p.Form = &site.Form{Action: here.Href, Button: "Continue", Hidden: map[string]string{"wls-kept": "x"}}
		case "target-lost":
			p.Principal = "test0001"
			p.Links = []site.Link{{Text: "Go on to the page", Href: here.Href}}
		case "forbidden":
			p.Principal = "<b>&\"'"
			p.Text = (&Policy{Ptags: []string{"<i>"}}).missing(DeniedPtag, &webauth.ServiceInfo{})
			p.Links = []site.Link{here, {Text: "Log out", Href: "https://soc.example/logout"}}
		default:
			p.Links = []site.Link{here, {Text: "Back to the site", Href: "https://soc.example/"}}
		}
	}
	return pages
}

func TestPages_all(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var inSource, here []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`Page\{Kind: "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1) {
			inSource = append(inSource, m[1])
		}
	}
	titles := map[string]string{}
	for _, p := range filledPages() {
		here = append(here, p.Kind)
		assert.Empty(t, titles[p.Title], "%s has this title too", p.Kind)
		titles[p.Title] = p.Kind
	}
	assert.ElementsMatch(t, inSource, here)
}

// What everybody needs, however they read a page: by eye, by ear, by keyboard.
func TestPages_markup(t *testing.T) {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example"})
	require.NoError(t, err)
	for _, p := range filledPages() {
		t.Run(p.Kind, func(t *testing.T) {
			w := httptest.NewRecorder()
			soc.Show(w, httptest.NewRequest(http.MethodGet, "/", nil), p)
			d := parseMarkup(t, w.Body.Bytes())

			assert.Equal(t, "en", d.one("html").attr("lang"))
			assert.Equal(t, "width=device-width, initial-scale=1", d.where("meta", "name", "viewport").attr("content"))
			assert.Equal(t, p.Title+" – soc.example", d.one("title").text)
			main := d.one("main")
			assert.Equal(t, p.Kind, main.attr("data-page"))
			assert.Equal(t, p.Title, d.one("h1").text)
			for _, paragraph := range p.Text {
				assert.Contains(t, main.text, paragraph)
				assert.Regexp(t, `[.]$`, paragraph)
				assert.NotContains(t, paragraph, "'", "typographic apostrophes look better")
			}
			assert.Contains(t, main.text, p.Principal)
			assert.Equal(t, "ABCDEFGH", d.one("code").text)
			assert.Zero(t, d.count("script", "img", "iframe", "object", "link", "base"), "nothing but its own style")
			for _, e := range d.elements {
				for _, a := range e.attrs {
					assert.False(t, a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on"), "the policy forbids %s", a.Name.Local)
				}
			}
			checkNextSteps(t, &p, d)
		})
	}
}

func checkNextSteps(t *testing.T, p *site.Page, d *markup) {
	t.Helper()
	links := d.all("a")
	require.Len(t, links, len(p.Links))
	primary := 0
	for i, a := range links {
		l := p.Links[i]
		assert.Equal(t, l.Href, a.attr("href"))
		assert.True(t, strings.HasPrefix(a.text, l.Text), a.text)
		if a.attr("class") == "button" {
			primary++
		}
		switch {
		case l.NewTab:
			assert.Equal(t, l.Text+" (opens a new tab)", a.text)
			assert.Equal(t, "_blank noopener", a.attr("target")+" "+a.attr("rel"))
		case p.Framed:
			assert.Equal(t, "_top", a.attr("target"))
		default:
			assert.Empty(t, a.attr("target"))
		}
	}
	if p.Form != nil {
		form, button := d.one("form"), d.one("button")
		assert.Equal(t, "post "+p.Form.Action, form.attr("method")+" "+form.attr("action"))
		assert.Equal(t, "submit "+p.Form.Button, button.attr("type")+" "+button.text)
		for name, value := range p.Form.Hidden {
			assert.Equal(t, "hidden "+value, d.where("input", "name", name).attr("type")+" "+d.where("input", "name", name).attr("value"))
		}
		if button.attr("class") != "quiet" {
			primary++
		}
	}
	if p.Kind == pageGoBack.Kind {
		assert.Zero(t, primary, "the next step is in another tab")
		return
	}
	assert.Equal(t, 1, primary, "one next step stands out")
}

// markup is a parsed page.
type markup struct {
	t        *testing.T
	elements []*element
}

type element struct {
	name  string
	attrs []xml.Attr
	text  string // of all that is inside
}

func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// parseMarkup reads a page, which is nearly XML. It fails the test where start and end
// tags do not fit together.
func parseMarkup(t *testing.T, page []byte) *markup {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(page)))
	d.Strict, d.Entity = false, xml.HTMLEntity // not every attribute has a value
	m := &markup{t: t}
	var open []*element
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			require.Empty(t, open, "an element does not end")
			return m
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: slices.Clone(token.Attr)}
			m.elements = append(m.elements, e)
			if e.name != "meta" && e.name != "input" { // these have no end
				open = append(open, e)
			}
		case xml.EndElement:
			require.NotEmpty(t, open, "</%s> too many", token.Name.Local)
			require.Equal(t, open[len(open)-1].name, token.Name.Local, "the end of another element")
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text += string(token)
			}
		}
	}
}

func (m *markup) all(name string) (found []*element) {
	for _, e := range m.elements {
		if e.name == name {
			found = append(found, e)
		}
	}
	return found
}

func (m *markup) count(names ...string) (n int) {
	for _, name := range names {
		n += len(m.all(name))
	}
	return n
}

func (m *markup) one(name string) *element {
	m.t.Helper()
	found := m.all(name)
	require.Len(m.t, found, 1, name)
	return found[0]
}

func (m *markup) where(name, attr, value string) *element {
	m.t.Helper()
	for _, e := range m.all(name) {
		if e.attr(attr) == value {
			return e
		}
	}
	require.Fail(m.t, "no such element", fmt.Sprintf("%s with %s=%q", name, attr, value))
	return nil
}
