// Ownsession is a site with sessions of its own, which uses package webauth without
// glue and gets the same protection from it: the token, one use, and a session that
// is bound to the browser's secret.
package main

import (
	"crypto/rand"
	"flag"
	"html/template"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/webauth"
)

const (
	secretCookie  = "own-login"   // on https: "__Host-own-login", with Secure
	sessionCookie = "own-session" // likewise
	sessionLife   = 2 * time.Hour
)

// server is the site. Its sessions are in memory; yours are wherever they are now.
type server struct {
	origin     string
	service    webauth.Service
	signer     *webauth.RequestSigner
	verifier   *webauth.Verifier
	protection *http.CrossOriginProtection

	mu       sync.Mutex
	sessions map[string]session // by the value of the session cookie
}

type session struct {
	principal string
	binding   string // of the browser that logged in
	expires   time.Time
}

func newServer(origin string, service webauth.Service) (*server, error) {
	key := make([]byte, 32)
	rand.Read(key) // a real site keeps it, so that logins survive a restart
	signer, err := webauth.NewRequestSigner(webauth.SignerConfig{Service: service, Origin: origin, Keys: [][]byte{key}})
	if err != nil {
		return nil, err
	}
	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service: service, Signer: signer, OneUse: webauth.NewMemoryOneUse(0, nil),
	})
	if err != nil {
		return nil, err
	}
	return &server{
		origin: origin, service: service, signer: signer, verifier: verifier,
		protection: http.NewCrossOriginProtection(), sessions: map[string]session{},
	}, nil
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	value, found, err := webauth.ResponseFrom(r.URL.RawQuery)
	switch {
	case found: // before all else: a response that reaches the site is used up
		s.comeBack(w, r, value, err)
	case r.URL.Path == "/logout" && r.Method == http.MethodPost:
		s.logOut(w, r)
	case r.URL.Path == "/" && r.Method == http.MethodGet:
		s.page(w, r)
	case r.URL.Path == "/page.css" && r.Method == http.MethodGet:
		demo.Style(w, r)
	default:
		tell(w, r, http.StatusNotFound, view{Title: "There is no such page"})
	}
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<link rel="stylesheet" href="/page.css">
</head>
<body>
<main class="alone">
<h1>{{.Title}}</h1>
{{with .Text}}<p>{{.}}</p>
{{end}}{{if .LoggedIn}}<form method="post" action="/logout"><button type="submit">Log out</button></form>
{{else}}<p class="next"><a class="button" href="/">Front page</a></p>
{{end}}</main>
</body>
</html>
`))

// view is what the template shows.
type view struct {
	Title, Text string
	LoggedIn    bool
}

// opensPage reports whether a person opens a page and will see the answer.
func opensPage(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "navigate" || mode == "" // which old browsers do not send
}

// tell answers people with a page, and scripts with a line of text.
func tell(w http.ResponseWriter, r *http.Request, status int, v view) {
	if !opensPage(r) {
		http.Error(w, v.Title, status)
		return
	}
	demo.Show(w, status, pageTemplate, v)
}

// page needs a login.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.current(r); ok {
		tell(w, r, http.StatusOK, view{Title: "Hello, " + who.principal + ".", LoggedIn: true})
		return
	}
	if !opensPage(r) {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	secret, ok := browserSecret(r)
	if !ok {
		secret = webauth.NewBrowserSecret()
		http.SetCookie(w, cookie(secretCookie, string(secret)))
	}
	location, err := s.loginURL(secret, webauth.Request{URL: s.here(r, r.URL.RawQuery), Desc: "an example"})
	if err != nil {
		log.Print(err)
		tell(w, r, http.StatusBadRequest, view{Title: "You cannot log in at this address", Text: "It may be too long."})
		return
	}
	http.Redirect(w, r, location, http.StatusSeeOther)
}

// loginURL signs a request for this browser. Its answer must come back to the same
// browser, to the same path, and once.
func (s *server) loginURL(secret webauth.BrowserSecret, req webauth.Request) (string, error) {
	req, err := s.signer.Sign(secret, req)
	if err != nil {
		return "", err
	}
	return s.service.LoginURL(req)
}

// comeBack takes the WLS's answer.
func (s *server) comeBack(w http.ResponseWriter, r *http.Request, value string, err error) {
	secret, _ := browserSecret(r)
	var resp *webauth.Response
	if err == nil {
		here := s.here(r, webauth.StripResponse(r.URL.RawQuery))
		resp, err = s.verifier.Verify(r.Context(), value, webauth.Expect{URL: here, Secret: secret})
	}
	if err != nil {
		log.Print(err) // for operators; people get fixed words, and no automatic retry
		tell(w, r, http.StatusForbidden, view{Title: "Please start again", Text: "This login was not accepted. Nobody is logged in by it."})
		return
	}
	id := rand.Text() // a new id at each login
	s.mu.Lock()
	s.sessions[id] = session{resp.Principal(), secret.Binding(), time.Now().Add(sessionLife)}
	s.mu.Unlock()
	http.SetCookie(w, cookie(sessionCookie, id))
	http.Redirect(w, r, resp.URL(), http.StatusSeeOther) // the address without the response
}

// current returns the session of this request, if it is this browser's.
func (s *server) current(r *http.Request) (session, bool) {
	secret, ok := browserSecret(r)
	id, err := r.Cookie(sessionCookie)
	if !ok || err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	who, ok := s.sessions[id.Value]
	return who, ok && who.binding == secret.Binding() && time.Now().Before(who.expires)
}

// logOut drops the session and gives the browser another secret, so that an answer of
// the WLS that is still on its way cannot start a session after this.
func (s *server) logOut(w http.ResponseWriter, r *http.Request) {
	if err := s.protection.Check(r); err != nil {
		tell(w, r, http.StatusForbidden, view{Title: "Nobody was logged out", Text: "Press the button on the front page to log out."})
		return
	}
	if id, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.sessions, id.Value)
		s.mu.Unlock()
	}
	http.SetCookie(w, cookie(secretCookie, string(webauth.NewBrowserSecret())))
	gone := cookie(sessionCookie, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	tell(w, r, http.StatusOK, view{Title: "You are logged out of this site", Text: "You may still be logged in elsewhere."})
}

// here is the URL being asked for, as browsers spell it; its origin is configuration, not
// the Host header.
func (s *server) here(r *http.Request, query string) string {
	u := s.origin + r.URL.EscapedPath()
	if query != "" {
		u += "?" + query
	}
	if canonical, err := webauth.CanonicalURL(u); err == nil {
		return canonical
	}
	return u // which LoginURL and Verify refuse
}

func browserSecret(r *http.Request) (webauth.BrowserSecret, bool) {
	c := r.CookiesNamed(secretCookie)
	if len(c) != 1 { // two of one name: one of them is somebody else's
		return "", false
	}
	s := webauth.BrowserSecret(c[0].Value)
	return s, s.Valid()
}

func cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func main() {
	addr := flag.String("addr", "localhost:8080", "listen on this loopback `address`")
	flag.Parse()
	s, err := newServer("http://"+*addr, webauth.RavenDemo())
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("http://%s (log in at the demo service as test0001)", *addr)
	log.Fatal(http.ListenAndServe(*addr, s))
}
