package serve

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Page returns what shows pages by the configuration's template; nil where it has none.
func (c *Config) Page() (func(http.ResponseWriter, *http.Request, site.Page), error) {
	if c.PageTemplate == "" {
		return nil, nil
	}
	page, err := loadPage(c.PageTemplate, c.Program, c.Logger)
	if err != nil {
		return nil, c.File.Errorf("page-template", "%v", err)
	}
	return page, nil
}

// samplePage has all that a page can have.
var samplePage = site.Page{Kind: "sample", Status: http.StatusBadGateway, Title: "This part of the site does not answer",
	Text:      []string{"Nothing is wrong with your account."},
	Principal: "spqr1", Ref: "ABCDEFGH", Site: "soc.example",
	Links: []site.Link{{Text: "Front page", Href: "/"}},
	Form:  &site.Form{Action: "/", Button: "Continue", Hidden: map[string]string{"a": "b"}}}

// maxTemplate is the largest page template, in bytes.
const maxTemplate = 1 << 20

// loadPage reads a template for pages, and tries it with one of them.
func loadPage(file, program string, log *slog.Logger) (func(http.ResponseWriter, *http.Request, site.Page), error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("%s is larger than %d bytes", file, maxTemplate)
	}
	t, err := template.New("page").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, &samplePage); err != nil {
		return nil, err
	}
	for part, missing := range map[string]string{samplePage.Title: "{{.Title}}", `value="b"`: "the form's hidden fields", samplePage.Links[0].Text: "the links"} {
		if !strings.Contains(b.String(), part) {
			return nil, errors.New("it does not show " + missing + ", so that people could not go on")
		}
	}
	return func(w http.ResponseWriter, r *http.Request, p site.Page) {
		var b bytes.Buffer
		if err := t.Execute(&b, &p); err != nil {
			log.ErrorContext(r.Context(), program+": page template", "error", err)
			b.Reset()
			b.WriteString(template.HTMLEscapeString(p.Title))
		}
		h := w.Header()
		h.Set("Content-Security-Policy", ownStyle(h.Get("Content-Security-Policy")))
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(p.Status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(b.Bytes()) // the client's loss if it has gone
		}
	}, nil
}

// ownStyle changes the policy of glue's page into one for a page with a style, images
// and fonts of the site's own. Scripts stay out, and forms lead where they did.
func ownStyle(policy string) string {
	parts := strings.Split(policy, "; ")
	for i, part := range parts {
		if strings.HasPrefix(part, "style-src ") {
			parts[i] = "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'"
		}
	}
	return strings.Join(parts, "; ")
}
