package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// library is a resource server: a part of the site's API that is a program of its own. It
// has no database of tokens, and asks the site about each that it is shown (RFC 7662).
type library struct {
	site   string
	client *http.Client

	mu         sync.Mutex
	id, secret string // of its registration at the site; empty until somebody has set it up
	introspect string // the URL where it asks
}

// loansScope is what a token must allow.
const loansScope = "loans:read"

func newLibrary(siteURL string) http.Handler {
	l := &library{site: siteURL, client: &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // tokens go nowhere else
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { l.show(w, http.StatusOK, "") })
	mux.HandleFunc("POST /setup", l.setUp)
	mux.HandleFunc("/loans", l.serveLoans)
	mux.HandleFunc("GET /page.css", demo.Style)
	mux.Handle("/", demo.NotFound(demo.Dress(site.Config{SiteName: "The library"})))
	return http.NewCrossOriginProtection().Handler(mux)
}

//go:embed library.html
var libraryText string

var libraryTemplate = template.Must(template.New("library").Parse(libraryText))

func (l *library) show(w http.ResponseWriter, status int, heard string) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	id, _, _ := l.known()
	demo.Show(w, status, libraryTemplate, struct {
		Site, Heard string
		Ready       bool
	}{l.site, heard, id != ""})
}

func (l *library) known() (id, secret, introspect string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id, l.secret, l.introspect
}

// setUp takes what the site gave whoever registered the library there.
func (l *library) setUp(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	m, err := readMetadata(r.Context(), l.client, l.site)
	if err != nil {
		l.show(w, http.StatusBadGateway, "The site does not answer: "+err.Error())
		return
	}
	l.mu.Lock()
	l.id, l.secret, l.introspect = strings.TrimSpace(r.PostFormValue("client-id")), strings.TrimSpace(r.PostFormValue("secret")), m.Introspection
	l.mu.Unlock()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// serveLoans is the API. Pages of any origin may call it: it goes by the token alone.
func (l *library) serveLoans(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET")
		h.Set("Access-Control-Allow-Headers", "Authorization")
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet:
	default:
		h.Set("Allow", "GET, OPTIONS")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		h.Set("WWW-Authenticate", `Bearer scope="`+loansScope+`"`)
		reply(w, 0, nil, errNoToken)
		return
	}
	found, err := l.ask(r.Context(), token)
	switch {
	case err != nil:
		reply(w, 0, nil, errNoAnswer) // and not err, which is none of the client's business
	case !found.Active:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token", scope="`+loansScope+`"`)
		reply(w, 0, nil, errBadToken)
	case !slices.Contains(strings.Fields(found.Scope), loansScope) || found.Username == "":
		h.Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+loansScope+`"`)
		reply(w, 0, nil, errNotAllowed)
	default:
		reply(w, http.StatusOK, map[string]any{"principal": found.Username, "loans": []string{"Principia, volume 1"}}, nil)
	}
}

var (
	errNoToken    = errors.New("send a bearer token")
	errBadToken   = errors.New("the token is not good, or not for the library")
	errNotAllowed = errors.New("the token does not let anybody see a person’s loans")
	errNoAnswer   = errors.New("the library cannot ask the site just now")
)

// introspection is what the site says of a token: of one that is not active nothing else.
type introspection struct {
	Active   bool   `json:"active"`
	Scope    string `json:"scope"`
	Username string `json:"username"` // empty where the token stands for nobody
}

// ask asks the site about a token, each time: an answer that is kept goes on when the token
// has been revoked.
func (l *library) ask(ctx context.Context, token string) (found introspection, err error) {
	id, secret, introspect := l.known()
	if id == "" {
		return found, errors.New("the library is not set up")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, introspect, strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		return found, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	text, err := answerOf(l.client.Do(req))
	if err != nil {
		return found, err
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		return introspection{}, fmt.Errorf("what the site says of a token: %v", err)
	}
	return found, nil
}
