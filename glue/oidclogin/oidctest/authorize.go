package oidctest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// maxForm bounds the login form, and what sites send.
const maxForm = 16 << 10

// authRequest is an authentication request as a browser brought it (OpenID Connect Core
// 1.0, section 3.1.2.1), or the login form that the browser sent for it.
type authRequest struct {
	params      url.Values
	app         App
	redirectURI string   // empty where the browser cannot be sent back
	refused     failure  // why the request is unusable
	prompt      []string // none, login, select_account
	maxAge      time.Duration
	hasMaxAge   bool
	login       *session // who is logged in, nil for nobody
	submitted   bool     // whether the browser sent the login form
	typed       bool     // whether login is from a password typed just now
	cancelled   bool     // whether the person pressed Cancel
}

// failure is an error that a provider answers; the zero failure is none.
type failure struct{ code, description string }

// newAuthRequest reads a request.
func (p *Provider) newAuthRequest(rawQuery string) authRequest {
	query, err := url.ParseQuery(rawQuery)
	a := authRequest{params: query}
	app, ok := p.apps.get(query.Get("client_id"))
	switch uri := query.Get("redirect_uri"); {
	case err != nil || doubled(query) != "":
		a.refused = failure{"invalid_request", "unreadable, or a parameter twice: " + doubled(query)}
	case !ok:
		a.refused = failure{"unauthorized_client", "no such client_id is registered"}
	case !registered(app.RedirectURIs, uri):
		a.refused = failure{"invalid_request", "redirect_uri is not registered for this client_id"}
	default:
		a.app, a.redirectURI = app, uri
		a.refused = a.read()
	}
	return a
}

// read reads the parameters beside client and redirect_uri.
func (a *authRequest) read() failure {
	get := a.params.Get
	a.prompt = strings.Fields(get("prompt"))
	for _, prompt := range a.prompt {
		if !slices.Contains([]string{"none", "login", "select_account", "consent"}, prompt) {
			return failure{"invalid_request", "unknown prompt"}
		}
	}
	if raw := get("max_age"); raw != "" {
		seconds, err := strconv.ParseUint(raw, 10, 31)
		if err != nil {
			return failure{"invalid_request", "max_age is no number of seconds"}
		}
		a.maxAge, a.hasMaxAge = time.Duration(seconds)*time.Second, true
	}
	switch {
	case get("response_type") != "code":
		return failure{"unsupported_response_type", "response_type must be code"}
	case get("response_mode") != "" && get("response_mode") != "query":
		return failure{"invalid_request", "response_mode must be query"}
	case !slices.Contains(strings.Fields(get("scope")), "openid"):
		return failure{"invalid_scope", "scope must have openid"}
	case get("code_challenge_method") != "S256" || len(get("code_challenge")) != 43:
		return failure{"invalid_request", "PKCE with S256 is required"}
	case a.asks("none") && len(a.prompt) > 1:
		return failure{"invalid_request", "prompt none goes with no other"}
	case get("request") != "":
		return failure{"request_not_supported", "request objects are not supported"}
	case get("request_uri") != "":
		return failure{"request_uri_not_supported", "request objects are not supported"}
	}
	return failure{}
}

func (a authRequest) asks(prompt string) bool { return slices.Contains(a.prompt, prompt) }

// doubled returns the name of a parameter that is there twice.
func doubled(query url.Values) string {
	for name, values := range query {
		if len(values) > 1 {
			return name
		}
	}
	return ""
}

// user returns the id of who is logged in, or "" for nobody.
func (a authRequest) user() string {
	if a.login == nil {
		return ""
	}
	return a.login.user
}

// mustType reports whether the person must type the password, at the time now.
func (a authRequest) mustType(f Fault, now time.Time) bool {
	switch {
	case a.typed:
		return false
	case a.login == nil:
		return true
	case f == FaultIgnorePrompt:
		return false
	case a.asks("login") || a.asks("select_account"):
		return true
	}
	return a.hasMaxAge && now.Sub(a.login.typed) > a.maxAge
}

// decide is the protocol: it returns the kind of answer at the time now, and the error that
// is sent or explained.
func (a authRequest) decide(o Outcome, now time.Time) (Reply, failure) {
	silent := a.asks("none") && o.Fault != FaultSilentInteracts
	switch {
	case a.redirectURI == "":
		return ReplyPage, a.refused
	case a.refused.code != "":
		return ReplyReturn, a.refused
	case o.Error != "":
		return ReplyReturn, failure{o.Error, o.Description}
	case a.cancelled:
		return ReplyReturn, failure{"access_denied", "cancelled by the user"}
	case silent && (a.typed || a.mustType(o.Fault, now)):
		return ReplyReturn, failure{"login_required", "the user would have to log in"}
	case a.mustType(o.Fault, now):
		return ReplyForm, failure{}
	}
	return ReplyReturn, failure{}
}

// arrive serves a browser that comes from a site.
func (p *Provider) arrive(rw http.ResponseWriter, r *http.Request) {
	a := p.newAuthRequest(r.URL.RawQuery)
	a.login = p.sessionOf(r)
	p.serve(rw, r, a)
}

// submit serves a browser that sends the login form.
func (p *Provider) submit(rw http.ResponseWriter, r *http.Request) {
	if !fakelogin.FromOwnPage(r) {
		pages.Render(rw, http.StatusForbidden, "refused", nil)
		return
	}
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		pages.Render(rw, http.StatusBadRequest, "refused", nil)
		return
	}
	a := p.newAuthRequest(r.URL.RawQuery)
	a.submitted = true
	switch {
	case r.PostForm.Has("cancel"):
		a.login, a.cancelled = p.sessionOf(r), true
	case a.refused.code == "":
		id := strings.TrimSpace(r.PostForm.Get("userid"))
		if _, active := p.user(id); !active || r.PostForm.Get("pwd") == "" {
			p.journal.add(Exchange{At: p.Now(), Endpoint: EndpointAuthorize, Params: a.params, Submitted: true, BadLogin: true, Reply: ReplyForm, Status: http.StatusForbidden})
			p.renderForm(rw, http.StatusForbidden, a, id, true)
			return
		}
		s := p.startSession(rw, r, id)
		a.login, a.typed = &s, true
	}
	p.serve(rw, r, a)
}

func (p *Provider) serve(rw http.ResponseWriter, r *http.Request, a authRequest) {
	e := p.exchange(a, func(d time.Duration) bool { return p.wait(r.Context(), d) })
	switch e.Reply {
	case ReplyClosed:
		panic(http.ErrAbortHandler) // how net/http is told to close the connection
	case ReplyForm:
		p.renderForm(rw, e.Status, a, a.user(), false)
	case ReplyPage:
		pages.Render(rw, e.Status, "failure", map[string]any{"Error": a.refused.code, "Description": a.refused.description})
	default:
		redirect(rw, r, e.ReturnURL)
	}
}

// exchange answers a request as script, faults and protocol have it, and logs that. wait
// makes the outcome's delay and reports whether the browser is still there.
func (p *Provider) exchange(a authRequest, wait func(time.Duration) bool) Exchange {
	o, giveBack := p.script.choose(a.user())
	e := Exchange{At: p.Now(), Endpoint: EndpointAuthorize, Params: a.params, Submitted: a.submitted, User: a.user(), Fault: o.Fault}
	if !wait(o.Delay) {
		e.Reply = ReplyClosed
	} else {
		p.resolve(&e, a, o)
	}
	if e.Reply == ReplyForm {
		e.Fault = FaultNone // it is still to come
		giveBack()
	}
	p.journal.add(e)
	return e
}

// resolve decides the request and fills in the answer.
func (p *Provider) resolve(e *Exchange, a authRequest, o Outcome) {
	var refused failure
	e.Reply, refused = a.decide(o, p.Now())
	e.Error = refused.code
	switch e.Reply {
	case ReplyForm:
		e.Status = http.StatusOK
		return
	case ReplyPage:
		e.Status = http.StatusBadRequest
		return
	}
	e.Status = http.StatusSeeOther
	answer := url.Values{"iss": {p.issuer}}
	if state := a.params.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if refused.code != "" {
		answer.Set("error", refused.code)
		if refused.description != "" {
			answer.Set("error_description", refused.description)
		}
	} else {
		answer.Set("code", p.grant(a, o))
	}
	e.ReturnURL = p.returnURL(a, o, answer)
}

// returnURL is where the answer takes the browser.
func (p *Provider) returnURL(a authRequest, o Outcome, answer url.Values) string {
	ef := o.Fault.effect()
	if ef.answer != nil {
		ef.answer(p, a, answer)
	}
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
	}
	if ef.location != nil {
		return ef.location(a.redirectURI, answer)
	}
	return a.redirectURI + separator + answer.Encode()
}

// wait waits for d. It returns false if who asked left or the provider was closed meanwhile.
func (p *Provider) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-p.closed:
	}
	return false
}

func redirect(rw http.ResponseWriter, r *http.Request, target string) {
	fakelogin.SetHeaders(rw.Header())
	http.Redirect(rw, r, target, http.StatusSeeOther)
}
