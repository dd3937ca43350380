package oauth2server

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/redirecturi"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Values of parameters of the authorization request.
const (
	responseCode  = "code"
	responseToken = "token" // the implicit grant

	challengeS256 = "S256"

	promptNone    = "none"    // answer at once, ask nobody anything
	promptLogin   = "login"   // have the password typed anew, within Config.FreshFor
	promptConsent = "consent" // ask even if the answer is remembered
)

// authRequest is an authorization request (RFC 6749 section 4.1.1) whose client and
// redirect URI fit one another. Nothing else is known of it until check.
type authRequest struct {
	client      store.Client
	redirectURI string // as the client sent it
	params      params

	responseType string
	fragment     bool   // the answer goes into the fragment: the implicit grant
	state        string // opaque to us
	scopes       []string
	challenge    string
	prompt       []string
}

// The parameters that matter. Others are ignored (RFC 6749 section 3.1).
var authParams = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state",
	"code_challenge", "code_challenge_method", "prompt",
}

// encode returns the request in its one normal form.
func (q *authRequest) encode() string {
	v := url.Values{}
	for _, name := range authParams {
		if value := q.params.get(name); value != "" {
			v.Set(name, value)
		}
	}
	return v.Encode()
}

// check reads the rest of the request, and returns what is wrong with it, for the client.
func (q *authRequest) check(s *Server) *protocolError {
	if len(q.params.repeated) > 0 {
		return errRepeated
	}
	if err := q.checkPrompt(); err != nil {
		return err
	}
	mode := "query" // how the answer travels
	switch {
	case q.responseType == responseCode:
		if err := q.checkChallenge(); err != nil {
			return err
		}
	case q.responseType == "":
		return errNoResponseType
	case q.fragment:
		mode = "fragment"
	default:
		return errResponseType
	}
	if asked := q.params.get("response_mode"); asked != "" && asked != mode {
		return errResponseMode
	}
	var bad *protocolError
	q.scopes, bad = readScopes(q.params, s.scopes.offered().names())
	return bad
}

// checkChallenge wants PKCE of every client, by S256 alone (RFC 7636, RFC 9700 section
// 2.1.1). The method must be named, because leaving it out means "plain".
func (q *authRequest) checkChallenge() *protocolError {
	q.challenge = q.params.get("code_challenge")
	if q.challenge == "" {
		return errNoChallenge
	}
	if q.params.get("code_challenge_method") != challengeS256 {
		return errChallengeMethod
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(q.challenge)
	if err != nil || len(sum) != sha256.Size || len(q.challenge) != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		return errChallenge // the last condition because line breaks are skipped
	}
	return nil
}

func (q *authRequest) checkPrompt() *protocolError {
	if q.params.get("prompt") == "" {
		return nil
	}
	q.prompt = strings.Split(q.params.get("prompt"), " ")
	for _, prompt := range q.prompt {
		known := prompt == promptLogin || prompt == promptConsent || prompt == promptNone
		if !known || prompt == promptNone && len(q.prompt) > 1 {
			return errPrompt
		}
	}
	return nil
}

// authorizer is the authorization endpoint (RFC 6749 section 3.1).
type authorizer struct {
	*Server
	again *glue.Auth // wants a password typed just now
}

func (s *Server) newAuthorizer() *authorizer {
	return &authorizer{s, s.cfg.Auth.With(func(p *glue.Policy) { p.Fresh = s.cfg.FreshFor })}
}

// ServeHTTP takes requests of browsers: by GET what a client asks, by POST what a person
// decides. Nobody is sent to the redirect URI before it and the client fit one another,
// and, but for prompt=none, nobody before they have logged in: otherwise a link to this
// site could lead anywhere that somebody once registered (RFC 9700 section 4.11.2).
func (a *authorizer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// What the WLS answers is dealt with first, whatever else the request is.
	a.auth.Optional(http.HandlerFunc(a.begin)).ServeHTTP(w, r)
}

// begin finds out who asks, and has the person log in.
func (a *authorizer) begin(w http.ResponseWriter, r *http.Request) {
	noStore(w)
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		a.stop(w, r, "method", pageBadMethod)
		return
	}
	q, ok := a.read(w, r)
	if !ok {
		return
	}
	problem := q.check(a.Server)
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noStore(w)
		a.proceed(w, r, q, problem)
	})
	_, loggedIn := glue.IdentityFrom(r.Context())
	switch {
	case slices.Equal(q.prompt, []string{promptNone}) && !loggedIn && r.Method == http.MethodGet && site.WantsPage(r):
		a.redirectError(w, r, q, errLoginRequired)
	case slices.Contains(q.prompt, promptLogin) && problem == nil:
		a.again.Require(next).ServeHTTP(w, r)
	default:
		a.cfg.Auth.Require(next).ServeHTTP(w, r)
	}
}

// read finds the client and the redirect URI, and answers with a page unless they fit
// one another: never with a redirect, not even one that reports the error.
func (a *authorizer) read(w http.ResponseWriter, r *http.Request) (*authRequest, bool) {
	p, err := parseParams(r.URL.RawQuery, maxQuery)
	if err != nil || p.get("client_id") == "" || p.get("redirect_uri") == "" {
		a.stop(w, r, "request", pageBadRequest)
		return nil, false
	}
	c, err := a.store.Client(r.Context(), p.get("client_id"))
	switch {
	case errors.Is(err, store.ErrNotFound):
		a.stop(w, r, "client", pageUnknownClient)
		return nil, false
	case err != nil:
		a.storeDown(w, r, err)
		return nil, false
	case !redirecturi.Matches(c.RedirectURIs, p.get("redirect_uri")), a.leadsHere(p.get("redirect_uri")):
		a.stop(w, r, "redirect-uri", pageBadRedirect)
		return nil, false
	}
	q := &authRequest{
		client: c, params: p, redirectURI: p.get("redirect_uri"),
		responseType: p.get("response_type"), state: p.get("state"),
	}
	q.fragment = q.responseType == responseToken && a.cfg.InsecureAllowImplicit
	return q, true
}

// proceed goes on with a person who is logged in.
func (a *authorizer) proceed(w http.ResponseWriter, r *http.Request, q *authRequest, problem *protocolError) {
	id, _ := glue.IdentityFrom(r.Context())
	if !site.WantsPage(r) { // a script, a frame, a prefetch: nobody is looking
		a.stop(w, r, "not-navigation", pageNotNavigation)
		return
	}
	switch active, err := a.active(r.Context(), id.Principal); {
	case err != nil:
		a.storeDown(w, r, err)
	case !active:
		a.stop(w, r, "inactive", pageInactive)
	case problem != nil:
		a.event(r, event{Name: EventRefused, Reason: problem.code, Principal: id.Principal, ClientID: q.client.ID, Err: problem})
		a.redirectError(w, r, q, problem)
	case r.Method == http.MethodPost:
		a.decide(w, r, q)
	default:
		a.resume(w, r, q)
	}
}

// redirect answers the client by way of the browser. The answer names us, so that a
// client of several servers knows which of them it is from (RFC 9207).
func (a *authorizer) redirect(w http.ResponseWriter, r *http.Request, q *authRequest, answer url.Values) {
	answer.Set("iss", a.cfg.Issuer)
	if q.state != "" {
		answer.Set("state", q.state)
	}
	mark := "?"
	switch {
	case q.fragment:
		mark = "#"
	case strings.HasSuffix(q.redirectURI, "?"):
		mark = ""
	case strings.Contains(q.redirectURI, "?"):
		mark = "&"
	}
	respond.Redirect(w, r, q.redirectURI+mark+answer.Encode())
}

func (a *authorizer) redirectError(w http.ResponseWriter, r *http.Request, q *authRequest, e *protocolError) {
	a.redirect(w, r, q, url.Values{"error": {e.code}, "error_description": {e.description}})
}

// The pages for requests that nobody can be redirected from.
var (
	pageBadMethod = site.Page{Kind: "oauth-method", Status: http.StatusMethodNotAllowed, Title: "This address is for browsers",
		Text: []string{"Applications send people here to ask for their permission."}}
	pageBadRequest = site.Page{Kind: "oauth-request", Status: http.StatusBadRequest, Title: "The application’s link is broken",
		Text: []string{"An application sent you here to ask for your permission, but did not say what for in a way that we understand. Nothing was done.", "Go back to the application and try again. If it keeps happening, tell whoever runs it."}}
	pageUnknownClient = site.Page{Kind: "oauth-client", Status: http.StatusBadRequest, Title: "We do not know this application",
		Text: []string{"An application sent you here that is not registered on this site, or not any more. Nothing was done."}}
	pageBadRedirect = site.Page{Kind: "oauth-redirect", Status: http.StatusBadRequest, Title: "This link is not the application’s own",
		Text: []string{"The address to which you would go from here is not one that the application registered. Somebody may have altered the link, so we stop here. Nothing was done."}}
	pageNotNavigation = site.Page{Kind: "oauth-navigation", Status: http.StatusForbidden, Title: "Open this page in a window of its own",
		Text: []string{"This page asks for your permission, so it works neither in a frame nor in the background. Nothing was done."}}
	pageInactive = site.Page{Kind: "oauth-inactive", Status: http.StatusForbidden, Title: "Your account here is not active",
		Text: []string{"You are logged in, but this site has deactivated your account, so you cannot allow applications anything. Ask the site’s webmaster."}}
)

// stop answers with a page that says why a request goes no further.
func (a *authorizer) stop(w http.ResponseWriter, r *http.Request, reason string, page site.Page) {
	id, _ := glue.IdentityFrom(r.Context())
	a.problem(w, r, event{Name: EventRefused, Reason: reason, Principal: id.Principal}, page)
}
