package wlsbridge

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// What a person confirmed is remembered, sealed, in their browser: for that person, until it is
// closed or they log out, and for a day at most, because many browsers are never closed.
const (
	confirmedLife = 24 * time.Hour
	maxConfirmed  = 100
	maxForm       = 16 << 10
)

// The form of the page.
const (
	decisionField    = "decision"
	decisionContinue = "continue"
	decisionCancel   = "cancel"
)

// confirmPage is what the page shows that asks whether a site may be told who somebody is.
type confirmPage struct {
	Host, Rest, Name string // of the site, as configured
	HTTP             bool
	Principal        string
	Current          bool   // it is told that they are at the University now
	Groups           string // the other ptags that it is told
	Desc, Msg        string // the site's own words, in plain text
	Action           string
	Token            template.HTML
}

// confirm asks.
func (x *exchange) confirm(t told) {
	p := confirmPage{
		Name: x.site.Name, Principal: t.id.Principal, HTTP: strings.HasPrefix(x.site.origin, "http:"),
		Desc: siteWords(x.ask.Desc), Msg: siteWords(x.ask.Msg),
		Action: x.self(x.mark()), Token: x.b.guard.Field(x.r, x.binding()),
	}
	p.Host, p.Rest = x.site.label()
	switch {
	case x.ask.Ver == 3:
		p.Current = slices.Contains(t.ptags, ptagCurrent)
		p.Groups = strings.Join(slices.DeleteFunc(slices.Clone(t.ptags), func(t string) bool { return t == ptagCurrent }), ", ")
	case !x.site.InsecureImplyCurrent:
		p.Current = true // see problem
	}
	var body strings.Builder
	if err := pageTemplates.ExecuteTemplate(&body, "confirm.html", p); err != nil {
		x.b.site.Logger().Error("bridge page template", "error", err)
		http.Error(x.w, "The page is out of order.", http.StatusInternalServerError)
		return
	}
	x.report(site.Event{Name: EventConfirm, Principal: t.id.Principal})
	x.b.site.Show(x.w, x.r, site.Page{
		Kind: "bridge-confirm", Status: http.StatusOK, Title: "Log in to " + p.Host + "?",
		Principal: t.id.Principal, Body: template.HTML(body.String()), Form: &site.Form{AnyTarget: true}, // the template escapes
		Links: []site.Link{{Text: "Not you? Log out", Href: x.origin() + x.b.cfg.LogoutPath}},
	})
}

// mark returns the mark that the request has.
func (x *exchange) mark() string {
	if x.asked == nil {
		return ""
	}
	return x.asked.sealed
}

// binding names what a person is asked, so that a form that was made for one request, before
// or after a login, serves for no other.
func (x *exchange) binding() xsrf.Option {
	sum := sha256.Sum256([]byte(x.self(x.mark())))
	return xsrf.Action("wlsbridge confirm " + hex.EncodeToString(sum[:]))
}

// decide carries out what a person chose. The form holds nothing but that: which request it is
// about is in the address, to which the form is bound. Whoever sends one that was made for
// another session or request, or long ago, is asked again.
func (x *exchange) decide(t told) {
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, maxForm)
	err := x.b.guard.VerifyOrigin(x.r)
	if err == nil {
		err = x.b.guard.Verify(x.w, x.r, x.binding())
	}
	switch {
	case errors.Is(err, xsrf.ErrMissing), errors.Is(err, xsrf.ErrMalformed), errors.Is(err, xsrf.ErrNotValid), errors.Is(err, xsrf.ErrExpired):
		x.confirm(t)
		return
	case err != nil:
		x.b.guard.Refuse(x.w, x.r, err)
		return
	}
	switch x.r.PostForm.Get(decisionField) {
	case decisionContinue:
		x.remember(t.id.Principal)
		x.give(t)
	case decisionCancel:
		x.fail(wls.StatusCancelled, "")
	default:
		x.stop("decision", nil, pageRequest)
	}
}

// isConfirmed reports whether the person need not be asked.
func (x *exchange) isConfirmed(principal string) bool {
	if x.b.cfg.Confirm == ConfirmNever {
		return true
	}
	sites := x.confirmed(principal)
	if x.b.cfg.Confirm == ConfirmFirst {
		return len(sites) > 0
	}
	return slices.Contains(sites, x.site.mark())
}

// mark names the site in the browser's memory.
func (s *relyingSite) mark() string {
	h := sha256.Sum256([]byte(s.origin + s.path))
	return base64.RawURLEncoding.EncodeToString(h[:12])
}

// confirmed returns the marks of the sites that the person confirmed in this browser.
func (x *exchange) confirmed(principal string) []string {
	name := x.b.cookieName(confirmedCookie, x.origin())
	plain, _, err := x.b.seals.Load().confirmed.Open(name, cookie.Get(x.r, name), x.b.site.Now())
	who, sites, _ := strings.Cut(plain, "\n")
	if err != nil || who != principal {
		return nil
	}
	return strings.Fields(sites)
}

// remember adds the site.
func (x *exchange) remember(principal string) {
	sites := append(slices.DeleteFunc(x.confirmed(principal), func(m string) bool { return m == x.site.mark() }), x.site.mark())
	sites = sites[max(0, len(sites)-maxConfirmed):]
	name := x.b.cookieName(confirmedCookie, x.origin())
	value, err := x.b.seals.Load().confirmed.Seal(name, x.b.site.Now().Add(confirmedLife), []byte(principal+"\n"+strings.Join(sites, " ")))
	if err == nil { // else the person is asked again
		http.SetCookie(x.w, x.b.cookie(confirmedCookie, x.origin(), value))
	}
}

// forget forgets all that anybody confirmed in a browser.
func (b *Bridge) forget(w http.ResponseWriter, r *http.Request) {
	if origin, ok := b.site.OriginOf(r.Host); ok {
		c := b.cookie(confirmedCookie, origin, "")
		c.MaxAge = -1
		http.SetCookie(w, c)
	}
}
