package webauthtest_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// noon is the fake's time in most tests.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// atNoon stops the clock of a new fake.
func atNoon() webauthtest.Option {
	return webauthtest.WithNow(func() time.Time { return noon })
}

// loginURL is a request of a site at /private/?a=b.
func loginURL(w *webauthtest.WLS, edit func(*wls.Request)) string {
	r := wls.Request{Ver: 3, URL: "http://localhost:8080/private/?a=b", Params: "p"}
	if edit != nil {
		edit(&r)
	}
	return w.Service().AuthURL + "?" + r.Encode()
}

// responseIn takes the WLS-Response out of a return URL.
func responseIn(t *testing.T, returnURL string) string {
	t.Helper()
	u, err := url.Parse(returnURL)
	require.NoError(t, err)
	value, found, err := webauth.ResponseFrom(u.RawQuery)
	require.NoError(t, err)
	require.True(t, found, "no WLS-Response in %s", returnURL)
	return value
}

func parse(t *testing.T, returnURL string) *webauth.Unverified {
	t.Helper()
	u, err := webauth.ParseResponse(responseIn(t, returnURL))
	require.NoError(t, err)
	return u
}

// verify checks a response as a site would that asked for url.
func verify(t *testing.T, w *webauthtest.WLS, returnURL, url string) (*webauth.Response, error) {
	t.Helper()
	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service: w.Service(), Versions: []int{1, 2, 3}, Now: w.Now, InsecureNoToken: true, InsecureNoReplayCheck: true,
	})
	require.NoError(t, err)
	return verifier.Verify(context.Background(), responseIn(t, returnURL), webauth.Expect{URL: url})
}

// testSite is a site with sessions of the simplest kind: a cookie that names the user.
// It sends every visitor without one to the fake and tells who came back.
func testSite(t *testing.T, w *webauthtest.WLS, request func(*webauth.Request)) func(baseURL string) http.Handler {
	return func(baseURL string) http.Handler {
		verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
			Service: w.Service(), Now: w.Now, InsecureNoToken: true, InsecureNoReplayCheck: true,
		})
		require.NoError(t, err)
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if c, err := r.Cookie("who"); err == nil {
				_, _ = io.WriteString(rw, "hello "+c.Value)
				return
			}
			value, found, err := webauth.ResponseFrom(r.URL.RawQuery)
			if err == nil && found {
				var response *webauth.Response
				response, err = verifier.Verify(r.Context(), value, webauth.Expect{URL: baseURL + r.URL.Path})
				if err == nil {
					http.SetCookie(rw, &http.Cookie{Name: "who", Value: response.Principal(), Path: "/"})
					http.Redirect(rw, r, baseURL+r.URL.Path, http.StatusSeeOther)
					return
				}
			}
			if err != nil {
				http.Error(rw, err.Error(), http.StatusForbidden)
				return
			}
			req := webauth.Request{URL: baseURL + r.URL.Path, Date: w.Now()}
			if request != nil {
				request(&req)
			}
			target, err := w.Service().LoginURL(req)
			if err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
				return
			}
			http.Redirect(rw, r, target, http.StatusSeeOther)
		})
	}
}

// body reads and closes the body of an answer.
func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}

// get fetches a page with a client.
func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	return resp, body(t, resp)
}

// last is the exchange that was logged last.
func last(t *testing.T, w *webauthtest.WLS) webauthtest.Exchange {
	t.Helper()
	all := w.Requests()
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

// noWait is a browser that sends a form itself and follows no redirect.
func noWait(w *webauthtest.WLS) *http.Client {
	c := w.Client("")
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// logIn types user and password at the login form of target and gives the answer.
func logIn(t *testing.T, c *http.Client, target, user, password string) *http.Response {
	t.Helper()
	resp, err := c.PostForm(target, url.Values{"userid": {user}, "pwd": {password}, "login": {"login"}})
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}
