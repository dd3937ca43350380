package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed page.css
var pageStyle string

// Style serves the style sheet of the examples' pages.
func Style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(pageStyle)) // the client's loss if it has gone
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
