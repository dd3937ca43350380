package gateway

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/observe"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// pageFront is for people with a strange address, or of a site whose front server is
// set up wrongly.
var pageFront = glue.Page{Kind: "forward-auth", Status: http.StatusForbidden, Title: "This page cannot be shown",
	Text: []string{"The address is malformed, or the servers of this site do not understand each other. Please start from the site’s front page; if that does not help, tell the site’s webmaster."}}

// forwardAuth tells a front server what to do with a request: 200, with the identity
// headers that the backend is to get, 401 or 403. It answers so for nginx, whose
// auth_request takes anything else for an error; it never redirects.
func (c *core) forwardAuth(w http.ResponseWriter, r *http.Request) {
	asked, err := c.askedAbout(r)
	if err != nil {
		c.doubt(w, r, err)
		return
	}
	markScripted(asked.Header)
	c.judge(&threeWays{w}, asked)
}

// forwardAuthOrLogin is forwardAuth for front servers that pass the answer on to the
// browser, as Caddy and Traefik do: a person who opens a page is sent to log in, and
// gets a page where the answer is no.
func (c *core) forwardAuthOrLogin(w http.ResponseWriter, r *http.Request) {
	asked, err := c.askedAbout(r)
	if err != nil {
		c.doubt(w, r, err)
		return
	}
	if asked.Method != http.MethodGet {
		markScripted(asked.Header) // its form is not here to be kept
	}
	next := nextFor(asked.URL.RawPath, asked.URL.RawQuery)
	answer := &toLogin{ResponseWriter: w, location: c.site.URL(asked, loginPath+"?next="+url.QueryEscape(next))}
	if next == "/" && asked.URL.RawPath != "/" {
		answer.refuse = func() { c.refuse(w, r, "forward-auth", errNextPath, pageFront) }
	}
	c.judge(answer, asked)
}

// doubt answers where it is not known for certain what is asked about.
func (c *core) doubt(w http.ResponseWriter, r *http.Request, err error) {
	c.refuse(w, r, "forward-auth", err, pageFront)
}

// judge asks the rule of a request what becomes of it.
func (c *core) judge(w http.ResponseWriter, asked *http.Request) {
	ru := c.ruleOf(asked)
	observe.RecordOf(asked.Context()).Rule = ru.label
	answer := &onlyVouched{ResponseWriter: w, notes: notesOf(asked.Context())}
	if carriesResponse(asked) {
		// It belongs to the login path. Here it is spent, and nobody comes in by it.
		ru.respond.ServeHTTP(answer, asked)
	} else {
		ru.check.ServeHTTP(answer, asked)
	}
	if !answer.begun {
		answer.WriteHeader(http.StatusForbidden)
	}
}

// onlyVouched is an answer that says yes only where vouch does. A front server passes a
// request on for any status below 300, the one that net/http puts where nobody wrote one
// and those of pages included.
type onlyVouched struct {
	http.ResponseWriter
	notes *notes
	begun bool
}

func (o *onlyVouched) WriteHeader(status int) {
	if o.begun = true; status < 300 && !o.notes.vouched {
		status = http.StatusForbidden
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *onlyVouched) Write(b []byte) (int, error) {
	if !o.begun {
		o.WriteHeader(http.StatusOK)
	}
	return o.ResponseWriter.Write(b)
}

// vouch answers a front server that may pass a request on: 200, with the headers that a
// backend would get. Those about nobody are there too, and empty: a front server then
// replaces what the client sent, and Caddy up to 2.6, which knows no default, does not
// pass on the name of a variable as that of a person.
func (c *core) vouch(ru *rule) http.Handler {
	names := c.identity.names()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, name := range names {
			h[name] = []string{""}
		}
		if err := c.identity.set(h, r, ru); err != nil {
			for _, name := range names {
				delete(h, name)
			}
			c.refuse(w, r, "identity", err, pageIdentity)
			return
		}
		notesOf(r.Context()).vouched = true
		w.WriteHeader(http.StatusOK)
	})
}

// names are the headers that set may put.
func (id *identity) names() []string {
	var names []string
	if id.remoteUser {
		names = append(names, "Remote-User")
	}
	if id.forwardedUser {
		names = append(names, "X-Forwarded-User")
	}
	if id.aa {
		names = append(names, "X-Aaprincipal", "X-Aaptags", "X-Aaauth", "X-Aasso", "X-Aaissue", "X-Aalast", "X-Aalife", "X-Aatimeout", "X-Aaid")
	}
	return names
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
	if err := normalise(asked); err != nil {
		return nil, err
	}
	if path, _, _ := strings.Cut(f.uri, "?"); !paths.IsResolved(path, asked.URL.RawPath) {
		return nil, errUnresolved
	}
	asked = glue.Unmarked(asked)
	if isReserved(asked.URL.RawPath) {
		return nil, errors.New("it asks about the gateway's own pages, which need no login: pass them on to the gateway without asking")
	}
	if len(r.Header["Sec-Websocket-Key"]) > 0 {
		// The connection to us is no WebSocket, so a front server leaves these out.
		asked.Header.Set("Connection", "Upgrade")
		asked.Header.Set("Upgrade", "websocket")
	}
	return asked, nil
}

var errUnresolved = errors.New("the path has dot segments or slashes in a row, and the backend would get it as it is")

// markScripted makes a request one of a script, for package glue: it is answered by a
// status alone and leads nobody anywhere.
func markScripted(h http.Header) {
	h.Set("Sec-Fetch-Mode", "cors")
	h.Set("Sec-Fetch-Dest", "empty")
}

// maxNext is the longest path with a query that people are brought back to, in bytes when
// it is encoded twice, as it may be in the login service's URL: of what Login takes, and
// parks where that URL has no room for it, each byte is five at most.
const maxNext = 5 * localpath.MaxTarget

func fitsNext(next string) bool {
	return len(url.QueryEscape(url.QueryEscape(next))) <= maxNext
}

var errNextPath = errors.New("the path is too long, or not one that people can be brought back to")

// nextFor is where to go after the login: the same page, and "/" where the path is none
// that Login takes. Package glue has looked at the address before: what it would not
// have signed does not get here.
func nextFor(path, query string) string {
	if !localpath.Is(path) || observe.ResponseIn(path) >= 0 {
		return "/"
	}
	query = webauth.StripResponse(query)
	if _, canonical, err := webauth.CanonicalTarget(path, query); err == nil {
		query = canonical // as the browser itself would have it in the address of the login
	}
	if full := path + "?" + query; query != "" && fitsNext(full) && observe.ResponseIn(query) < 0 {
		return full
	}
	return path
}

// toLogin is an answer whose redirect to the login service, which would come back to
// the backend's address, becomes one to the gateway's own login. Its cookies belong to
// the attempt that is not made.
type toLogin struct {
	http.ResponseWriter
	location string
	refuse   func() // answers instead; nil where people can be brought back
}

func (t *toLogin) WriteHeader(status int) {
	if status == http.StatusSeeOther || status == http.StatusFound {
		h := t.Header()
		h.Del("Set-Cookie")
		if t.refuse != nil {
			h.Del("Location")
			t.refuse()
			return
		}
		h.Set("Location", t.location)
	}
	t.ResponseWriter.WriteHeader(status)
}

// threeWays is an answer for a front server that knows three statuses. Whatever else
// stands in the way, such as too many passwords or a store that is away, means no.
type threeWays struct{ http.ResponseWriter }

func (t *threeWays) WriteHeader(status int) {
	switch {
	case status < 300, status == http.StatusUnauthorized:
		t.ResponseWriter.WriteHeader(status)
	default:
		t.ResponseWriter.WriteHeader(http.StatusForbidden)
	}
}

// login serves /.wls/login: it asks for what the rule of "next" asks for, so that a
// person who comes back from there can see the page.
func (c *core) login(w http.ResponseWriter, r *http.Request) {
	c.loginFor(r).Login(w, r)
}

// loginFor finds the login for the path in "next"; "/" if there is none. Login itself
// refuses what is no path of the site.
func (c *core) loginFor(r *http.Request) *glue.Auth {
	next := r.URL.Query().Get("next")
	if !strings.HasPrefix(next, "/") {
		next = "/"
	}
	path, _, _ := strings.Cut(next, "?")
	normal, err := paths.Normalise(path)
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
