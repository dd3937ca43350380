package webauthtest

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Client is a browser for tests, with a cookie jar of its own: it sends what a browser
// sends when a person goes to a page, follows redirects, and where it meets the fake's
// login form it fills that in for user. An empty user is nobody: the client stops at
// the form and returns it as the response.
//
// Navigation headers are added where the request has no Sec-Fetch-Mode, so that a test
// plays a script's fetch by setting it (to "cors"), and a browser without such headers
// by setting it to nil in the Header map; Accept is then left alone too. Anything but
// GET and HEAD is taken for a form on the site's own page, with Origin, unless the
// request says otherwise.
//
// The client trusts the certificates of SiteTLS. Clients of one fake share connections,
// and nothing else.
func (w *WLS) Client(user string) *http.Client {
	jar, err := cookiejar.New(nil)
	must(err) // not reached: cookiejar.New has no failure without options
	return &http.Client{Jar: jar, CheckRedirect: followAsBrowser, Transport: &browser{wls: w, user: user}}
}

// StopAtLogin is a CheckRedirect for a Client: it stops before the fake is asked, so
// that the response is the site's redirect. Its Location is what Respond takes.
func (w *WLS) StopAtLogin(next *http.Request, via []*http.Request) error {
	if w.isLogin(next.URL) {
		return http.ErrUseLastResponse
	}
	return followAsBrowser(next, via)
}

// StopAtReturn is a CheckRedirect for a Client: it stops when the fake sends the browser
// back, so that the response is the fake's redirect and the site has not seen the
// WLS-Response in its Location yet.
func (w *WLS) StopAtReturn(next *http.Request, via []*http.Request) error {
	if from := next.Response; from != nil && from.Request != nil && w.isLogin(from.Request.URL) {
		return http.ErrUseLastResponse
	}
	return followAsBrowser(next, via)
}

// followAsBrowser gives up on a redirect loop where browsers do, not after Go's 10.
func followAsBrowser(_ *http.Request, via []*http.Request) error {
	if len(via) >= 20 {
		return errors.New("webauthtest: stopped after 20 redirects")
	}
	return nil
}

func (w *WLS) isLogin(u *url.URL) bool {
	return u.Scheme == w.base.Scheme && u.Host == w.base.Host && u.Path == authPath
}

func newTransport() *http.Transport {
	return &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: localhostPool()},
		MaxIdleConnsPerHost: 100, // a soak test's browsers keep a few connections, not one each
	}
}

// browser is the http.RoundTripper of a Client.
type browser struct {
	wls  *WLS
	user string
}

// RoundTrip implements http.RoundTripper.
func (b *browser) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	navigate(r)
	resp, err := b.wls.transport.RoundTrip(r)
	if err != nil || !b.fillsIn(r, resp) {
		return resp, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return b.wls.transport.RoundTrip(b.loginForm(r))
}

// fillsIn reports whether resp is the login form and somebody is there to see it.
func (b *browser) fillsIn(r *http.Request, resp *http.Response) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return b.user != "" && (mode == "navigate" || mode == "") && r.Method == http.MethodGet && b.wls.isLogin(r.URL) &&
		resp.Header.Get(pageHeader) == "login"
}

// loginForm is what the browser sends when the form shown at r is filled in.
func (b *browser) loginForm(r *http.Request) *http.Request {
	u, _ := b.wls.users.active(b.user) // an unknown user's password is wrong, too
	body := url.Values{"userid": {b.user}, "pwd": {u.Password}, "login": {"login"}}.Encode()
	post := r.Clone(r.Context())
	post.Method = http.MethodPost
	post.Body = io.NopCloser(strings.NewReader(body))
	post.ContentLength = int64(len(body))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.Header.Get("Sec-Fetch-Mode") != "" {
		post.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	post.Header.Set("Origin", "null") // the form's page has the policy no-referrer
	return post
}

// navigate adds the headers of a navigation (Fetch Metadata Request Headers, W3C).
func navigate(r *http.Request) {
	if r.Response != nil {
		r.Header.Del("Referer") // http.Client's own, of the redirect; browsers send none
	}
	if _, set := r.Header["Sec-Fetch-Mode"]; set {
		return
	}
	form := r.Method != http.MethodGet && r.Method != http.MethodHead
	setDefault(r.Header, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	setDefault(r.Header, "Sec-Fetch-Mode", "navigate")
	setDefault(r.Header, "Sec-Fetch-Dest", "document")
	setDefault(r.Header, "Sec-Fetch-Site", initiator(r))
	if form {
		setDefault(r.Header, "Origin", origin(r.URL))
	}
}

// initiator is Sec-Fetch-Site: "none" for an address that a person typed, as every
// GET counts, and for the redirects that follow; "same-origin" for a form. After the
// fake's login form it is the fake that sends the browser on.
func initiator(r *http.Request) string {
	for at := r; at.Response != nil && at.Response.Request != nil; {
		at = at.Response.Request
		if at.Method == http.MethodGet || at.Method == http.MethodHead {
			continue
		}
		return relation(at.URL, r.URL)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "same-origin"
	}
	return "none"
}

// relation is how a page at from relates to a page at to. Like browsers it takes an IP
// address and a name for different sites, and all ports of a host for the same site.
func relation(from, to *url.URL) string {
	switch {
	case origin(from) == origin(to):
		return "same-origin"
	case from.Scheme == to.Scheme && from.Hostname() == to.Hostname():
		return "same-site"
	}
	return "cross-site"
}

func setDefault(h http.Header, name, value string) {
	if _, set := h[name]; !set {
		h.Set(name, value)
	}
}
