package oauth2server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// echoed is what a resource sees.
type echoed struct {
	Access        Access
	OK            bool
	Principal     string // of glue.IdentityFrom
	Person        bool
	Body          string
	Authorization string
}

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	var e echoed
	e.Access, e.OK = AccessFrom(r.Context())
	id, ok := glue.IdentityFrom(r.Context())
	e.Principal, e.Person = id.Principal, ok
	body, _ := io.ReadAll(r.Body)
	e.Body, e.Authorization = string(body), r.Header.Get("Authorization")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(e)
})

// person is a browser with a session of the site.
func (s *world) person(t testing.TB, user string) *http.Client {
	t.Helper()
	c := s.fake.Client(user)
	resp, err := c.Get(s.url + "/private")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return c
}

// stranger is a browser without one.
func stranger(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// apiAnswer is what a resource answers.
type apiAnswer struct {
	status int
	header http.Header
	code   string // "error" of a refusal
	echoed
}

// call sends a request with what edit makes of it.
func (s *world) call(t testing.TB, c *http.Client, method, target string, edit ...func(*http.Request)) apiAnswer {
	t.Helper()
	req, err := http.NewRequest(method, s.url+target, http.NoBody)
	require.NoError(t, err)
	for _, f := range edit {
		f(req)
	}
	c = &http.Client{Jar: c.Jar, Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := apiAnswer{status: resp.StatusCode, header: resp.Header}
	if resp.StatusCode == http.StatusOK {
		require.NoError(t, json.Unmarshal(body, &a.echoed), string(body))
	} else if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		var refused struct {
			Error string `json:"error"`
		}
		require.NoError(t, json.Unmarshal(body, &refused), string(body))
		a.code = refused.Error
	}
	return a
}

// sendHeader sets a header, as it is.
func sendHeader(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = values }
}

func sendBearer(text string) func(*http.Request) { return sendHeader("Authorization", "Bearer "+text) }

func sendForm(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

// personal makes a token of a person.
func (s *testServer) personal(t testing.TB, principal string, scopes ...string) string {
	t.Helper()
	_, text, err := s.store.CreatePersonal(t.Context(), store.Token{Principal: principal, Scopes: scopes})
	require.NoError(t, err)
	return text
}
