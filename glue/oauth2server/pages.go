package oauth2server

import (
	"embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// show answers with a page, whose body is the template of its kind, filled in with data. On
// the pages "token-made" and "secret" it holds a secret that is shown this once.
func (s *Server) show(w http.ResponseWriter, r *http.Request, p site.Page, data any) {
	var body strings.Builder
	if err := s.templates.ExecuteTemplate(&body, p.Kind+".html", data); err != nil {
		s.site.Logger().ErrorContext(r.Context(), "oauth2 page template", "page", p.Kind, "error", err)
		body.Reset() // what there is of it may hold a secret
		p = site.Page{Kind: "broken", Status: http.StatusInternalServerError, Title: "This page is out of order", Text: []string{"Please tell the site’s webmaster."}}
	}
	p.Body = template.HTML(body.String())
	s.site.Show(w, r, known(r, p))
}

// known returns a page with the name of the person who is logged in.
func known(r *http.Request, p site.Page) site.Page {
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		p.Principal = id.Principal
	}
	return p
}

// problem reports an event and answers in fixed words: people get the page with the
// reference that the log line has, scripts a short text.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, e event, p site.Page) {
	p.Brief = p.Title + "."
	s.site.Refuse(w, r, e.forSite(), known(r, p))
}

// storeDown answers while the database is away. Nothing is shown or changed by accident
// meanwhile.
func (s *Server) storeDown(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Retry-After", "5")
	s.problem(w, r, event{Name: EventStoreError, Err: err}, site.Page{
		Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot look up what you asked for just now. Nothing was changed."},
	})
}

// pageNotFound is for addresses below Config.Path where nothing is.
var pageNotFound = site.Page{Kind: "not-found", Status: http.StatusNotFound, Title: "There is no such page",
	Text: []string{"If you typed the address, see whether all of it is there. If a link led you here, tell whoever made it."}}

//go:embed pages/*.html
var pageFiles embed.FS

// readTemplates reads the templates of the pages, which know the site and its clock.
func (s *Server) readTemplates() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"iso": isoTime, "moment": momentText, "logout": s.cfg.Auth.LogoutPath, "site": s.site.Name,
		"ago": func(t time.Time) string { return agoText(s.site.Now().Sub(t)) },
	}).ParseFS(pageFiles, "pages/*.html"))
}

// scopeGroup is scopes under their heading.
type scopeGroup struct {
	Name   string // empty for none
	Scopes []Scope
}

// groups gathers scopes under their headings, both in the order of registration.
func (s scopeSet) groups() []scopeGroup {
	var groups []scopeGroup
	at := map[string]int{}
	for _, c := range s {
		i, known := at[c.Group]
		if !known {
			i = len(groups)
			at[c.Group] = i
			groups = append(groups, scopeGroup{Name: c.Group})
		}
		groups[i].Scopes = append(groups[i].Scopes, c)
	}
	return groups
}
