package xsrf_test

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

// sends posts a form from a page of the site, and gives the answer's status and body.
func (c *client) sends(t *testing.T, path string, form url.Values) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.site.url+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", c.site.url)
	r.Header.Set("Accept", "text/html")
	resp, err := c.http.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

var (
	keptField  = regexp.MustCompile(`name="wls-kept" value="([^"]+)"`)
	keptLink   = regexp.MustCompile(`href="([^"]*)"`)
	keptAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
)

// through sends a form and, where it is kept, presses Continue too early, logs in by the
// page's link and presses it again, until there is another answer.
func (c *client) through(t *testing.T, path string, form url.Values, wait time.Duration) (status, kept int) {
	t.Helper()
	status, body := c.sends(t, path, form)
	for ; kept < 3 && keptField.MatchString(body); kept++ {
		link := html.UnescapeString(keptLink.FindStringSubmatch(body)[1])
		action := html.UnescapeString(keptAction.FindStringSubmatch(body)[1])
		sealed := keptField.FindStringSubmatch(body)[1]
		_, body = c.sends(t, strings.TrimPrefix(action, c.site.url), url.Values{"wls-kept": {sealed}})
		require.Regexp(t, keptField, body, "the form is still kept")
		c.site.advance(wait)
		resp, err := c.http.Get(link)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		status, body = c.sends(t, strings.TrimPrefix(action, c.site.url), url.Values{"wls-kept": {sealed}})
	}
	return status, kept
}

// Once it has been kept, a form gets the verdict that it would have had when it was sent.
func TestKeptFormsGetTheVerdictOfSentOnes(t *testing.T) {
	fresh := func(p *glue.Policy) { p.Fresh = 20 * time.Minute }
	type form = url.Values
	const age = 30 * time.Minute // of the session and its tokens, when the form is sent
	for _, tt := range []struct {
		name string
		make func(t *testing.T, c, other *client) form
		ok   bool
	}{
		{"no token", func(*testing.T, *client, *client) form { return form{"a": {"b"}} }, false},
		{"an empty token", func(*testing.T, *client, *client) form { return form{"xsrf-token": {""}} }, false},
		{"nonsense", func(*testing.T, *client, *client) form { return form{"xsrf-token": {"x"}} }, false},
		{"another action", func(t *testing.T, c, _ *client) form { return form{"xsrf-token": {c.mint(t, "/mint/other")}} }, false},
		{"no action", func(t *testing.T, c, _ *client) form { return form{"xsrf-token": {c.mint(t, "/mint/none")}} }, false},
		{"another person's", func(t *testing.T, _, other *client) form {
			return form{"xsrf-token": {other.mint(t, "/mint/act")}}
		}, false},
		{"the same person's in another browser", func(t *testing.T, c, _ *client) form {
			return form{"xsrf-token": {c.site.login(t, "test0001").mint(t, "/mint/act")}}
		}, false},
		{"of an earlier session", func(t *testing.T, c, _ *client) form {
			token := c.mint(t, "/mint/act")
			status, _ := c.sends(t, "/logout", nil)
			require.Equal(t, http.StatusOK, status)
			c.mint(t, "/mint/act") // logs in
			return form{"xsrf-token": {token}}
		}, false},
		{"too old", func(t *testing.T, c, _ *client) form {
			token := c.mint(t, "/mint/act")
			c.site.advance(time.Hour - age + time.Second)
			return form{"xsrf-token": {token}}
		}, false},
		{"nearly too old", func(t *testing.T, c, _ *client) form {
			token := c.mint(t, "/mint/act")
			c.site.advance(time.Hour - age)
			return form{"xsrf-token": {token}}
		}, true},
		{"right", func(t *testing.T, c, _ *client) form { return form{"xsrf-token": {c.mint(t, "/mint/act")}} }, true},
		{"twice", func(t *testing.T, c, _ *client) form {
			token := c.mint(t, "/mint/act")
			return form{"xsrf-token": {token, token}}
		}, false},
		{"single use", func(t *testing.T, c, _ *client) form { return form{"xsrf-token": {c.mint(t, "/mint/once")}} }, true},
		{"single use, used", func(t *testing.T, c, _ *client) form {
			f := form{"xsrf-token": {c.mint(t, "/mint/once")}}
			status, _ := c.sends(t, "/act", f)
			require.Equal(t, http.StatusNoContent, status)
			return f
		}, false},
	} {
		for _, route := range []string{"/act", "/fresh", "/check-around", "/optional-around"} {
			for _, wait := range []time.Duration{0, 59 * time.Minute} {
				t.Run(tt.name+" at "+route+" and on after "+wait.String(), func(t *testing.T) {
					s := newSite(t)
					s.more = func(mux *http.ServeMux) {
						act := xsrf.Action("act")
						done := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
						strict := s.auth.With(fresh)
						mux.Handle("/act", s.auth.Require(s.guard.With(act).Check(done)))
						mux.Handle("/fresh", strict.Require(s.guard.With(act).Check(done)))
						mux.Handle("/check-around", s.auth.Require(s.guard.With(act).Check(strict.Require(done))))
						mux.Handle("/optional-around", s.auth.Optional(s.guard.With(act).Check(strict.Require(done))))
						for path, options := range map[string][]xsrf.Option{
							"act": {act}, "other": {xsrf.Action("other")}, "none": nil, "once": {act, xsrf.SingleUse()},
						} {
							mux.Handle("/mint/"+path, s.auth.Require(s.guard.With(options...).Send(done)))
						}
					}
					c := s.login(t, "test0001")
					f := tt.make(t, c, s.login(t, "test0002"))
					s.advance(age)
					status, kept := c.through(t, route, f, wait)
					if route != "/act" && (tt.ok || route == "/fresh") {
						assert.Equal(t, 1, kept)
					} else {
						assert.Zero(t, kept)
					}
					if !tt.ok {
						assert.Equal(t, http.StatusForbidden, status)
						return
					}
					assert.Equal(t, http.StatusNoContent, status)
					if strings.HasPrefix(tt.name, "single use") {
						status, _ = c.through(t, route, f, 0)
						assert.Equal(t, http.StatusForbidden, status, "its token is used")
					}
				})
			}
		}
	}
}

// Where the session had ended, nothing was ever sent in time: a token of that session is
// good, but one for single use only while it is known whether it was used.
func TestKeptFormsOfAnEndedSession(t *testing.T) {
	for _, tt := range []struct {
		name, mint string
		used       bool
		age        time.Duration
		want       int
	}{
		{"within the token's time", "/mint/act", false, 0, http.StatusNoContent},
		{"after it", "/mint/act", false, 2 * time.Hour, http.StatusNoContent},
		{"another action", "/mint/other", false, 0, http.StatusForbidden},
		{"single use, within its time", "/mint/once", false, 0, http.StatusNoContent},
		{"single use, used", "/mint/once", true, 0, http.StatusForbidden},
		{"single use, after its time", "/mint/once", false, 2 * time.Hour, http.StatusForbidden},
		{"single use, used, after its time", "/mint/once", true, 2 * time.Hour, http.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.more = func(mux *http.ServeMux) {
				act := xsrf.Action("act")
				done := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
				mux.Handle("/act", s.auth.Require(s.guard.With(act).Check(done)))
				mux.Handle("/mint/act", s.auth.Require(s.guard.With(act).Send(done)))
				mux.Handle("/mint/other", s.auth.Require(s.guard.With(xsrf.Action("other")).Send(done)))
				mux.Handle("/mint/once", s.auth.Require(s.guard.With(act, xsrf.SingleUse()).Send(done)))
			}
			c := s.login(t, "test0001")
			s.advance(100 * time.Minute) // the session ends after two hours
			f := url.Values{"xsrf-token": {c.mint(t, tt.mint)}}
			if tt.used {
				status, _ := c.sends(t, "/act", f)
				require.Equal(t, http.StatusNoContent, status)
			}
			s.advance(30*time.Minute + tt.age)
			status, kept := c.through(t, "/act", f, 50*time.Minute)
			assert.Equal(t, 1, kept)
			assert.Equal(t, tt.want, status)
		})
	}
}

// mint gets a token from a page of the site.
func (c *client) mint(t *testing.T, path string) string {
	t.Helper()
	resp, err := c.http.Get(c.site.url + path)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	token := resp.Header.Get(xsrf.Header)
	require.NotEmpty(t, token)
	return token
}
