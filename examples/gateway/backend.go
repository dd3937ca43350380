package main

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// tell is the backend: it shows what it was told, and believes it.
func tell(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/page.css" {
		demo.Style(w, r)
		return
	}
	told := []header{{"Method", r.Method}, {"Target", r.RequestURI}, {"Host", r.Host}}
	for name, values := range r.Header {
		told = append(told, header{name, strings.Join(values, " | ")})
	}
	slices.SortFunc(told[3:], func(a, b header) int { return strings.Compare(a.Name, b.Name) })
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	demo.Show(w, http.StatusOK, page, view{User: r.Header.Get("Remote-User"), Path: r.URL.Path, Told: told})
}

type header struct{ Name, Value string }

// view is what the template shows.
type view struct {
	User, Path string
	Told       []header
}

// Pages are the links at the top: path and text.
func (view) Pages() [][2]string {
	return [][2]string{{"/", "Front"}, {"/public", "Public"}, {"/private", "Private"}, {"/private/admin", "Admin"}}
}
