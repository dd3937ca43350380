package site

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Event is something that operators may want to know. It holds no password, token or
// other secret.
type Event struct {
	// From says who reports it, in the log's message: "wls" (packages glue and gateway), "bridge",
	// "site", "xsrf", "password", "remoteuser" or "oauth2".
	From string
	// Name is one of the Event constants of that package.
	Name string
	// Reason says which check failed, if one did.
	Reason string
	// Principal is the person it is about, if known for certain.
	Principal string
	// Ref is the reference on the page that the person sees.
	Ref string
	// Client is the address that the request comes from; see [ClientIP].
	Client string
	// Path of the request, without the query, and Host as the client sent it.
	Path, Host string
	// Level is that of the log line.
	Level slog.Level
	// Err has the details.
	Err error
	// More is what else the log line says.
	More []slog.Attr
}

// Report reports something about a request, to the log and to [Config.OnEvent]. It fills in
// Client, Host and, where that is empty, Path. The names of
// the log's attributes are stable.
func (s *Site) Report(r *http.Request, e Event) {
	e.Host = r.Host
	if e.Path == "" {
		e.Path = s.pathAsked(r)
	}
	if ip := ClientIP(r); ip.IsValid() {
		e.Client = ip.String()
	}
	s.Tell(r.Context(), e)
}

// Tell is [Site.Report] for what belongs to no request.
func (s *Site) Tell(ctx context.Context, e Event) {
	if s.cfg.Logger.Enabled(ctx, e.Level) {
		s.cfg.Logger.LogAttrs(ctx, e.Level, e.From+" "+e.Name, e.attrs()...)
	}
	if s.cfg.OnEvent != nil {
		s.cfg.OnEvent(ctx, e)
	}
}

func (e *Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("event", e.Name)}
	for _, a := range []struct{ key, value string }{
		{"reason", e.Reason}, {"principal", e.Principal}, {"ref", e.Ref}, {"path", e.Path}, {"client", e.Client},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
		if a.key == "principal" {
			attrs = append(attrs, e.More...)
		}
	}
	if e.Name == EventMisdirected {
		attrs = append(attrs, slog.String("host", quoteHost(e.Host)))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	return attrs
}

// EventMisdirected is the name of the event of a request for a host that is not
// configured.
const EventMisdirected = "misdirected"

// Refuse reports an event with a reference and answers: with the page for people, with
// JSON or a line of text for scripts. A page without Links gets one to the page that was
// asked for, where trying again may help, or else to the site's start.
func (s *Site) Refuse(w http.ResponseWriter, r *http.Request, e Event, p Page) {
	if !WantsPage(r) {
		s.Report(r, e)
		p.brief(w, r, e.Reason)
		return
	}
	e.Ref = respond.Ref()
	s.Report(r, e)
	p.Ref = e.Ref
	if p.Links == nil {
		p.Links = s.nextStep(r, p.Status)
	}
	s.Show(w, r, p)
}

// brief answers a script.
func (p *Page) brief(w http.ResponseWriter, r *http.Request, reason string) {
	challenge(w.Header(), p.Status)
	status := http.StatusText(p.Status)
	code, text := p.Code, p.Brief
	if code == "" {
		code = strings.ToLower(status)
	}
	if text == "" {
		text = status + ": " + reason + ". " + strings.Join(p.Text, " ")
	}
	respond.Brief(w, r, p.Status, code, reason, text)
}

// challenge names a scheme in an answer with 401 that names none, as RFC 9110 section
// 11.6.1 wants it.
func challenge(h http.Header, status int) {
	if status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Ucam-WebAuth")
	}
}

// nextStep returns what to do about a page that knows nothing better. Trying again, by a
// link, does not send a form again.
func (s *Site) nextStep(r *http.Request, status int) []Link {
	home, asked := s.path+"/", s.localAsked(r)
	again := status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
	switch {
	case again && r.Method == http.MethodGet && asked != "":
		return []Link{{Text: "Try again", Href: asked}}
	case asked != home:
		return []Link{{Text: "Front page", Href: home}}
	}
	return nil
}

// localAsked returns the path, with its query, that the browser asked for, without a
// response of the login service; empty where no browser would ask this site for that.
func (s *Site) localAsked(r *http.Request) string {
	path, query, err := webauth.CanonicalTarget(s.Asked(r))
	target := localpath.WithQuery(path, webauth.StripResponse(query))
	if err != nil || !s.Local(target) {
		return ""
	}
	return target
}

// SameOrigin reports whether a page of this very origin sent the request, as the browser
// says, and whether it says anything. An Origin of "null" says nothing: browsers without
// Sec-Fetch-Site, and all of them on plain http, send it from our own pages, because those
// ask for no referrer. A request that says nothing is not from the same origin.
func (s *Site) SameOrigin(r *http.Request) (same, told bool) {
	from, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if origin == "null" {
		origin = ""
	}
	if from == "" && origin == "" {
		return false, false
	}
	own, ok := s.OriginOf(r.Host)
	return ok && (from == "" || from == "same-origin") && (origin == "" || origin == own), true
}

// pathAsked returns the path that the browser asked for, in the form in which browsers ask for
// it where there is one.
func (s *Site) pathAsked(r *http.Request) string {
	path, query := s.Asked(r)
	if normal, _, err := webauth.CanonicalTarget(path, query); err == nil {
		return normal
	}
	return path
}
