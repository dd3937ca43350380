package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"net/http"
	"sync"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

//go:embed page.css
var ownStyle string

// styled is a site whose pages are the style sheet of the examples' pages alone: that of the SDK's
// own, which the examples' look like, and a little more.
var styled = sync.OnceValue(func() *site.Site {
	return Dress(site.Config{Page: func(w http.ResponseWriter, _ *http.Request, p site.Page) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, string(p.Style)+ownStyle) // the client's loss if it has gone
	}})
})

// Style serves the style sheet of the examples' pages.
func Style(w http.ResponseWriter, r *http.Request) {
	styled().Show(w, r, site.Page{Status: http.StatusOK})
}

// Dress returns a site that only shows pages, for programs that have none.
func Dress(c site.Config) *site.Site {
	c.BaseURL = "http://localhost"
	s, err := site.New(c)
	if err != nil {
		panic(err) // the program says all of the configuration
	}
	return s
}

// Show answers with a page: a template, filled in with data.
func Show(w http.ResponseWriter, status int, t *template.Template, data any) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		http.Error(w, "the page is out of order", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client's loss if it has gone
}

// Tell answers people with a page of a site, and programs with a line of text.
func Tell(s *site.Site, w http.ResponseWriter, r *http.Request, p site.Page) {
	if !site.WantsPage(r) {
		http.Error(w, p.Title, p.Status)
		return
	}
	if p.Links == nil {
		p.Links = []site.Link{{Text: "Front page", Href: "/"}}
	}
	s.Show(w, r, p)
}

// NotFound answers where a site has nothing.
func NotFound(s *site.Site) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		Tell(s, w, r, site.Page{Kind: "not-found", Status: http.StatusNotFound, Title: "There is no such page",
			Text: []string{"If you typed the address, see whether all of it is there."}})
	}
}
