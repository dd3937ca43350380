package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// pageFront is for people with a strange address, or of a site whose front server is
// set up wrongly.
var pageFront = site.Page{Kind: "forward-auth", Status: http.StatusForbidden, Title: "This page cannot be shown",
	Text: []string{"Please start from the site’s front page; if that does not help, tell the site’s webmaster, and quote the reference below. The address is malformed, or the servers of this site do not understand each other."}}

// pageResponse is for people who open an address of the past, with a login in it.
var pageResponse = site.Page{Kind: "response", Status: http.StatusBadRequest, Title: "This address has an old login in it",
	Text: []string{"Please open the page anew, by its address without the login. That was for one use only, and not for this page."}}

// forwardAuth tells a front server what to do with a request: 200, with the identity
// headers that the backend is to get, 401 or 403. It answers so for nginx, whose
// auth_request takes anything else for an error; it never redirects.
//
// With orLogin it is for front servers that pass the answer on to the browser, as Caddy and
// Traefik do: a person who opens a page is sent to log in, and gets a page where the
// answer is no.
func (c *core) forwardAuth(w http.ResponseWriter, r *http.Request, orLogin bool) {
	asked, err := c.askedAbout(r)
	if errors.Is(err, errOwnPage) {
		_ = c.auth.Spend(asked) // it is refused either way
	}
	if err != nil { // it is not known for certain what is asked about
		c.refuse(w, r, "forward-auth", err, pageFront)
		return
	}
	ru := c.settleAtFront(asked.Host, asked.URL.RawPath, c.ruleOf(asked))
	observe.RecordOf(asked.Context()).Rule = ru.label
	if c.auth.Brings(asked) {
		// It belongs to the login path. Here it is spent, and nobody comes in by it.
		c.spent(w, asked, orLogin)
		return
	}
	v := c.decide(ru, asked)
	if v.admitted != nil {
		if v.admitted, v.refusal = c.beyondPath(ru, v.admitted, true); v.refusal == nil {
			c.allow(w, ru, &v, orLogin)
			return
		}
	}
	if orLogin {
		c.denyOrLogin(w, asked, &v)
		return
	}
	c.denyPlainly(w, asked, &v)
}

// spent answers a request that brings a response of the login service.
func (c *core) spent(w http.ResponseWriter, asked *http.Request, orLogin bool) {
	err := c.auth.Spend(asked)
	if orLogin && isOpened(asked) {
		c.refuse(w, asked, "response", err, pageResponse)
		return
	}
	c.loginRequired(w, asked, glue.DeniedResponse)
}

// isOpened reports whether a person opens a page, so that they may be sent to log in.
func isOpened(r *http.Request) bool { return r.Method == http.MethodGet && site.WantsPage(r) }

// allow answers a front server that may pass a request on: 200, with the headers that a
// backend would get. Those about nobody are there too, and empty: a front server then
// replaces what the client sent, and Caddy up to 2.6, which knows no default, does not
// pass on the name of a variable as that of a person.
func (c *core) allow(w http.ResponseWriter, ru *rule, v *verdict, orLogin bool) {
	h := w.Header()
	if ru.cfg.Access != Public {
		v.decision.Mark(w)
	}
	for _, name := range c.identity.names {
		h[name] = []string{""}
	}
	if err := c.identity.set(h, v.admitted, ru); err != nil {
		for _, name := range c.identity.names {
			delete(h, name)
		}
		p := pageIdentity
		if !orLogin {
			p.Status = http.StatusForbidden
		}
		c.refuse(w, v.admitted, "identity", err, p)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// denyPlainly answers a front server that knows two ways to say no. Whatever else stands in
// the way than a login, such as too many passwords or a store that is away, means 403.
func (c *core) denyPlainly(w http.ResponseWriter, asked *http.Request, v *verdict) {
	switch {
	case v.refusal != nil:
		if v.refusal.page.Status != http.StatusUnauthorized {
			v.refusal.page.Status = http.StatusForbidden
		}
		c.answer(w, asked, v.refusal)
	case v.err != nil && asked.Context().Err() != nil:
		w.WriteHeader(http.StatusForbidden) // the client has gone: no fault of the store
	case v.err != nil:
		c.site.Refuse(w, asked, site.Event{From: "wls", Name: glue.EventStoreError, Reason: string(webauth.ReasonStore), Level: slog.LevelError, Err: v.err}, pageFront)
	case v.decision.Denial.Login():
		c.loginRequired(w, asked, v.decision.Denial)
	default:
		c.deny(w, asked, v)
	}
}

// loginRequired answers in short that nobody comes in without a login.
func (c *core) loginRequired(w http.ResponseWriter, asked *http.Request, denial glue.Denial) {
	w.Header().Set("WWW-Authenticate", c.challenge)
	respond.Brief(w, asked, http.StatusUnauthorized, "login_required", string(denial), "Log in first: open this site in a browser.")
}

// denyOrLogin answers a browser, through its front server.
func (c *core) denyOrLogin(w http.ResponseWriter, asked *http.Request, v *verdict) {
	if v.refusal == nil && v.err == nil && v.decision.Denial.Login() && isOpened(asked) {
		c.redirectToLogin(w, asked)
		return
	}
	c.deny(w, asked, v)
}

// redirectToLogin sends a person to the gateway's own login, to come back to the page.
func (c *core) redirectToLogin(w http.ResponseWriter, asked *http.Request) {
	next, err := nextFor(asked.URL.RawPath, asked.URL.RawQuery)
	switch {
	case errors.Is(err, errNextPath):
		c.refuse(w, asked, "forward-auth", err, pageFront)
	case err != nil: // no browser would ask for it
		c.badPath(w, asked, err)
	default:
		respond.Redirect(w, asked, c.site.URL(asked, serve.LoginPath+"?next="+url.QueryEscape(next)))
	}
}

// askedAbout makes the request that a front server asks about out of the one that asks:
// the host, cookies and client of that one, and the method and target that were noted
// before site.Handler removed them.
func (c *core) askedAbout(r *http.Request) (*http.Request, error) {
	f := notesOf(r.Context()).forwarded
	if f.err != nil {
		return nil, f.err
	}
	if f.method == http.MethodConnect || f.method == http.MethodTrace {
		return nil, errors.New("the method is one that the gateway refuses")
	}
	asked := r.WithContext(r.Context())
	asked.Method, asked.RequestURI = f.method, f.uri
	asked.Header = r.Header.Clone()
	asked.Body, asked.ContentLength = http.NoBody, 0
	if err := c.normalise(asked); err != nil {
		return nil, err
	}
	if path, _, _ := strings.Cut(f.uri, "?"); !c.isOdd(asked.URL.RawPath) && !paths.IsResolved(path, asked.URL.RawPath) {
		return nil, errUnresolved
	}
	if f.override != "" && isPreflight(asked) { // nobody has logged in for it: see preflight
		return nil, fmt.Errorf("%s came with a preflight, where browsers send none", showName(f.override))
	}
	asked = glue.Unmarked(asked)
	if isReserved(asked.URL.RawPath) {
		return asked, errOwnPage
	}
	if len(r.Header["Sec-Websocket-Key"]) > 0 {
		// The connection to us is no WebSocket, so a front server leaves these out.
		asked.Header.Set("Connection", "Upgrade")
		asked.Header.Set("Upgrade", "websocket")
	}
	return asked, nil
}

var errOwnPage = errors.New("it asks about the gateway's own pages, which need no login: pass them on to the gateway without asking")

var errUnresolved = errors.New("the path has dot segments or slashes in a row, and the backend would get it as it is")

// maxNext is the longest path with a query that people are brought back to, in bytes when
// it is encoded twice, as it may be in the login service's URL: of what Login takes, and
// parks where that URL has no room for it, each byte is five at most.
const maxNext = 5 * localpath.MaxTarget

func fitsNext(next string) bool {
	return len(url.QueryEscape(url.QueryEscape(next))) <= maxNext
}

var errNextPath = errors.New("the path is too long, or not one that people can be brought back to")

// nextFor returns where to go after the login: the same page, or an error where its path is
// none that Login takes.
func nextFor(path, query string) (string, error) {
	// As the browser itself would have it in the address of the login.
	_, canonical, err := webauth.CanonicalTarget(path, webauth.StripResponse(query))
	switch {
	case err != nil:
		return "", err
	case !localpath.Is(path) || observe.ResponseIn(path) >= 0:
		return "", errNextPath
	}
	if full := path + "?" + canonical; canonical != "" && fitsNext(full) && observe.ResponseIn(canonical) < 0 {
		return full, nil
	}
	return path, nil
}

// login serves /.wls/login: it asks for what the rule of "next" asks for, so that a
// person who comes back from there can see the page.
func (c *core) login(w http.ResponseWriter, r *http.Request) {
	if !c.loginElsewhere(w, r) {
		c.loginFor(r).Login(w, r)
	}
}

// loginFor finds the login for the path in "next"; "/" if there is none. Login itself
// refuses what is no path of the site.
func (c *core) loginFor(r *http.Request) *glue.Auth {
	next := r.URL.Query().Get("next")
	if !strings.HasPrefix(next, "/") {
		next = "/"
	}
	path, _, _ := strings.Cut(next, "?")
	normal, err := c.pathOf(r.Host, path)
	if err != nil {
		return c.auth
	}
	ru := c.ruleFor(r.Host, normal)
	switch ru.cfg.Access {
	case Public, Basic:
		// What is open to everybody is so to everybody who logs in.
		return c.auth.With(func(p *glue.Policy) { p.Ptags, p.AnyPtags = nil, true })
	default:
		return ru.auth
	}
}
