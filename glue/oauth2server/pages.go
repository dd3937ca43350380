package oauth2server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// Page is a page for a person: one of the settings, the question whether to authorise
// an application, or something that they must be told. Config.Page can show it in the
// site's own dress: the heading, what Text, Body and Links hold, in this order, and Ref.
//
// All headers are set before Config.Page is called, Cache-Control and a strict
// Content-Security-Policy among them. A dress with a style sheet of its own replaces
// the latter; scripts have no business on pages that show secrets.
type Page struct {
	// Kind is the page's stable name, such as "tokens".
	Kind string
	// Status is the HTTP status to answer with.
	Status int
	// Title is the heading.
	Title string
	// Principal is who is logged in; empty for nobody.
	Principal string
	// Nav are the settings pages; empty where the page is none of them.
	Nav []Link
	// Text are paragraphs in plain text.
	Text []string
	// Body is the content with its forms. On the pages "token-made" and "secret" it holds
	// a secret that is shown this once: it belongs into no log and no cache.
	Body template.HTML
	// Links are what to do next, the best first.
	Links []Link
	// Ref is a reference that the log line has too; empty where nothing went wrong.
	Ref string
	// Style is the built-in style sheet, which Body is written for. The
	// Content-Security-Policy lets it through in a style element as it is.
	Style string

	anyTarget bool // the answer to the form may redirect to anywhere
}

// Link is a link on a Page.
type Link struct {
	Text, Href string
	Current    bool // it is the page that is shown
}

// show answers with a page, whose body is the template of its kind filled with data.
func (s *Server) show(w http.ResponseWriter, r *http.Request, p Page, data any) {
	body, err := execute(p.Kind, data)
	if err != nil {
		s.cfg.Logger.Error("oauth2 page template", "page", p.Kind, "error", err)
		http.Error(w, "The page is out of order.", http.StatusInternalServerError)
		return
	}
	p.Body = template.HTML(body)
	s.send(w, r, p)
}

// send answers with a page that is complete but for what is the same on all.
func (s *Server) send(w http.ResponseWriter, r *http.Request, p Page) {
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		p.Principal = id.Principal
	}
	p.Style = pageStyle
	setPageHeaders(w.Header(), p)
	if s.cfg.Page != nil {
		s.cfg.Page(w, r, p)
		return
	}
	text, err := execute("layout", layout{Page: p, Style: template.CSS(p.Style)})
	if err != nil {
		s.cfg.Logger.Error("oauth2 page template", "page", "layout", "error", err)
		http.Error(w, "The page is out of order.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = w.Write(text) // the client's loss if it has gone
}

// layout is what the frame around every built-in page shows.
type layout struct {
	Page
	Style template.CSS
}

// showConsent asks a person whether to authorise an application.
func (s *Server) showConsent(w http.ResponseWriter, r *http.Request, c consentPage) {
	data := struct {
		consentPage
		New, Granted []scopeGroup
		Settings     string // where to take it back
	}{c, c.New.groups(), c.Granted.groups(), settings{s}.path("/authorised")}
	s.show(w, r, Page{Kind: "consent", Status: http.StatusOK, Title: "Authorise " + isolated(c.Name) + "?", anyTarget: true}, data)
}

// problem tells the operators of an event, and whoever asked, in fixed words: people
// get the page with the reference that the log line has, scripts a short text.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, e Event, p Page) {
	e.Ref = respond.Ref()
	s.event(r, e)
	if !glue.WantsPage(r) {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, p.Title+".", p.Status)
		return
	}
	p.Ref = e.Ref
	s.send(w, r, p)
}

// storeDown answers while the database cannot say. Nothing is shown or changed by
// accident meanwhile.
func (s *Server) storeDown(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Retry-After", "5")
	s.problem(w, r, Event{Name: EventStoreError, Err: err}, Page{
		Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot look up what you asked for just now. Nothing was changed."},
	})
}

// setPageHeaders keeps a page out of caches, frames and referrers, and anything but its
// own style out of it.
func setPageHeaders(h http.Header, p Page) {
	csp := []string{"default-src 'none'", "style-src " + styleHash, "base-uri 'none'", "frame-ancestors 'none'"}
	if !p.anyTarget { // browsers apply it to the redirects after a post as well
		csp = append(csp, "form-action 'self'")
	}
	h.Set("Content-Security-Policy", strings.Join(csp, "; "))
	h.Set("Cache-Control", "no-store")
	// Not "no-referrer": browsers that know no Sec-Fetch-Site would not say either that
	// a form is ours.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

//go:embed pages
var pageFiles embed.FS

var (
	pageStyle     = readPage("pages/page.css")
	pageTemplates = template.Must(template.New("").Funcs(template.FuncMap{"iso": isoTime, "date": dateText, "moment": momentText}).
			ParseFS(pageFiles, "pages/*.html"))
	styleHash = func() string {
		h := sha256.Sum256([]byte(pageStyle))
		return "'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
	}()
)

func readPage(name string) string {
	b, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // not embedded: impossible in a build that compiles
	}
	return string(b)
}

// execute fills in one of the templates.
func execute(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := pageTemplates.ExecuteTemplate(&b, name+".html", data)
	return b.Bytes(), err
}

func isoTime(t time.Time) string    { return t.UTC().Format(time.RFC3339) }
func dateText(t time.Time) string   { return t.UTC().Format("2 January 2006") }
func momentText(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

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
