package webauthtest_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

const target = "http://localhost:8080/private/?a=b"

// TestProtocol is the table of what a service does with whom.
func TestProtocol(t *testing.T) {
	type edit = func(*wls.Request)
	iact := func(v string) edit { return func(r *wls.Request) { r.IAct = v } }
	aauth := func(v ...string) edit { return func(r *wls.Request) { r.AAuth = v } }
	const (
		form    = 0 // asks the person
		fresh   = 1 // a success by password
		signOn  = 2 // a success by single sign-on
		ownPage = 3 // a failure explained on a page
	)
	tests := []struct {
		name   string
		edit   edit
		doing  webauthtest.Person
		status int // a failure sent back, or one of the above
	}{
		{"types a password", nil, webauthtest.Types, fresh},
		{"single sign-on", nil, webauthtest.SignedOn, signOn},
		{"cancels", nil, webauthtest.Cancels, 410},
		{"iact=yes and types a password", iact("yes"), webauthtest.Types, fresh},
		{"iact=yes and single sign-on", iact("yes"), webauthtest.SignedOn, form},
		{"iact=yes and cancels", iact("yes"), webauthtest.Cancels, 410},
		{"iact=no without single sign-on", iact("no"), webauthtest.Types, 540},
		{"iact=no and single sign-on", iact("no"), webauthtest.SignedOn, signOn},
		{"aauth=pwd", aauth("pwd"), webauthtest.Types, fresh},
		{"aauth=x-card,pwd", aauth("x-card", "pwd"), webauthtest.SignedOn, signOn},
		{"aauth=x-card", aauth("x-card"), webauthtest.Types, 510},
		{"aauth=x-card and single sign-on", aauth("x-card"), webauthtest.SignedOn, 510},
		{"aauth=x-card and iact=no", func(r *wls.Request) { r.AAuth, r.IAct = []string{"x-card"}, "no" }, webauthtest.Types, 510},
		{"fail=yes and a success", func(r *wls.Request) { r.Fail = true }, webauthtest.Types, fresh},
		{"fail=yes and cancels", func(r *wls.Request) { r.Fail = true }, webauthtest.Cancels, ownPage},
		{"fail=yes and iact=no", func(r *wls.Request) { r.Fail, r.IAct = true, "no" }, webauthtest.Types, ownPage},
		{"version 4", func(r *wls.Request) { r.Ver = 4 }, webauthtest.Types, 520},
		{"no version", func(r *wls.Request) { r.Ver = 0 }, webauthtest.Types, 530},
		{"a bad iact", iact("maybe"), webauthtest.Types, 530},
		{"a bad request with fail=yes", func(r *wls.Request) { r.Fail, r.IAct = true, "maybe" }, webauthtest.Types, ownPage},
		{"a url to which nobody can be sent", func(r *wls.Request) { r.URL = "ftp://localhost/" }, webauthtest.Types, ownPage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := webauthtest.New(t, atNoon())
			got, err := w.Respond(loginURL(w, tt.edit), "test0001", tt.doing)
			switch tt.status {
			case form:
				require.EqualError(t, err, "webauthtest: Respond: the fake would ask for the password")
				assert.Equal(t, webauthtest.ReplyForm, last(t, w).Reply)
				return
			case ownPage:
				require.ErrorContains(t, err, "would show a page of its own")
				assert.Equal(t, webauthtest.ReplyPage, last(t, w).Reply)
				assert.Empty(t, last(t, w).Value)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, got, last(t, w).ReturnURL)
			u := parse(t, got)
			assert.True(t, u.Signed())
			assert.Equal(t, target, u.URL())
			assert.Equal(t, "p", u.Params())
			assert.Equal(t, noon, u.Issue())
			assert.Equal(t, webauthtest.DefaultKid, u.Kid())
			if tt.status > ownPage {
				assert.Equal(t, tt.status, u.Status())
				assert.NotEmpty(t, u.Msg())
				_, hasLife := u.Life()
				assert.False(t, hasLife)
				return
			}
			response, err := verify(t, w, got, target)
			require.NoError(t, err)
			assert.Equal(t, 3, response.Version())
			assert.Equal(t, "test0001", response.Principal())
			assert.Equal(t, []string{"current"}, response.Ptags())
			life, _ := response.Life()
			assert.Equal(t, 10*time.Hour, life)
			if tt.status == fresh {
				assert.Equal(t, "pwd", response.Auth())
				assert.Empty(t, response.SSO())
			} else {
				assert.Empty(t, response.Auth())
				assert.Equal(t, []string{"pwd"}, response.SSO())
			}
		})
	}
}

func TestVersions(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	for ver, wantPtags := range map[int][]string{1: nil, 2: nil, 3: {"current"}} {
		got, err := w.Respond(loginURL(w, func(r *wls.Request) { r.Ver = ver }), "test0001")
		require.NoError(t, err)
		response, err := verify(t, w, got, target)
		require.NoError(t, err)
		assert.Equal(t, ver, response.Version())
		assert.Equal(t, wantPtags, response.Ptags())
		assert.NoError(t, last(t, w).Response.Check())
		u, _ := url.Parse(got)
		assert.Equal(t, ver != 1, u.Query().Has("a"), "only version 1 drops the query, this is version %d", ver)
	}
}

func TestFailuresKeepVersionAndParams(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	tests := []struct {
		name string
		edit func(*wls.Request)
		ver  int
	}{
		{"530 in the request's version", func(r *wls.Request) { r.IAct = "x" }, 3},
		{"530 in version 2", func(r *wls.Request) { r.Ver, r.IAct = 2, "x" }, 2},
		{"530 without a version in version 1", func(r *wls.Request) { r.Ver = 0 }, 1},
		{"520 in version 1", func(r *wls.Request) { r.Ver = 7 }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := w.Respond(loginURL(w, tt.edit), "test0001")
			require.NoError(t, err)
			assert.Equal(t, tt.ver, parse(t, got).Version())
			assert.Equal(t, "p", parse(t, got).Params())
			assert.NotEmpty(t, last(t, w).Refused)
		})
	}
}

func TestSingleSignOn(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	c := noWait(w)
	ask := loginURL(w, nil)

	resp, page := get(t, c, ask)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, page, `name="pwd"`)

	resp = logIn(t, c, ask, " test0001 ", "test") // as people copy names
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	first, err := verify(t, w, resp.Header.Get("Location"), target)
	require.NoError(t, err)
	assert.Equal(t, "pwd", first.Auth())

	w.Advance(time.Hour)
	resp, _ = get(t, c, ask)
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	second, err := verify(t, w, resp.Header.Get("Location"), target)
	require.NoError(t, err)
	assert.Empty(t, second.Auth())
	assert.Equal(t, "test0001", second.Principal())
	life, _ := second.Life()
	assert.Equal(t, 9*time.Hour, life)
	assert.NotEqual(t, first.ID(), second.ID())

	w.Advance(9*time.Hour - 1)
	resp, _ = get(t, c, ask)
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode, "until the very end")
	w.Advance(1)
	resp, _ = get(t, c, ask)
	assert.Equal(t, http.StatusOK, resp.StatusCode, "and no longer")
}

func TestSingleSignOnEnds(t *testing.T) {
	ends := map[string]func(*testing.T, *webauthtest.WLS, *http.Client){
		"by logout": func(t *testing.T, w *webauthtest.WLS, c *http.Client) {
			resp, page := get(t, c, w.Service().LogoutURL)
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Contains(t, page, "You are logged out")
		},
		"when the user is removed": func(_ *testing.T, w *webauthtest.WLS, _ *http.Client) { w.RemoveUser("test0001") },
		"when the user is disabled": func(_ *testing.T, w *webauthtest.WLS, _ *http.Client) {
			w.AddUser(webauthtest.User{ID: "test0001", Password: "test", Disabled: true})
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			w := webauthtest.New(t, atNoon())
			c := noWait(w)
			ask := loginURL(w, nil)
			logIn(t, c, ask, "test0001", "test")
			resp, _ := get(t, c, ask)
			require.Equal(t, http.StatusSeeOther, resp.StatusCode)
			end(t, w, c)
			resp, _ = get(t, c, ask)
			assert.Equal(t, http.StatusOK, resp.StatusCode, "the form")
		})
	}
}

func TestALogoutIsFinal(t *testing.T) {
	w := webauthtest.New(t)
	c := noWait(w)
	ask := loginURL(w, nil)
	stolen := logIn(t, c, ask, "test0001", "test").Cookies()
	require.Equal(t, http.StatusSeeOther, askWith(t, w, stolen))
	get(t, c, w.Service().LogoutURL)
	assert.Equal(t, http.StatusOK, askWith(t, w, stolen), "the form")
}

func TestANewLoginEndsTheOldSession(t *testing.T) {
	w := webauthtest.New(t)
	c := noWait(w)
	first := logIn(t, c, loginURL(w, nil), "test0001", "test").Cookies()
	logIn(t, c, loginURL(w, nil), "test0002", "test")
	assert.Equal(t, http.StatusOK, askWith(t, w, first), "the form")
}

// askWith arrives with these cookies and gives the status of the answer.
func askWith(t *testing.T, w *webauthtest.WLS, cookies []*http.Cookie) int {
	t.Helper()
	require.Len(t, cookies, 1)
	req, err := http.NewRequest(http.MethodGet, loginURL(w, nil), nil)
	require.NoError(t, err)
	req.AddCookie(cookies[0])
	resp, err := noWait(w).Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

func TestAnotherPersonTakesOver(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	c := noWait(w)
	again := loginURL(w, func(r *wls.Request) { r.IAct = "yes" })
	logIn(t, c, again, "test0001", "test")
	_, page := get(t, c, again)
	assert.Contains(t, page, `value="test0001"`, "the form supposes the same person")
	resp := logIn(t, c, again, "test0002", "test")
	response, err := verify(t, w, resp.Header.Get("Location"), target)
	require.NoError(t, err)
	assert.Equal(t, "test0002", response.Principal())
	resp, _ = get(t, c, loginURL(w, nil))
	response, err = verify(t, w, resp.Header.Get("Location"), target)
	require.NoError(t, err)
	assert.Equal(t, "test0002", response.Principal(), "single sign-on follows")
}

func TestWrongPassword(t *testing.T) {
	w := webauthtest.New(t)
	w.AddUser(webauthtest.User{ID: "off", Password: "test", Disabled: true})
	for _, try := range [][2]string{{"test0001", "Test"}, {"test0001", ""}, {"nobody", "test"}, {"", ""}, {"off", "test"}} {
		c := noWait(w)
		resp := logIn(t, c, loginURL(w, nil), try[0], try[1])
		page := body(t, resp)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, try)
		assert.Empty(t, resp.Cookies())
		assert.Contains(t, page, "You are not logged in")
		assert.Contains(t, page, `name="userid" value="`+try[0]+`"`)
		assert.NotContains(t, page, `type="password" value`)
		assert.True(t, last(t, w).BadLogin)
		assert.True(t, last(t, w).Submitted)
	}
}

func TestCancelKeepsSingleSignOn(t *testing.T) {
	w := webauthtest.New(t)
	c := noWait(w)
	ask := loginURL(w, func(r *wls.Request) { r.IAct = "yes" })
	logIn(t, c, ask, "test0001", "test")
	resp, err := c.PostForm(ask, url.Values{"userid": {"test0001"}, "pwd": {"test"}, "cancel": {"cancel"}})
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 410, parse(t, resp.Header.Get("Location")).Status())
	resp, _ = get(t, c, loginURL(w, nil))
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
}

func TestPasswordsDoNotOpenWhatMustNotAsk(t *testing.T) {
	w := webauthtest.New(t)
	resp := logIn(t, noWait(w), loginURL(w, func(r *wls.Request) { r.IAct = "no" }), "test0001", "test")
	assert.Equal(t, 540, parse(t, resp.Header.Get("Location")).Status())
}

func TestParametersInABodyDoNotCount(t *testing.T) {
	w := webauthtest.New(t)
	resp, err := noWait(w).PostForm(w.Service().AuthURL, url.Values{
		"ver": {"3"}, "url": {target}, "userid": {"test0001"}, "pwd": {"test"}, "login": {"login"},
	})
	require.NoError(t, err)
	page := body(t, resp)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Contains(t, page, "530")
	assert.Contains(t, page, "missing required parameter &#39;ver&#39;")
}

func TestOtherMethods(t *testing.T) {
	w := webauthtest.New(t)
	w.Next(webauthtest.Outcome{Status: 560})
	for _, method := range []string{http.MethodHead, http.MethodPut, http.MethodDelete} {
		req, err := http.NewRequest(method, loginURL(w, nil), nil)
		require.NoError(t, err)
		resp, err := noWait(w).Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, method)
	}
	assert.Empty(t, w.Requests())
}

func TestRedirectForHTTP10(t *testing.T) {
	w := webauthtest.New(t)
	for proto, want := range map[string]int{"HTTP/1.0": http.StatusFound, "HTTP/1.1": http.StatusSeeOther} {
		assert.Equal(t, want, rawStatus(t, w, proto, loginURL(w, func(r *wls.Request) { r.IAct = "no" })), proto)
	}
}
