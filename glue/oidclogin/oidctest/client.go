package oidctest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// Client is a browser for tests, with a cookie jar of its own: it sends what a browser
// sends when a person goes to a page, follows redirects, and where it meets the provider's
// login form it logs in as user. An empty user is nobody: the client stops at the form and
// returns it as the response.
//
// Navigation headers are added where the request has no Sec-Fetch-Mode, so that a test
// plays a script's fetch by setting it (to "cors"), and a browser without such headers
// by setting it to nil in the Header map; Accept is then left alone too. Anything but
// GET and HEAD is taken for a form on the site's own page, with Origin, unless the
// request says otherwise.
//
// The client trusts the certificates of webauthtest.SiteTLS. Clients of one provider share
// connections, and nothing else.
func (p *Provider) Client(user string) *http.Client {
	return fakelogin.Browser(p.transport, func(r *http.Request, resp *http.Response) url.Values {
		if user == "" || !p.isLogin(r.URL) || resp.StatusCode != http.StatusOK || resp.Header.Get(pageHeader) != "login" {
			return nil
		}
		return url.Values{"userid": {user}, "pwd": {"any"}, "login": {"login"}}
	})
}

// StopAtLogin is a CheckRedirect for a Client: it stops before the provider is asked, so
// that the response is the site's redirect. Its Location is what Respond takes.
func (p *Provider) StopAtLogin(next *http.Request, via []*http.Request) error {
	if p.isLogin(next.URL) {
		return http.ErrUseLastResponse
	}
	return fakelogin.FollowAsBrowser(next, via)
}

// StopAtReturn is a CheckRedirect for a Client: it stops when the provider sends the browser
// back, so that the response is the provider's redirect and the site has not seen the code
// in its Location yet.
func (p *Provider) StopAtReturn(next *http.Request, via []*http.Request) error {
	if from := next.Response; from != nil && from.Request != nil && p.isLogin(from.Request.URL) {
		return http.ErrUseLastResponse
	}
	return fakelogin.FollowAsBrowser(next, via)
}

func (p *Provider) isLogin(u *url.URL) bool {
	return strings.HasPrefix(u.String(), p.issuer+authPath) && u.Path == authPath
}
