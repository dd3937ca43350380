package webauthtest

import (
	"net/http"
	"net/url"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// Client returns a browser for tests, with a cookie jar of its own: it sends what a browser
// sends when a person goes to a page, follows redirects, and where it meets the fake's login
// form it fills that in for user. An empty user is nobody: the client stops at the form and
// returns it as the response.
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
	return fakelogin.Browser(w.transport, w.fillIn(user))
}

// StopAtLogin is a CheckRedirect for a Client: it stops before the fake is asked, so
// that the response is the site's redirect. Its Location is what Respond takes.
func (w *WLS) StopAtLogin(next *http.Request, via []*http.Request) error {
	if w.isLogin(next.URL) {
		return http.ErrUseLastResponse
	}
	return fakelogin.FollowAsBrowser(next, via)
}

// StopAtReturn is a CheckRedirect for a Client: it stops when the fake sends the browser
// back, so that the response is the fake's redirect and the site has not seen the
// WLS-Response in its Location yet.
func (w *WLS) StopAtReturn(next *http.Request, via []*http.Request) error {
	if from := next.Response; from != nil && from.Request != nil && w.isLogin(from.Request.URL) {
		return http.ErrUseLastResponse
	}
	return fakelogin.FollowAsBrowser(next, via)
}

func (w *WLS) isLogin(u *url.URL) bool {
	return u.Scheme == w.base.Scheme && u.Host == w.base.Host && u.Path == authPath
}

// fillIn is what user does on a page: nothing, unless it is the login form and somebody is
// there to see it.
func (w *WLS) fillIn(user string) func(*http.Request, *http.Response) url.Values {
	return func(r *http.Request, resp *http.Response) url.Values {
		if user == "" || !w.isLogin(r.URL) || resp.Header.Get(pageHeader) != "login" {
			return nil
		}
		u, _ := w.users.active(user) // an unknown user's password is wrong, too
		return url.Values{"userid": {user}, "pwd": {u.Password}, "login": {"login"}}
	}
}
