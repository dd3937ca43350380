package xsrf

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
)

// Option narrows a token.
type Option func(*binding, *bool)

// Action returns an option that binds a token to one action, such as "delete-account": it works
// for nothing else. What makes a token and what checks it must name the same.
func Action(name string) Option { return func(b *binding, _ *bool) { b.action = name } }

// SingleUse returns an option for a token that works once. Check and Verify see that from the
// token; with this option they take no other.
func SingleUse() Option { return func(_ *binding, once *bool) { *once = true } }

// Send returns a handler that adds a token to every answer of next, in the header X-XSRF-Token
// and in a cookie XSRF-TOKEN that the site's scripts can read. Mount it inside auth.Require or
// auth.Optional; [Guard.With] narrows the token.
func (g *Guard) Send(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = g.withVisitor(w, r)
		h := w.Header()
		if token, err := g.Token(r); err == nil {
			g.give(w, token)
		}
		if h.Get("Cache-Control") == "" {
			h.Set("Cache-Control", "private, no-cache")
		}
		next.ServeHTTP(w, r)
	})
}

// give hands a token to the site's scripts. Another site of the same host has its own cookie:
// names cannot differ, as scripts look for this one.
func (g *Guard) give(w http.ResponseWriter, token string) {
	if !g.cfg.NoHeader {
		w.Header().Set(Header, token)
	}
	if !g.cfg.NoCookie {
		http.SetCookie(w, &http.Cookie{
			Name: CookieName, Value: token, Path: cookiePath(g.cfg.Site.Path()), MaxAge: int(g.cfg.TTL / time.Second),
			Secure: g.secure(), SameSite: http.SameSiteLaxMode, // and readable by script: that is its purpose
		})
	}
}

// cookiePath returns the path of a cookie for a site below path: "/" where an attribute cannot say
// that path.
func cookiePath(path string) string {
	if path == "" || strings.Contains(path, ";") {
		return "/"
	}
	return path
}

// Token returns a token for the person or visitor who sends r, or ErrNoUser for a visitor
// without an id, which Send sets.
func (g *Guard) Token(r *http.Request, options ...Option) (string, error) {
	b, err := g.bindingOf(r)
	if err != nil {
		return "", err
	}
	once := g.narrow(&b, options)
	return mint(g.keys()[0], b, once, g.cfg.Site.Now()), nil
}

// Field returns a hidden form field with a token, for templates. It is empty where Token fails;
// the form is then refused.
func (g *Guard) Field(r *http.Request, options ...Option) template.HTML {
	token, err := g.Token(r, options...)
	if err != nil || len(g.cfg.Fields) == 0 {
		return ""
	}
	return template.HTML(`<input type="hidden" name="` + template.HTMLEscapeString(g.cfg.Fields[0]) + `" value="` + token + `">`)
}

// bindingOf returns whom a token of this request is for.
func (g *Guard) bindingOf(r *http.Request) (binding, error) {
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		return binding{who: id.Principal, session: id.SessionID}, nil
	}
	if id := g.visitor(r); id != "" {
		return binding{visitor: true, who: id}, nil
	}
	return binding{}, ErrNoUser
}

// visitorCookie holds the random id of a visitor who is not logged in.
func (g *Guard) visitorCookie() string {
	if g.secure() {
		return "__Host-wls-visitor"
	}
	return "wls-visitor"
}

func (g *Guard) secure() bool { return strings.HasPrefix(g.cfg.Site.Origins()[0], "https:") }

// visitor returns the visitor's id; empty where there is none.
func (g *Guard) visitor(r *http.Request) string {
	if id, ok := r.Context().Value(visitorKey{}).(string); ok {
		return id // given just now
	}
	id := cookie.Get(r, g.visitorCookie())
	if len(id) != 22 {
		return ""
	}
	return id
}

type visitorKey struct{}

// withVisitor makes sure that a visitor has an id, and that this request knows it.
func (g *Guard) withVisitor(w http.ResponseWriter, r *http.Request) *http.Request {
	if _, err := g.bindingOf(r); err == nil {
		return r
	}
	var raw [16]byte
	rand.Read(raw[:])
	id := base64.RawURLEncoding.EncodeToString(raw[:])
	http.SetCookie(w, &http.Cookie{
		Name: g.visitorCookie(), Value: id, Path: "/",
		Secure: g.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, id))
}
