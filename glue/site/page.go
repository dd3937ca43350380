package site

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// Page is a page for a person, mostly something that they must be told, in fixed words.
// Title and Text hold nothing that a client sent.
type Page struct {
	// Kind is the page's stable name, such as "cancelled".
	Kind string
	// Status is the HTTP status to answer with.
	Status int
	// Title and Text, a paragraph each, in plain text.
	Title string
	Text  []string
	// Principal is who is logged in, where that matters; else empty.
	Principal string
	// Ref is a reference that the log line has too; empty where nothing was logged.
	Ref string
	// Links are what to do next, the best first.
	Links []Link
	// Form is a form to send, or nil.
	Form *Form
	// Framed says that pages of the same origin may show this one in a frame. Its links open
	// in the whole window.
	Framed bool

	// Nav leads to the pages beside this one; empty for a page that stands alone.
	Nav []Link
	// Body is content with forms of its own, or empty. It can hold a secret that is shown
	// this once, which belongs in no log and no cache. Of a Form beside it only AnyTarget
	// counts.
	Body template.HTML
	// Site is the site's name for people. Show sets it.
	Site string
	// Style is the built-in style sheet, which Body is written for. Show sets it, and the
	// Content-Security-Policy lets it through in a style element as it is.
	Style template.CSS

	// Brief is the line that scripts get in the page's place; empty for the default, the
	// status, the event's reason and Text. Code is what they get as "error" in JSON; empty
	// for the status in lower case.
	Brief, Code string
}

// Link is a link on a Page.
type Link struct {
	Text, Href string
	NewTab     bool // keep this page open: it holds a form
	Current    bool // it leads to the page that is shown
}

// Form is a form on a Page: a POST of the hidden fields, and of what the person fills
// in, to Action.
type Form struct {
	Action, Button string
	Hidden         map[string]string
	// Fields are filled in by the person; most forms have none.
	Fields []Field
	// AnyTarget says that the answer may redirect to any origin, not to this one only.
	AnyTarget bool
}

// Field is a line of text in a Form, which must not be left empty.
type Field struct {
	Name, Label string
	// Type is that of the input element, such as "text" or "password".
	Type string
	// Value is there already; empty for none.
	Value string
	// Autocomplete tells password managers what it is, such as "username".
	Autocomplete string
}

// Show answers with a page, by [Config.Page] if there is one. The answer is not cached, sends
// no referrer unless the page has a form, and lets nothing in but its own style.
func (s *Site) Show(w http.ResponseWriter, r *http.Request, p Page) {
	h := w.Header()
	respond.PageHeaders(h, p.Framed, p.Form != nil || p.Body != "", p.Form != nil && p.Form.AnyTarget, styleHash)
	challenge(h, p.Status)
	p.Style, p.Site = pageStyle, s.cfg.SiteName
	if s.cfg.Page != nil {
		s.cfg.Page(w, r, p)
		return
	}
	text, err := p.html()
	if err != nil {
		s.cfg.Logger.ErrorContext(r.Context(), "site page template", "page", p.Kind, "error", err)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // the client's loss if it has gone
	}
}

// html fills in the built-in page. What opens a new tab comes before the form, which
// is for afterwards; other links come after it.
func (p *Page) html() ([]byte, error) {
	data := struct {
		*Page
		Before, After []Link
	}{Page: p}
	for _, l := range p.Links {
		if l.NewTab {
			data.Before = append(data.Before, l)
		} else {
			data.After = append(data.After, l)
		}
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, data)
	return b.Bytes(), err
}

//go:embed pages/page.html pages/page.css
var pageFiles embed.FS

var (
	pageStyle    = template.CSS(readPage("pages/page.css"))
	pageTemplate = template.Must(template.New("page").Parse(readPage("pages/page.html")))
	styleHash    = func() string {
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
