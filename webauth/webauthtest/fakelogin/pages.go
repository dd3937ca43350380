package fakelogin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

//go:embed pages/style.css
var style string

// policy allows nothing but the one style sheet in the page. It has no form-action:
// Chromium applies that to every redirect after a form is sent, and where a login leads
// in the end (a site's canonical host, an OAuth client's address) is not for the login
// page to know.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; frame-ancestors 'none'"
}()

// Pages is a service's pages, each a template with a "title" and a "main" in the common
// layout.
type Pages struct {
	header string
	byName map[string]*template.Template
}

// NewPages reads the templates pages/NAME.html in own, beside the common ones "refused"
// and "down"; all can use those that pages/users.html defines. Where a page is sent, header
// has its name, so that the browser of a test knows a login form when it meets one.
func NewPages(own fs.FS, header string, names ...string) Pages {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(style) },
		"join":  strings.Join,
	}).ParseFS(pageFiles, "pages/layout.html"))
	template.Must(layout.ParseFS(own, "pages/users.html"))
	p := Pages{header, make(map[string]*template.Template)}
	for from, names := range map[fs.FS][]string{pageFiles: {"refused", "down"}, own: names} {
		for _, name := range names {
			p.byName[name] = template.Must(template.Must(layout.Clone()).ParseFS(from, "pages/"+name+".html"))
		}
	}
	return p
}

// Render sends a page.
func (p Pages) Render(rw http.ResponseWriter, status int, page string, data any) {
	var b bytes.Buffer
	if err := p.byName[page].ExecuteTemplate(&b, "layout.html", data); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	SetHeaders(rw.Header())
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set(p.header, page)
	rw.WriteHeader(status)
	_, _ = rw.Write(b.Bytes()) // a browser that has left is no concern of ours
}

// SetHeaders sets the headers of all answers to browsers.
func SetHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

// FromOwnPage refuses login forms that another site's page sent. Browsers that send
// neither Sec-Fetch-Site nor a usable Origin (ours is "null" on plain http, because the
// page sends no referrer) are let through: what is at stake is a login to a fake.
func FromOwnPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	sent := r.Header.Get("Origin")
	if sent == "" || sent == "null" {
		return true
	}
	u, err := url.Parse(sent)
	return err == nil && u.Host == r.Host
}
