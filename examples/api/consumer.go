package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	_ "embed"

	"golang.org/x/oauth2"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// consumer is a third party's application: a web site on a server of its own that
// people authorise to use the API for them. It knows nothing of Ucam-WebAuth and
// nothing of the site but its address and what a standard OAuth 2.0 client knows.
type consumer struct {
	url, site string // of its own and of the site
	client    *http.Client

	mu       sync.Mutex
	config   *oauth2.Config // nil until somebody has set it up
	revoke   string         // the URL where tokens are given back
	visitors map[string]*visitor
}

// visitor is a person's browser.
type visitor struct {
	mu              sync.Mutex // one thing at a time: a refresh token works once
	state, verifier string     // of an authorisation under way
	token           *oauth2.Token
	heard           string // what the site answered last
}

const maxVisitors = 1000

func newConsumer(ownURL, siteURL string) http.Handler {
	c := &consumer{url: ownURL, site: siteURL, client: &http.Client{Timeout: 30 * time.Second}, visitors: map[string]*visitor{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.with(c.front))
	mux.HandleFunc("POST /setup", c.with(c.setUp))
	mux.HandleFunc("POST /connect", c.with(c.connect))
	mux.HandleFunc("GET /callback", c.with(c.callback))
	mux.HandleFunc("POST /read", c.with(c.read))
	mux.HandleFunc("POST /add", c.with(c.add))
	mux.HandleFunc("POST /refresh", c.with(c.refresh))
	mux.HandleFunc("POST /disconnect", c.with(c.disconnect))
	mux.HandleFunc("GET /page.css", demo.Style)
	mux.Handle("/", demo.NotFound(demo.Dress(site.Config{SiteName: "Reader"})))
	return http.NewCrossOriginProtection().Handler(mux)
}

// action does something for a visitor and says what came of it.
type action func(w http.ResponseWriter, r *http.Request, v *visitor) (heard string, err error)

var errAnswered = errors.New("answered already")

// with finds the visitor, and leads to the front page after the action.
func (c *consumer) with(do action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		r = r.WithContext(context.WithValue(r.Context(), oauth2.HTTPClient, c.client))
		v := c.visitor(w, r)
		v.mu.Lock()
		defer v.mu.Unlock()
		heard, err := do(w, r, v)
		switch {
		case errors.Is(err, errAnswered):
			return
		case err != nil:
			heard = "Refused: " + explain(err)
		}
		v.heard = heard
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// visitor finds out who it is by a cookie. The fake login service is on the same host,
// and cookies do not mind ports, hence the name.
func (c *consumer) visitor(w http.ResponseWriter, r *http.Request) *visitor {
	const name = "third-party"
	c.mu.Lock()
	defer c.mu.Unlock()
	if cookie, err := r.Cookie(name); err == nil && c.visitors[cookie.Value] != nil {
		return c.visitors[cookie.Value]
	}
	if len(c.visitors) >= maxVisitors {
		clear(c.visitors) // they can authorise it again
	}
	id, v := rand.Text(), &visitor{}
	c.visitors[id] = v
	http.SetCookie(w, &http.Cookie{Name: name, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return v
}

//go:embed consumer.html
var consumerText string

var consumerTemplate = template.Must(template.New("consumer").Parse(consumerText))

// consumerPage is what the application's only page shows.
type consumerPage struct {
	Site, Callback string
	Ready          bool // it is set up
	Token          *oauth2.Token
	Scopes         string
	Heard          string
}

func (c *consumer) front(w http.ResponseWriter, _ *http.Request, v *visitor) (string, error) {
	config, _ := c.known()
	page := consumerPage{Site: c.site, Callback: c.url + "/callback", Ready: config != nil, Token: v.token, Heard: v.heard}
	if v.token != nil {
		page.Scopes, _ = v.token.Extra("scope").(string)
	}
	demo.Show(w, http.StatusOK, consumerTemplate, page)
	return "", errAnswered
}

func (c *consumer) known() (*oauth2.Config, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config, c.revoke
}

// setUp takes what the site gave whoever registered the application there, and asks
// the site for the rest.
func (c *consumer) setUp(_ http.ResponseWriter, r *http.Request, v *visitor) (string, error) {
	about, err := readMetadata(r.Context(), c.client, c.site)
	if err != nil {
		return "", err
	}
	config := &oauth2.Config{
		ClientID: strings.TrimSpace(r.PostFormValue("client-id")), ClientSecret: strings.TrimSpace(r.PostFormValue("secret")),
		RedirectURL: c.url + "/callback", Scopes: []string{"profile", "records:read", "records:write"},
		Endpoint: oauth2.Endpoint{AuthURL: about.Authorization, TokenURL: about.Token, AuthStyle: oauth2.AuthStyleInHeader},
	}
	if config.ClientSecret == "" { // registered as public
		config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.config, c.revoke = config, about.Revocation
	v.token = nil
	return "The application is set up.", nil
}

var errNotSetUp = errors.New("the application is not set up")

// connect sends the person to the site, with what only this browser will be able to
// continue: state and PKCE verifier.
func (c *consumer) connect(w http.ResponseWriter, r *http.Request, v *visitor) (string, error) {
	config, _ := c.known()
	if config == nil {
		return "", errNotSetUp
	}
	v.state, v.verifier = rand.Text(), oauth2.GenerateVerifier()
	http.Redirect(w, r, config.AuthCodeURL(v.state, oauth2.S256ChallengeOption(v.verifier)), http.StatusSeeOther)
	return "", errAnswered
}

// callback takes the site's answer.
func (c *consumer) callback(_ http.ResponseWriter, r *http.Request, v *visitor) (string, error) {
	config, _ := c.known()
	q := r.URL.Query()
	state, verifier := v.state, v.verifier
	v.state, v.verifier = "", "" // they work once
	switch {
	case config == nil:
		return "", errNotSetUp
	case state == "" || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1:
		return "", errors.New("this answer is not for this browser")
	case q.Get("iss") != c.site: // RFC 9207
		return "", errors.New("this answer is of another server")
	case q.Get("error") != "":
		return "", errors.New(q.Get("error"))
	}
	token, err := config.Exchange(r.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return "", err
	}
	v.token = token
	return "The site lets this application act for you.", nil
}

// read and add use the API.
func (c *consumer) read(_ http.ResponseWriter, r *http.Request, v *visitor) (string, error) {
	client, err := c.authorised(r.Context(), v)
	if err != nil {
		return "", err
	}
	return get(r.Context(), client, c.site+"/api/records")
}

func (c *consumer) add(_ http.ResponseWriter, r *http.Request, v *visitor) (string, error) {
	client, err := c.authorised(r.Context(), v)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]string{"title": r.PostFormValue("title"), "text": "Added by a third party’s application."})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, c.site+"/api/records", strings.NewReader(string(body)))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	return answerOf(client.Do(req))
}

var errNotConnected = errors.New("nobody has authorised it in this browser")

// authorised is a client that sends the visitor's token, refreshed first if it has
// expired. The new tokens are kept: the old refresh token is used up.
func (c *consumer) authorised(ctx context.Context, v *visitor) (*http.Client, error) {
	config, _ := c.known()
	if config == nil || v.token == nil {
		return nil, errNotConnected
	}
	if err := v.renew(config.TokenSource(ctx, v.token)); err != nil {
		return nil, err
	}
	return oauth2.NewClient(ctx, oauth2.StaticTokenSource(v.token)), nil
}

// renew keeps what a source gives, and forgets tokens that the site does not know any
// more: the person has to authorise the application again.
func (v *visitor) renew(source oauth2.TokenSource) error {
	token, err := source.Token()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode == "invalid_grant" {
		v.token = nil
	}
	if err != nil {
		return err
	}
	v.token = token
	return nil
}

// refresh gets new tokens although the old ones are good.
func (c *consumer) refresh(_ http.ResponseWriter, r *http.Request, v *visitor) (string, error) {
	config, _ := c.known()
	if config == nil || v.token == nil {
		return "", errNotConnected
	}
	if err := v.renew(config.TokenSource(r.Context(), &oauth2.Token{RefreshToken: v.token.RefreshToken})); err != nil {
		return "", err
	}
	return "The site gave new tokens for the old ones.", nil
}

// disconnect gives the tokens back (RFC 7009), so that nobody can use them.
func (c *consumer) disconnect(_ http.ResponseWriter, r *http.Request, v *visitor) (string, error) {
	config, revoke := c.known()
	if config == nil || v.token == nil {
		return "", errNotConnected
	}
	form := url.Values{"token": {v.token.RefreshToken}}
	if config.ClientSecret == "" {
		form.Set("client_id", config.ClientID)
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, revoke, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if config.ClientSecret != "" {
		req.SetBasicAuth(url.QueryEscape(config.ClientID), url.QueryEscape(config.ClientSecret))
	}
	if _, err := answerOf(c.client.Do(req)); err != nil {
		return "", err
	}
	v.token = nil
	return "The tokens are given back.", nil
}

func get(ctx context.Context, client *http.Client, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	return answerOf(client.Do(req))
}

// maxHeard bounds what is read of an answer, in bytes.
const maxHeard = 1 << 20

// answerOf reads an answer; it is an error unless that is a success.
func answerOf(resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHeard))
	if err != nil {
		return "", err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return "", fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return string(body), nil
}

// explain takes what the site says of a refusal out of the error of the library, which
// would show the whole answer.
func explain(err error) string {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return refused.ErrorCode + ": " + refused.ErrorDescription
	}
	return err.Error()
}
