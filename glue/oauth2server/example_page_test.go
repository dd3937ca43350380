package oauth2server_test

import (
	"context"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// The site shows the pages in its own dress. What a page is about is in Body, with its
// forms; everything that a page may hold has its place.
func ExampleServer_Handler_dress() {
	dress := template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<title>{{.Title}} - Example Society</title>
<style>{{.Style}}</style>
<nav>{{range .Nav}}<a href="{{.Href}}"{{if .Current}} aria-current="page"{{end}}>{{.Text}}</a> {{end}}</nav>
<main>
<h1>{{.Title}}</h1>
{{range .Text}}<p>{{.}}</p>
{{end}}{{.Body}}{{range .Links}}<p><a href="{{.Href}}">{{.Text}}</a></p>
{{end}}{{with .Ref}}<p>If you ask for help, quote {{.}}.</p>
{{end}}</main>
`))
	db, auth, guard, clean := exampleSite(func(c *site.Config) {
		c.Page = func(w http.ResponseWriter, _ *http.Request, p site.Page) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(p.Status)
			if err := dress.Execute(w, p); err != nil {
				log.Print(err)
			}
		}
	})
	defer clean()
	server, err := oauth2server.New(context.Background(), oauth2server.Config{
		DB: db, Dialect: oauth2server.SQLite,
		Auth: auth, Guard: guard,
		Scopes: []oauth2server.Scope{{Name: "records:read", Text: "Read your records."}},
	})
	if err != nil {
		log.Fatal(err)
	}

	// An application that nobody registered sends somebody here.
	r := httptest.NewRequest(http.MethodGet, "https://soc.example/oauth/authorize?client_id=nobody&redirect_uri=https://app.example/", http.NoBody)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	server.Handler().ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Cache-Control"))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "<title>") || strings.HasPrefix(line, "<h1>") {
			fmt.Print(line)
		}
	}
	// Output:
	// 400 no-store
	// <title>We do not know this application - Example Society</title>
	// <h1>We do not know this application</h1>
}

// An internal scope is for the site's own programs, so it is for the site to say who
// registers those.
func ExampleConfig_internalScope() {
	db, auth, guard, clean := exampleSite()
	defer clean()
	cfg := oauth2server.Config{
		DB: db, Dialect: oauth2server.SQLite,
		Auth: auth, Guard: guard,
		Scopes: []oauth2server.Scope{
			{Name: "records:read", Text: "Read your records."},
			{Name: "statistics", Text: "Count everybody's records.", Internal: true},
		},
		ClientScopes: []string{"statistics"},
	}
	_, err := oauth2server.New(context.Background(), cfg)
	fmt.Println(err)

	cfg.MayRegister = func(_ *http.Request, id glue.Identity) bool { return id.Principal == "webmaster" }
	_, err = oauth2server.New(context.Background(), cfg)
	fmt.Println(err)
	// Output:
	// oauth2server: Config.ClientScopes: "statistics" is internal, but everybody who can log in may register an application and get it: set MayRegister
	// <nil>
}
