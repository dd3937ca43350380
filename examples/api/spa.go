package main

import (
	_ "embed"
	"html/template"
	"net/http"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

var (
	//go:embed spa.html
	spaText string
	//go:embed spa.js
	spaScript []byte

	spaTemplate = template.Must(template.New("spa").Parse(spaText))
)

// newSPA serves an application that runs in browsers: a page and a script, and nothing
// behind them. Whatever it may do it does from there, on an origin that is not the site's.
func newSPA(at addresses) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		demo.Show(w, http.StatusOK, spaTemplate, struct{ Site, Library string }{at.site, at.library})
	})
	mux.HandleFunc("GET /spa.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(spaScript) // the client's loss if it has gone
	})
	mux.HandleFunc("GET /page.css", demo.Style)
	mux.Handle("/", demo.NotFound(demo.Dress(site.Config{SiteName: "Pocket"})))
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; connect-src " + at.site + " " + at.library + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Referrer-Policy", "no-referrer") // the address may hold a code
		mux.ServeHTTP(w, r)
	})
}
