package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// site is the application: a few pages behind different doors.
type site struct {
	mu    sync.Mutex
	notes map[string][]string // by principal; in memory
}

// newSite mounts the pages.
func newSite(cfg glue.Config) (http.Handler, error) {
	auth, err := glue.New(cfg)
	if err != nil {
		return nil, err
	}
	silent := auth.With(func(p *glue.Policy) { p.Silent = true })
	admin := auth.With(func(p *glue.Policy) {
		p.Principals = []string{"test0001"}
		p.Fresh = 5 * time.Minute
	})
	s := &site{notes: map[string][]string{}}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", silent.Optional(http.HandlerFunc(s.front)))
	mux.Handle("/private", auth.Require(page("Private", "Only people who are logged in see this page.")))
	mux.Handle("/admin", admin.Require(page("Admin", "Only test0001 sees this page, and only with a password typed in the last five minutes.")))
	mux.Handle("/optional", auth.Optional(page("Optional", "Everybody sees this page; it knows you if you are logged in.")))
	mux.Handle("/form", auth.Require(http.HandlerFunc(s.form)))
	mux.HandleFunc("/login", auth.Login)
	mux.HandleFunc("/logout", auth.Logout)
	// No page of another site may post to this one.
	return http.NewCrossOriginProtection().Handler(mux), nil
}

type view struct {
	Title, Text string
	ID          *glue.Identity
	Form        bool
	Notes       []string
}

func (s *site) front(w http.ResponseWriter, r *http.Request) {
	show(w, r, view{Title: "Quickstart", Text: "A site that logs people in with Ucam-WebAuth. Try its pages."})
}

func page(title, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { show(w, r, view{Title: title, Text: text}) })
}

// form keeps notes. If the session ends while somebody writes one, it is not lost.
func (s *site) form(w http.ResponseWriter, r *http.Request) {
	id, _ := glue.IdentityFrom(r.Context())
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		if note := r.PostFormValue("note"); note != "" {
			s.notes[id.Principal] = append(s.notes[id.Principal], note)
		}
		http.Redirect(w, r, "/form", http.StatusSeeOther)
		return
	}
	show(w, r, view{Title: "Form", Text: "Notes that you post are kept until the program stops.", Form: true, Notes: s.notes[id.Principal]})
}

func show(w http.ResponseWriter, r *http.Request, v view) {
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		v.ID = &id
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		http.Error(w, "the page is out of order", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	_, _ = w.Write(b.Bytes()) // the client's loss if it has gone
}
