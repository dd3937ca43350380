package oauth2server

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

// settings are the pages where people manage what may act for them. Each person sees
// and changes their own only: the store asks for the person in every statement.
type settings struct{ *Server }

// personal answers a person who is logged in. Errors are those of the store, and
// errMayNotRegister.
type personal func(w http.ResponseWriter, r *http.Request, id glue.Identity) error

// settingsHandler serves the pages at Config.Path + "/settings" and below.
func (s *Server) settingsHandler() http.Handler {
	p, mux := settings{s}, http.NewServeMux()
	fresh := s.cfg.Auth.With(func(p *glue.Policy) {
		p.Fresh = s.cfg.FreshFor
		p.Msg = "you are about to give access to your account"
	})
	// What gives access needs a password typed just now, from the first page on. What
	// takes it away is to be easy.
	for pattern, h := range map[string]personal{
		"GET /tokens/new": p.newToken, "POST /tokens/new": p.makeToken,
		"GET /applications/new": p.registrars(p.newApp), "POST /applications/new": p.registrars(p.makeApp),
		"GET /applications/{id}/edit": p.registrars(p.own(p.editApp)), "POST /applications/{id}/edit": p.registrars(p.own(p.changeApp)),
		"GET /applications/{id}/secret": p.registrars(p.own(p.askSecret)), "POST /applications/{id}/secret": p.registrars(p.own(p.makeSecret)),
	} {
		mux.Handle(p.pattern(pattern), p.guarded(fresh, h))
	}
	for pattern, h := range map[string]personal{
		"GET /tokens": p.listTokens, "POST /tokens/{id}/revoke": p.remover(p.store.RevokePersonal, EventTokenRevoked, "/tokens", "revoked"),
		"GET /applications": p.listApps, "GET /applications/{id}": p.own(p.showApp),
		"POST /applications/{id}/delete": p.remover(p.store.DeleteClient, EventClientDeleted, "/applications", "deleted"),
		"GET /authorised":                p.listAuthorised,
		"POST /authorised/{id}/revoke":   p.remover(p.store.RevokeAuthorisation, EventUnauthorised, "/authorised", "revoked"),
		"GET /{rest...}":                 noPage, "POST /{rest...}": noPage,
	} {
		mux.Handle(p.pattern(pattern), p.guarded(s.cfg.Auth, h))
	}
	start := http.RedirectHandler(p.path("/tokens"), http.StatusSeeOther)
	mux.Handle(p.pattern("GET /{$}"), start)
	mux.Handle("GET "+p.path(""), start)
	return mux
}

// noPage is at all other addresses.
func noPage(http.ResponseWriter, *http.Request, glue.Identity) error { return store.ErrNotFound }

// remover removes something of a person's by its id, and leads back to a list.
func (p settings) remover(remove func(ctx context.Context, principal, id string) error, name, list, what string) personal {
	return func(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
		which := r.PathValue("id")
		if err := remove(r.Context(), id.Principal, which); err != nil {
			return err
		}
		e := event{Name: name, Principal: id.Principal, ClientID: which}
		if name == EventTokenRevoked {
			e.ClientID, e.TokenID = "", which
		}
		p.event(r, e)
		to := list
		if from := r.URL.Query().Get(fromParam); from != "" { // back to the page of the list
			to += fromQuery(from)
		}
		p.done(w, r, to, what)
		return nil
	}
}

// path returns the path of a settings page.
func (p settings) path(of string) string { return p.cfg.Path + pathSettings + of }

// pattern returns the pattern of a settings page for [http.ServeMux]: a method, a blank
// and a path.
func (p settings) pattern(of string) string {
	method, path, _ := strings.Cut(of, " ")
	return method + " " + p.path(path)
}

// maxSettingsForm is the largest form that is read, in bytes: what glue keeps over a
// login.
const maxSettingsForm = 64 << 10

// settingsAction keeps tokens that the site made for other forms from fitting here.
var settingsAction = xsrf.Action("oauth2 settings")

// guarded lets people in, and of forms only those that these pages made for them.
func (p settings) guarded(auth *glue.Auth, h personal) http.Handler {
	checked := p.cfg.Guard.With(settingsAction).Check(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() != nil {
			p.problem(w, r, event{Name: EventRefused, Reason: "form", Err: errors.New("the form is malformed or too large")}, site.Page{
				Kind: "form", Status: http.StatusBadRequest, Title: "This form did not arrive in one piece",
				Text: []string{"Nothing was changed. Go back, and send it again."},
			})
			return
		}
		id, _ := glue.IdentityFrom(r.Context()) // always there, under Require
		if err := h(w, r, id); err != nil {
			p.failed(w, r, id, err)
		}
	}))
	return auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxSettingsForm)
		checked.ServeHTTP(w, r)
	}))
}

// guardedForm is what every page with forms needs.
type guardedForm struct {
	// Token goes into each form. It works once, so that a page that is reloaded does not
	// send its form again unnoticed.
	Token  template.HTML
	Errors fieldErrors
}

func (p settings) form(r *http.Request, errs ...fieldError) guardedForm {
	return guardedForm{Token: p.cfg.Guard.Field(r, settingsAction, xsrf.SingleUse()), Errors: errs}
}

// status returns the status of the page with the form.
func (f guardedForm) status() int {
	if len(f.Errors) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// fieldError says what is wrong with a field of a form, and how to mend it.
type fieldError struct {
	Field string // the element's id; empty where it is no single field's fault
	Text  string
}

type fieldErrors []fieldError

// On returns what is wrong with a field; empty for nothing.
func (e fieldErrors) On(field string) string {
	for _, one := range e {
		if one.Field == field {
			return one.Text
		}
	}
	return ""
}

// page shows one of the settings pages, of which section is a part.
func (p settings) page(w http.ResponseWriter, r *http.Request, section string, page site.Page, data any) error {
	for _, l := range []site.Link{
		{Text: "Tokens", Href: p.path("/tokens")},
		{Text: "Your applications", Href: p.path("/applications")},
		{Text: "Allowed applications", Href: p.path("/authorised")},
	} {
		l.Current = l.Href == p.path(section)
		page.Nav = append(page.Nav, l)
	}
	page.Nav = append(page.Nav, site.Link{Text: "Back to the site", Href: p.cfg.Home})
	if logout := p.cfg.Auth.LogoutPath(); logout != "" { // by GET it asks first
		page.Nav = append(page.Nav, site.Link{Text: "Log out", Href: logout})
	}
	page.Status = cmp.Or(page.Status, http.StatusOK)
	p.show(w, r, page, data)
	return nil
}

// doneParam tells the page that a form leads to what the form did.
const doneParam = "done"

// done leads on from a form that did its work, so that reloading does nothing.
func (p settings) done(w http.ResponseWriter, r *http.Request, to, what string) {
	mark := "?"
	if strings.Contains(to, mark) {
		mark = "&"
	}
	respond.Redirect(w, r, p.path(to)+mark+doneParam+"="+what)
}

// notice returns the text for what was just done, unless another site's link claims it.
func notice(r *http.Request, texts map[string]string) string {
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" && from != "same-origin" {
		return ""
	}
	return texts[r.URL.Query().Get(doneParam)]
}

// failed answers where the store refuses, or cannot say. It says the same of what is
// gone, what is somebody else's, and what never was.
func (p settings) failed(w http.ResponseWriter, r *http.Request, id glue.Identity, err error) {
	switch {
	case errors.Is(err, errMayNotRegister):
		p.problem(w, r, event{Name: EventRefused, Reason: "may-not-register", Principal: id.Principal}, site.Page{
			Kind: "forbidden", Status: http.StatusForbidden, Title: "You may not register or change applications",
			Text:  []string{"This site lets only some people do that. If you think that you should be among them, ask the site’s webmaster."},
			Links: []site.Link{{Text: "Go to your applications", Href: p.path("/applications")}},
		})
	case errors.Is(err, store.ErrNotFound):
		page := pageNotFound
		page.Text = []string{"What you asked for is not among your settings. It may have been removed."}
		page.Links = []site.Link{{Text: "Go to your settings", Href: p.path("/tokens")}}
		p.problem(w, r, event{Name: EventRefused, Reason: "not-found", Principal: id.Principal}, page)
	default:
		p.storeDown(w, r, err)
	}
}
