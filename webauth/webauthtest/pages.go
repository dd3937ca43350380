package webauthtest

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

//go:embed pages
var pageFiles embed.FS

//go:embed pages/style.css
var style string

// pages holds one template set per page, each over the common layout.
var pages = func() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(style) },
		"join":  strings.Join,
	}).ParseFS(pageFiles, "pages/layout.html"))
	all := make(map[string]*template.Template)
	for _, name := range []string{"login", "failure", "logout", "status", "refused", "down"} {
		all[name] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return all
}()

// policy allows nothing but the one style sheet in the page. It has no form-action:
// Chromium applies that to every redirect after a form is sent, and where a login leads
// in the end (a site's canonical host, an OAuth client's address) is not for the login
// page to know.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; frame-ancestors 'none'"
}()

// pageHeader names the page, so that the client of a test knows a login form when it
// meets one.
const pageHeader = "Fake-Wls-Page"

func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

func (w *WLS) render(rw http.ResponseWriter, status int, page string, data any) {
	var b bytes.Buffer
	if err := pages[page].ExecuteTemplate(&b, "layout.html", data); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	setHeaders(rw.Header())
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set(pageHeader, page)
	rw.WriteHeader(status)
	_, _ = rw.Write(b.Bytes()) // a browser that has left is no concern of ours
}

// shownUsers is how many test users the pages list.
const shownUsers = 20

// loginPage is what the login form shows.
type loginPage struct {
	Site, Desc, Msg string
	User            string // kept after a wrong password, known with single sign-on
	AskAgain, Bad   bool
	Users           []User
	More            int // users not listed
}

func (w *WLS) renderForm(rw http.ResponseWriter, status int, r wls.Request, user string, bad bool) {
	data := loginPage{
		Site: hostOf(r.URL), Desc: plainText(r.Desc), Msg: plainText(r.Msg),
		User: user, AskAgain: r.IAct == "yes", Bad: bad,
	}
	data.Users, data.More = w.users.list(shownUsers)
	w.render(rw, status, "login", data)
}

// failurePage explains why nobody is sent back.
type failurePage struct {
	Status    int
	Msg, Site string
	Asked     bool // by fail=yes
	What      string
}

func (w *WLS) renderFailure(rw http.ResponseWriter, e Exchange) {
	status := http.StatusForbidden
	if e.Refused != "" {
		status = http.StatusBadRequest
	}
	w.render(rw, status, "failure", failurePage{
		Status: e.Response.Status, Msg: e.Response.Msg, Site: hostOf(e.Request.URL), Asked: e.Request.Fail,
		What: whatHappened[e.Response.Status],
	})
}

// whatHappened explains a status to the person.
var whatHappened = map[int]string{
	wls.StatusCancelled:     "You cancelled the login.",
	wls.StatusNoAuthType:    "The web site accepts none of the ways in which this service can log you in.",
	wls.StatusVersion:       "The web site speaks a version of the protocol that this service does not know.",
	wls.StatusRequest:       "The web site sent a request that this service cannot use.",
	wls.StatusInteraction:   "You would have to type your password, but the web site asked for a login without any question.",
	wls.StatusNotAuthorised: "The web site may not use this service.",
	wls.StatusDeclined:      "This service declined to log you in this time.",
}

// statusPage says what this is.
type statusPage struct {
	AuthURL, LogoutURL, Kid, User string
	Users                         []User
	More                          int
}

func (w *WLS) status(rw http.ResponseWriter, r *http.Request) {
	s := w.Service()
	kid, _ := w.Key()
	data := statusPage{AuthURL: s.AuthURL, LogoutURL: s.LogoutURL, Kid: kid}
	if login := w.sessionOf(r); login != nil {
		data.User = login.user
	}
	data.Users, data.More = w.users.list(shownUsers)
	w.render(rw, http.StatusOK, "status", data)
}

// plainText is what a browser shows of desc and msg, whose character references stand
// while < and > do not start a tag (WAA2WLS, "Authentication request"). The template
// escapes it again, so that nothing in it can be markup.
func plainText(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}, html.UnescapeString(s))
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
