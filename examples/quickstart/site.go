package main

import (
	_ "embed"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// app is the application: a few pages behind different doors.
type app struct {
	soc   *site.Site
	guard *xsrf.Guard
	store *redisstore.Store // nil where sessions are in cookies
	mu    sync.Mutex
	notes map[string][]string // by principal; in memory
}

// maxForm is the largest form that is read, in bytes.
const maxForm = 64 << 10

// newSite mounts the pages.
func newSite(around site.Config, cfg glue.Config) (http.Handler, error) {
	soc, err := site.New(around)
	if err != nil {
		return nil, err
	}
	cfg.Site = soc
	auth, err := glue.New(cfg)
	if err != nil {
		return nil, err
	}
	silent := auth.With(func(p *glue.Policy) { p.Silent = true })
	admin := auth.With(func(p *glue.Policy) {
		p.Principals = []string{"test0001"}
		p.Fresh = 5 * time.Minute
	})
	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth, MaxForm: maxForm})
	if err != nil {
		return nil, err
	}
	s := &app{soc: soc, guard: guard, notes: map[string][]string{}}
	mux := http.NewServeMux()
	mux.Handle("/{$}", silent.Optional(page("front", "Quickstart", "A site where people log in. Try its pages.")))
	mux.Handle("/private", auth.Require(page("private", "Private", "Only people who are logged in see this page.")))
	mux.Handle("/admin", admin.Require(page("admin", "Admin", "Only test0001 sees this page, and only with a password typed in the last five minutes.")))
	mux.Handle("/optional", auth.Optional(page("optional", "Optional", "Everybody sees this page; it knows you if you are logged in.")))
	mux.Handle("/form", auth.Require(guard.Check(guard.Send(http.HandlerFunc(s.form)))))
	if store, ok := cfg.Session.Store.(*redisstore.Store); ok {
		s.store = store
		mux.Handle("/sessions", auth.Require(guard.Check(guard.Send(http.HandlerFunc(s.sessions)))))
	}
	mux.HandleFunc(defaultLoginPath, auth.Login) // where the pages link to
	if cfg.LoginPath != "" && cfg.LoginPath != defaultLoginPath {
		mux.HandleFunc(cfg.LoginPath, auth.Login)
	}
	mux.HandleFunc("/logout", auth.Logout)
	mux.HandleFunc("GET /page.css", demo.Style)
	mux.Handle("/", demo.NotFound(soc))
	// Only our own host, only with our headers; no page of another site posts to us.
	return soc.Handler(guard.Protect(mux)), nil
}

// view is what the template shows.
type view struct {
	Name, Title, Text string
	Path              string         // of the page shown
	ID                *glue.Identity // nil for an anonymous visitor
	Form              bool
	Token             template.HTML // proves to the form's handler that the form is ours
	Notes             []string
	Sessions          []place // where the person is logged in
}

// Pages are the links at the top: path and text.
func (view) Pages() [][2]string {
	return [][2]string{{"/", "Front"}, {"/private", "Private"}, {"/admin", "Admin"}, {"/optional", "Optional"}, {"/form", "Form"}}
}

func page(name, title, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		show(w, r, view{Name: name, Title: title, Text: text})
	})
}

// form keeps notes. If the session ends while somebody writes one, it is not lost.
func (s *app) form(w http.ResponseWriter, r *http.Request) {
	id, _ := glue.IdentityFrom(r.Context()) // always there, under Require
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		if note := r.PostFormValue("note"); note != "" { // guard.Check has read the form
			s.notes[id.Principal] = append(s.notes[id.Principal], note)
		}
		http.Redirect(w, r, "/form", http.StatusSeeOther)
		return
	}
	show(w, r, view{Name: "form", Title: "Form", Text: "Notes that you post are kept until the program stops.", Form: true, Token: s.guard.Field(r), Notes: s.notes[id.Principal]})
}

func show(w http.ResponseWriter, r *http.Request, v view) {
	v.Path = r.URL.Path
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		v.ID = &id
	}
	demo.Show(w, http.StatusOK, pageTemplate, v)
}
