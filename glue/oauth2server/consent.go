package oauth2server

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/redirecturi"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

// consentPage is what the page shows that asks a person to authorise an application:
// a form that posts Token and one of two buttons, "decision" with the value "allow" or
// "deny", to Action. What comes from the application is plain text.
type consentPage struct {
	Principal                  string // who is asked
	Name, Description, Website string // of the application, as its owner wrote them
	Owner                      string // who registered it
	// Destination is where the answer goes: the origin of a web site, or the scheme of
	// an application on the person's own device.
	Destination string
	// Unproven says that any program on the person's device could be the one that asks:
	// nothing proves that it is the application named (RFC 8252 section 8.6).
	Unproven bool
	// New is asked for now, Granted asked for again.
	New, Granted []scopeGroup
	Until        string // when what it gets ends by itself
	Action       string
	Settings     string        // where to take it back
	Token        template.HTML // a hidden field, bound to the person and this request
}

// The form of the page.
const (
	decisionField = "decision"
	decisionAllow = "allow"
	decisionDeny  = "deny"
)

// binding names what a person is asked, so that a form that was made for one request
// serves for no other.
func (q *authRequest) binding() xsrf.Option {
	sum := sha256.Sum256([]byte(q.encode()))
	return xsrf.Action("oauth2 consent " + hex.EncodeToString(sum[:]))
}

// unproven reports whether nothing proves that it is this application that asks: it
// shows no secret to get its token, and its answers go to whichever program on the
// person's device listens. In the implicit grant no application shows one.
// Such a consent is never remembered (RFC 8252 section 8.6).
func (q *authRequest) unproven() bool {
	return (q.fragment || !q.client.Confidential) && redirecturi.KindOf(q.redirectURI) != redirecturi.HTTPS
}

// ask shows the consent page.
func (a *authorizer) ask(w http.ResponseWriter, r *http.Request, q *authRequest) {
	id, _ := glue.IdentityFrom(r.Context())
	have, err := a.store.Consented(r.Context(), id.Principal, q.client.ID)
	if err != nil {
		a.storeDown(w, r, err)
		return
	}
	isNew := func(scope Scope) bool { return !slices.Contains(have, scope.Name) }
	asked := a.scopes.pick(q.scopes)
	page := consentPage{
		Principal: id.Principal, Owner: q.client.Owner,
		Name: q.client.Name, Description: q.client.Description, Website: q.client.Website,
		Destination: redirecturi.Destination(q.redirectURI), Unproven: q.unproven(),
		Action: a.cfg.Path + pathAuthorize + "?" + q.encode(),
		Token:  a.cfg.Guard.Field(r, q.binding()),
		New:    asked.where(isNew).groups(), Granted: asked.where(func(c Scope) bool { return !isNew(c) }).groups(),
		Settings: settings{a.Server}.path("/authorised"), Until: dateText(a.site.Now().Add(a.cfg.GrantLife)),
	}
	if q.fragment { // nothing that it gets can be renewed
		page.Until = momentText(a.site.Now().Add(a.cfg.AccessLife))
	}
	a.show(w, r, site.Page{
		Kind: "consent", Status: http.StatusOK, Title: "Allow " + isolated(page.Name) + " to use " + isolated(a.site.Name()) + " for you?", Form: &site.Form{AnyTarget: true},
	}, page)
}

// decide carries out what a person chose on the consent page. The form holds nothing
// but that choice: what is authorised is in the address, to which the form is bound.
func (a *authorizer) decide(w http.ResponseWriter, r *http.Request, q *authRequest) {
	if _, resumed := glue.KeptFormFrom(r.Context()); resumed {
		// Somebody logged in between the question and the answer: it is asked again.
		a.ask(w, r, q)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	check := a.cfg.Guard.With(q.binding()).Check(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch decisionOf(r) {
		case decisionAllow:
			a.give(w, r, q, true)
		case decisionDeny:
			id, _ := glue.IdentityFrom(r.Context())
			a.event(r, event{Name: EventDeclined, Principal: id.Principal, ClientID: q.client.ID})
			a.redirectError(w, r, q, errAccessDenied)
		default:
			a.stop(w, r, "decision", pageBadRequest)
		}
	}))
	a.cfg.Guard.Protect(check).ServeHTTP(w, r)
}

// decisionOf returns the pressed button from the form, never from the address.
func decisionOf(r *http.Request) string {
	if err := r.ParseForm(); err != nil || len(r.PostForm[decisionField]) != 1 {
		return ""
	}
	return r.PostForm[decisionField][0]
}

// resume sends the application what the person authorised earlier, and otherwise asks.
func (a *authorizer) resume(w http.ResponseWriter, r *http.Request, q *authRequest) {
	if q.unproven() || slices.Contains(q.prompt, promptConsent) {
		a.askOrFail(w, r, q)
		return
	}
	a.give(w, r, q, false)
}

// askOrFail asks, unless the application wants nobody to be asked.
func (a *authorizer) askOrFail(w http.ResponseWriter, r *http.Request, q *authRequest) {
	if slices.Contains(q.prompt, promptNone) {
		a.redirectError(w, r, q, errConsentRequired)
		return
	}
	a.ask(w, r, q)
}

// give sends the browser to the application with a new authorization code, or, in the
// implicit grant, with a token. asked says that the person has just been asked.
func (a *authorizer) give(w http.ResponseWriter, r *http.Request, q *authRequest, asked bool) {
	id, _ := glue.IdentityFrom(r.Context())
	if q.fragment {
		a.giveToken(w, r, q, id.Principal, asked)
		return
	}
	text, err := a.store.Authorise(r.Context(), q.codeFor(id.Principal), asked)
	if err != nil {
		a.giveNothing(w, r, q, err)
		return
	}
	a.event(r, event{Name: EventAuthorised, Principal: id.Principal, ClientID: q.client.ID})
	a.redirect(w, r, q, url.Values{"code": {text}})
}

// codeFor returns what the request asks of a person.
func (q *authRequest) codeFor(principal string) store.Code {
	return store.Code{
		ClientID: q.client.ID, Principal: principal, RedirectURI: q.redirectURI,
		Scopes: q.scopes, Challenge: q.challenge,
	}
}

// giveNothing answers where the store issued neither code nor token.
func (a *authorizer) giveNothing(w http.ResponseWriter, r *http.Request, q *authRequest, err error) {
	switch {
	case errors.Is(err, store.ErrNoConsent):
		a.askOrFail(w, r, q)
	case errors.Is(err, store.ErrStale):
		a.stop(w, r, "redirect-uri-gone", pageBadRedirect)
	case errors.Is(err, store.ErrNotFound):
		a.stop(w, r, "client-gone", pageUnknownClient)
	default:
		a.storeDown(w, r, err)
	}
}
