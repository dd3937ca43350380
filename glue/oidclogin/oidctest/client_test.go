package oidctest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// testSite is a site of the simplest kind: it sends every visitor to the provider, and says who
// came back. It checks nothing.
func testSite(t *testing.T, p *oidctest.Provider) func(baseURL string) http.Handler {
	return func(baseURL string) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("/private", func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, authURL(p, set("redirect_uri", baseURL+"/login")), http.StatusSeeOther)
		})
		mux.HandleFunc("/login", func(rw http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if q.Has("error") {
				http.Error(rw, q.Get("error"), http.StatusForbidden)
				return
			}
			form := tokenForm(q.Get("code"))
			form.Set("redirect_uri", baseURL+"/login")
			status, answer := exchange(t, p, form, nil)
			require.Equal(t, http.StatusOK, status)
			_, _ = rw.Write([]byte("hello " + part(t, answer["id_token"].(string), 1)["sub"].(string)))
		})
		return mux
	}
}

func TestClientLogsInByItself(t *testing.T) {
	p := oidctest.New(t)
	for _, start := range []func(testing.TB, func(string) http.Handler) *httptest.Server{webauthtest.Site, webauthtest.SiteTLS} {
		site := start(t, testSite(t, p))
		c := p.Client("test0001")
		resp, page := get(t, c, site.URL+"/private")
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, "hello test0001", page)

		before := len(p.Requests(oidctest.EndpointAuthorize))
		_, page = get(t, c, site.URL+"/private")
		assert.Equal(t, "hello test0001", page)
		assert.Len(t, p.Requests(oidctest.EndpointAuthorize), before+1, "single sign-on saves the form")

		_, page = get(t, p.Client("test0002"), site.URL+"/private")
		assert.Equal(t, "hello test0002", page, "each in a browser of their own")
	}
}

func TestClientOfNobody(t *testing.T) {
	p := oidctest.New(t)
	site := webauthtest.Site(t, testSite(t, p))
	for _, user := range []string{"", "nobody"} {
		resp, page := get(t, p.Client(user), site.URL+"/private")
		assert.Contains(t, page, "asks you to log in")
		assert.Equal(t, user != "", resp.StatusCode == http.StatusForbidden)
	}
}

func TestStops(t *testing.T) {
	p := oidctest.New(t)
	site := webauthtest.Site(t, testSite(t, p))
	c := p.Client("test0001")
	c.CheckRedirect = p.StopAtLogin
	resp, _ := get(t, c, site.URL+"/private")
	location, err := resp.Location()
	require.NoError(t, err)
	back, err := p.Respond(location.String(), "test0003")
	require.NoError(t, err)
	_, page := get(t, c, back)
	assert.Equal(t, "hello test0003", page)

	c.CheckRedirect = p.StopAtReturn
	resp, _ = get(t, c, site.URL+"/private")
	location, err = resp.Location()
	require.NoError(t, err)
	assert.Equal(t, "/login", location.Path)
	assert.NotEmpty(t, location.Query().Get("code"))
}

func TestRespond(t *testing.T) {
	p := oidctest.New(t, atNoon())
	assert.Equal(t, "access_denied", respond(t, p, nil, "", oidctest.Cancels).Get("error"))
	assert.Equal(t, "login_required", respond(t, p, set("prompt", "none"), "test0001").Get("error"), "nobody can type there")
	got := claims(t, p, nil, "test0001", oidctest.SignedOn)
	assert.Equal(t, float64(noon.Unix()-3600), got["auth_time"])

	for name, wrong := range map[string]func() (string, error){
		"somewhere else": func() (string, error) { return p.Respond("https://provider.example/authorize", "test0001") },
		"another path":   func() (string, error) { return p.Respond(p.Issuer()+"/token", "test0001") },
		"nobody":         func() (string, error) { return p.Respond(authURL(p, nil), "nobody") },
		"a form": func() (string, error) {
			return p.Respond(authURL(p, set("prompt", "login")), "test0001", oidctest.SignedOn)
		},
		"a page": func() (string, error) { return p.Respond(authURL(p, set("client_id", "x")), "test0001") },
	} {
		_, err := wrong()
		assert.Error(t, err, name)
	}
}

func TestScript(t *testing.T) {
	p := oidctest.New(t)
	p.Always(oidctest.Outcome{Error: "server_error"})
	p.ForUser("test0002", oidctest.Outcome{})
	p.Next(oidctest.Outcome{Error: "access_denied", Description: "no"}, oidctest.Outcome{Edit: func(c map[string]any) { c["sub"] = "edited" }})

	q := respond(t, p, nil, "test0001")
	assert.Equal(t, []string{"access_denied", "no"}, []string{q.Get("error"), q.Get("error_description")})
	assert.Equal(t, "edited", claims(t, p, nil, "test0001")["sub"])
	assert.Equal(t, "server_error", respond(t, p, nil, "test0001").Get("error"))
	assert.Equal(t, "test0002", claims(t, p, nil, "test0002")["sub"])
	p.Always(oidctest.Outcome{})
	assert.Equal(t, "test0001", claims(t, p, nil, "test0001")["sub"])

	assert.Panics(t, func() { p.Next(oidctest.Outcome{Fault: "unheard-of"}) })
	assert.Panics(t, func() { p.Always(oidctest.Outcome{Fault: "unheard-of"}) })
	assert.Panics(t, func() { p.Next(oidctest.Outcome{Fault: oidctest.FaultKeysDown}) }, "no login fetches keys at its own time")
}

// TestTheFormKeepsTheScript: showing the login form uses no outcome up.
func TestTheFormKeepsTheScript(t *testing.T) {
	p := oidctest.New(t)
	p.Next(oidctest.Outcome{Fault: oidctest.FaultStateMissing})
	c := noWait(p)
	resp, _ := get(t, c, authURL(p, nil))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, oidctest.FaultNone, last(t, p).Fault)
	location, err := logIn(t, c, authURL(p, nil), "test0001").Location()
	require.NoError(t, err)
	assert.False(t, location.Query().Has("state"))
	assert.Equal(t, oidctest.FaultStateMissing, last(t, p).Fault)
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]oidctest.Config{
		"no base":       {},
		"a path":        {BaseURL: "http://127.0.0.1:1/x"},
		"no URL":        {BaseURL: "127.0.0.1"},
		"negative life": {BaseURL: "http://127.0.0.1:1", SessionLife: -1},
		"a blank":       {BaseURL: "http://127.0.0.1:1", Users: []oidctest.User{{ID: "a b"}}},
		"no client id":  {BaseURL: "http://127.0.0.1:1", Apps: []oidctest.App{{}}},
	} {
		_, err := oidctest.NewProvider(cfg)
		assert.Error(t, err, name)
	}
	p, err := oidctest.NewProvider(oidctest.Config{BaseURL: "http://127.0.0.1:1/"})
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:1", p.Issuer())
}

func TestRotateKey(t *testing.T) {
	p := oidctest.New(t)
	login := func() string {
		_, answer := exchange(t, p, tokenForm(respond(t, p, nil, "test0001").Get("code")), nil)
		return answer["id_token"].(string)
	}
	old := login()
	kid := p.RotateKey(true)
	fresh := login()
	assert.Equal(t, kid, part(t, fresh, 0)["kid"])
	assert.NotEqual(t, kid, part(t, old, 0)["kid"])
	verifySignature(t, p, fresh)
	verifySignature(t, p, old)
	p.RotateKey(false)
	_, text := get(t, http.DefaultClient, p.Issuer()+"/keys")
	assert.NotContains(t, text, kid)
}

func TestRegisteredURIs(t *testing.T) {
	p := oidctest.New(t, oidctest.WithApps(oidctest.App{ID: oidctest.ClientID, Secret: "s", RedirectURIs: []string{"https://soc.example/login"}}))
	for uri, ok := range map[string]bool{"https://soc.example/login": true, "https://soc.example/login/": false, callback: false} {
		_, err := p.Respond(authURL(p, set("redirect_uri", uri)), "test0001")
		assert.Equal(t, ok, err == nil, uri)
	}
	p.RemoveApp(oidctest.ClientID)
	_, err := p.Respond(authURL(p, set("redirect_uri", "https://soc.example/login")), "test0001")
	assert.Error(t, err)
}

func TestUsersComeAndGo(t *testing.T) {
	p := oidctest.New(t)
	p.AddUser(oidctest.User{ID: "new", Roles: []string{"admin"}, AMR: []string{"pwd", "mfa"}, Claims: map[string]any{"dept": "soc", "email": nil}})
	got := claims(t, p, set("acr_values", "phr mfa"), "new")
	assert.Equal(t, []any{"admin"}, got["roles"])
	assert.Equal(t, "mfa", got["acr"])
	assert.Equal(t, "soc", got["dept"])
	for _, name := range []string{"groups", "email"} {
		assert.NotContains(t, got, name)
	}
	p.RemoveUser("new")
	_, err := p.Respond(authURL(p, nil), "new")
	assert.Error(t, err)
	assert.Panics(t, func() { p.AddUser(oidctest.User{ID: ""}) })
}

func TestOverage(t *testing.T) {
	p := oidctest.New(t)
	p.AddUser(oidctest.User{ID: "many", Groups: make([]string, 201)})
	got := claims(t, p, nil, "many")
	assert.NotContains(t, got, "groups")
	assert.Equal(t, map[string]any{"groups": "src1"}, got["_claim_names"])
	p.AddUser(oidctest.User{ID: "many", Groups: make([]string, 200)})
	assert.Len(t, claims(t, p, nil, "many")["groups"], 200)
}

func TestUserinfo(t *testing.T) {
	p := oidctest.New(t)
	_, answer := exchange(t, p, tokenForm(respond(t, p, nil, "test0001").Get("code")), nil)
	ask := func(token string) (*http.Response, string) {
		r, err := http.NewRequest(http.MethodGet, p.Issuer()+"/userinfo", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp, readAll(t, resp)
	}
	resp, text := ask(answer["access_token"].(string))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, text, `"sub":"test0001"`)
	resp, _ = ask("x")
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Len(t, p.Requests(oidctest.EndpointUserinfo), 2)
}

// query is the query of a URL.
func query(t *testing.T, raw string) url.Values {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u.Query()
}
