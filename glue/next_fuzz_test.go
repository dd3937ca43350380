package glue_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// FuzzNext: wherever Login sends a person on to, in a browser's reading of the Location as
// in Go's, is on the site, and is what next said, or next is refused.
func FuzzNext(f *testing.F) {
	const base = "https://soc.example"
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "https://wls.example", Key: wlsKey(), Kid: "7"})
	require.NoError(f, err)
	soc, err := site.New(site.Config{BaseURL: base, Secret: rand.Text() + rand.Text()})
	require.NoError(f, err)
	auth, err := glue.New(glue.Config{Site: soc, Service: fake.Service()})
	require.NoError(f, err)
	cookies := loginAt(f, fake, auth, base)
	for _, next := range []string{
		"/", "/private/x?y=1", "", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "/%2f%2fevil.example", "/..//evil.example",
		"https://evil.example", "https:evil.example", "javascript:alert(1)", "@evil.example", ".evil.example", ":80/", "/#//evil.example", "/\r\nX: y",
		"/private\x00", " /private", "//evil\u3002example", "/?next=//evil.example", "/%zz", "///", "/.//evil.example", "/a/..//evil.example",
	} {
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, next string) {
		r := httptest.NewRequest(http.MethodGet, base+"/login?next="+url.QueryEscape(next), nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		rec := httptest.NewRecorder()
		auth.Login(rec, r)
		if rec.Code == http.StatusBadRequest {
			require.Empty(t, rec.Header().Get("Location"))
			require.NotEqual(t, "/", next)
			return
		}
		require.Equal(t, http.StatusSeeOther, rec.Code)
		location := rec.Header().Get("Location")
		if next == "" {
			next = "/"
		}
		require.Equal(t, base+next, location)
		for _, reading := range []string{location, next} { // next alone, should somebody resolve it
			require.Equal(t, base, browsersOrigin(base, reading), "%q", reading)
			u, err := url.Parse(base + "/login")
			require.NoError(t, err)
			u, err = u.Parse(reading)
			require.NoError(t, err)
			require.Equal(t, base, u.Scheme+"://"+u.Host, "%q", reading)
			require.Nil(t, u.User)
		}
	})
}

// loginAt gives the cookies of a browser that is logged in.
func loginAt(t testing.TB, fake *webauthtest.WLS, auth *glue.Auth, base string) []*http.Cookie {
	t.Helper()
	handler := auth.Require(echo)
	ask := httptest.NewRequest(http.MethodGet, base+"/private/", nil)
	ask.Header.Set("Accept", "text/html")
	asked := httptest.NewRecorder()
	handler.ServeHTTP(asked, ask)
	back, err := fake.Respond(asked.Header().Get("Location"), "test0001")
	require.NoError(t, err)
	bring := httptest.NewRequest(http.MethodGet, back, nil)
	bring.Header.Set("Accept", "text/html")
	cookies := asked.Result().Cookies()
	for _, c := range cookies {
		bring.AddCookie(c)
	}
	brought := httptest.NewRecorder()
	handler.ServeHTTP(brought, bring)
	require.Equal(t, http.StatusSeeOther, brought.Code)
	return append(cookies, brought.Result().Cookies()...)
}

// What the tests take for a browser's reading must not be blind to the known tricks.
func TestBrowsersOrigin(t *testing.T) {
	for ref, want := range map[string]string{
		"/private/": "https://soc.example", "private": "https://soc.example", "?x": "https://soc.example", "#x": "https://soc.example", "": "https://soc.example",
		"https://soc.example/private/": "https://soc.example", "HTTPS://SOC.example": "https://soc.example", "https:private": "https://soc.example",
		"//evil.example/": "https://evil.example", "///evil.example": "https://evil.example", `/\evil.example`: "https://evil.example",
		`\\evil.example/`: "https://evil.example", "/\t/evil.example": "https://evil.example", "\n//evil.example": "https://evil.example",
		" //evil.example": "https://evil.example", "https:/evil.example": "https://soc.example", "http:/evil.example": "http://evil.example", `https:\/evil.example`: "https://evil.example", `https:\\evil.example`: "https://evil.example",
		"https://soc.example@evil.example/": "https://evil.example", "https://soc.example.evil.example": "https://soc.example.evil.example",
		"https://soc.example:80/": "https://soc.example:80", "http://soc.example/": "http://soc.example", "http:evil.example": "http://evil.example",
		"javascript:alert(1)": "", "java\tscript:alert(1)": "", "data:text/html,x": "", "/a//evil.example": "https://soc.example", "/%2f%2fevil.example": "https://soc.example",
	} {
		assert.Equal(t, want, browsersOrigin("https://soc.example", ref), "%q", ref)
	}
}
