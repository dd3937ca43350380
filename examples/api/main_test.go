package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// token has a person make one on the site, for these scopes.
func (p *person) token(scopes ...string) string {
	p.t.Helper()
	fields := []string{"name", "test", "life", "7"}
	for _, s := range scopes {
		fields = append(fields, "scope", s)
	}
	form := p.get(p.at.site + "/oauth/settings/tokens/new")
	require.Equal(p.t, "token-new", form.Page(), form.Body)
	made := p.post(form, "/oauth/settings/tokens/new", fields...)
	require.Equal(p.t, "token-made", made.Page(), made.Body)
	return demotest.FirstMatch(p.t, `value="(wlsp_[0-9A-Za-z]+)" readonly`, made.Body)
}

// application has a person register one.
func (p *person) application(kind string) (id, secret string) {
	p.t.Helper()
	form := p.get(p.at.site + "/oauth/settings/applications/new")
	made := p.post(form, "/oauth/settings/applications/new", "name", "Reader", "kind", kind, "redirects", p.at.app+"/callback")
	if kind == "public" {
		require.Equal(p.t, "app", made.Page(), made.Body)
		return demotest.FirstMatch(p.t, `<code id="client-id">([^<]+)<`, made.Body), ""
	}
	require.Equal(p.t, "secret", made.Page(), made.Body)
	return demotest.FirstMatch(p.t, `id="client-id" type="text" value="([^"]+)"`, made.Body), demotest.FirstMatch(p.t, `value="(wlss_[0-9A-Za-z]+)" readonly`, made.Body)
}

func TestRecords(t *testing.T) {
	p := start(t)
	token := p.person("test0001").token("records:read", "records:write", "profile")
	made := p.call("POST", "/api/records", token, `{"title":"Milk","text":"two pints"}`)
	require.Equal(t, http.StatusCreated, made.StatusCode, made.Body)
	assert.Equal(t, "/api/records/1", made.Header.Get("Location"))
	changed := p.call("PUT", "/api/records/1", token, `{"title":"Milk","text":"one pint"}`)
	assert.Equal(t, "one pint", fieldsOf(t, changed)["text"])
	assert.Equal(t, "one pint", fieldsOf(t, p.call("GET", "/api/records/1", token, ""))["text"])
	assert.Len(t, fieldsOf(t, p.call("GET", "/api/records", token, ""))["records"], 1)
	assert.Equal(t, "test0001", fieldsOf(t, p.call("GET", "/api/who", token, ""))["principal"])

	other := p.person("test0002").token("records:read", "records:write")
	for _, c := range []struct {
		name, method, path, token, body string
		want                            int
	}{
		{"nobody", "GET", "/api/records", "", "", http.StatusUnauthorized},
		{"another person's", "GET", "/api/records/1", other, "", http.StatusNotFound},
		{"changing another person's", "PUT", "/api/records/1", other, `{"title":"x","text":""}`, http.StatusNotFound},
		{"deleting another person's", "DELETE", "/api/records/1", other, "", http.StatusNotFound},
		{"no scope", "GET", "/api/who", other, "", http.StatusForbidden},
		{"statistics are internal", "GET", "/api/statistics", token, "", http.StatusForbidden},
		{"no title", "POST", "/api/records", token, `{"title":" ","text":"x"}`, http.StatusUnprocessableEntity},
		{"an unknown field", "POST", "/api/records", token, `{"title":"x","owner":"test0002"}`, http.StatusBadRequest},
		{"two objects", "POST", "/api/records", token, `{"title":"x"}{}`, http.StatusBadRequest},
		{"too long", "POST", "/api/records", token, `{"title":"` + strings.Repeat("x", maxRecordJSON) + `"}`, http.StatusBadRequest},
		{"no number", "GET", "/api/records/01", token, "", http.StatusNotFound},
		{"a new one by its number", "PUT", "/api/records/0", token, `{"title":"x"}`, http.StatusNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := p.call(c.method, c.path, c.token, c.body)
			assert.Equal(t, c.want, got.StatusCode, got.Body)
		})
	}
	assert.Equal(t, http.StatusNoContent, p.call("DELETE", "/api/records/1", token, "").StatusCode)
	assert.Equal(t, http.StatusNotFound, p.call("GET", "/api/records/1", token, "").StatusCode)
}

func TestRecords_readOnly(t *testing.T) {
	p := start(t)
	token := p.person("test0001").token("records:read")
	got := p.call("POST", "/api/records", token, `{"title":"x"}`)
	assert.Equal(t, http.StatusForbidden, got.StatusCode)
	assert.Contains(t, got.Header.Get("WWW-Authenticate"), `scope="records:write"`)
}

func TestFront(t *testing.T) {
	p := start(t)
	someone := p.person("test0001")
	assert.Contains(t, someone.get(p.at.site).Body, `id="anonymous"`)
	front := someone.get(p.at.site + "/login")
	assert.Contains(t, front.Body, `id="principal">test0001<`)
	front = someone.post(front, "/", "title", "<b>", "text", "bold")
	assert.Contains(t, front.Body, "&lt;b&gt;")
	bad := someone.post(front, "/", "title", " ", "text", "kept")
	assert.Equal(t, http.StatusUnprocessableEntity, bad.StatusCode)
	assert.Contains(t, bad.Body, "kept")
	assert.Equal(t, http.StatusForbidden, someone.send(http.MethodPost, p.at.site+"/", map[string][]string{"title": {"x"}}).StatusCode, "without a token")
}

// TestConsumer goes through the dance with an application of each kind.
func TestConsumer(t *testing.T) {
	for _, kind := range []string{"confidential", "public"} {
		t.Run(kind, func(t *testing.T) {
			p := start(t)
			id, secret := p.person(developer).application(kind)
			someone := p.person("test0002") // authorises an application of somebody else's
			app := someone.get(p.at.app)
			require.Equal(t, "setup", app.Page())
			app = someone.post(app, "/setup", "client-id", id, "secret", secret)
			require.Equal(t, "connect", app.Page(), app.Body)
			consent := someone.post(app, "/connect")
			require.Equal(t, "consent", consent.Page(), consent.Body)
			app = someone.post(consent, demotest.Match(`<form method="post" action="([^"]+)"`, consent.Body), "decision", "allow")
			require.Equal(t, "connected", app.Page(), app.Body)

			assert.Contains(t, someone.post(app, "/add", "title", "Bread").Body, "Bread")
			p.Advance(2 * time.Hour) // the access token has expired, and the application cannot know
			assert.Contains(t, someone.post(app, "/read").Body, "Refused: 401")
			assert.Contains(t, someone.post(app, "/refresh").Body, "new tokens")
			assert.Contains(t, someone.post(app, "/read").Body, "Bread")
			app = someone.post(app, "/disconnect")
			require.Equal(t, "connect", app.Page(), app.Body)
			assert.NotContains(t, p.Stderr.String(), "wlss_")
		})
	}
}

// TestConsumer_others has answers come to the application that are for somebody else.
func TestConsumer_others(t *testing.T) {
	p := start(t)
	someone := p.person(developer)
	id, secret := someone.application("confidential")
	app := someone.post(someone.get(p.at.app), "/setup", "client-id", id, "secret", secret)
	refused := someone.get(p.at.app + "/callback?code=x&state=&iss=" + p.at.site)
	assert.Contains(t, refused.Body, "not for this browser")
	someone.post(app, "/connect")
	refused = someone.get(p.at.app + "/callback?code=x&state=guessed&iss=" + p.at.site)
	assert.Contains(t, refused.Body, "not for this browser")
}

func TestClientCredentials(t *testing.T) {
	p := start(t)
	id, secret := p.person(developer).application("confidential")
	r, err := http.NewRequest(http.MethodPost, p.at.site+"/oauth/token", strings.NewReader("grant_type=client_credentials&scope=statistics"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(id, secret)
	token, _ := fieldsOf(t, demotest.Do(t, http.DefaultClient, r))["access_token"].(string)
	assert.Equal(t, http.StatusOK, p.call("GET", "/api/statistics", token, "").StatusCode)
	assert.Equal(t, http.StatusUnauthorized, p.call("GET", "/api/records", "wlss_x", "").StatusCode)
	assert.Equal(t, http.StatusForbidden, p.call("GET", "/api/records", token, "").StatusCode)
}

// TestInternalScope has people try to get at what is for the site's own programs.
func TestInternalScope(t *testing.T) {
	p := start(t)
	for _, user := range []string{developer, "test0002"} {
		someone := p.person(user)
		require.Equal(t, http.StatusOK, someone.get(p.at.site+"/login").StatusCode)
		require.Equal(t, http.StatusOK, someone.get(p.at.site+"/api/records").StatusCode, "by the session")
		got := someone.get(p.at.site + "/api/statistics")
		assert.Equal(t, http.StatusForbidden, got.StatusCode, got.Body)
		assert.Contains(t, got.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`)
	}
	refused := p.person("test0002").get(p.at.site + "/oauth/settings/applications/new")
	assert.Equal(t, http.StatusForbidden, refused.StatusCode)
	assert.Equal(t, "forbidden", refused.Page())
}

// TestDatabaseFile keeps tokens over a restart, and nobody's secret in clear.
func TestDatabaseFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "with blank#.db")
	p := start(t, "-db", file)
	token := p.person("test0001").token("profile")
	p.End()
	q := start(t, "-db", file)
	assert.Equal(t, http.StatusOK, q.call("GET", "/api/who", token, "").StatusCode)
	files, err := filepath.Glob(file + "*") // and what SQLite keeps beside it
	require.NoError(t, err)
	require.Contains(t, files, file)
	for _, name := range files {
		kept, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotContains(t, string(kept), token)
	}
}

func TestDatabaseGone(t *testing.T) {
	code, _, stderr := run(t.Context(), append(freePorts, "-postgres", "postgres://soc:hunter2@127.0.0.1:1/soc?connect_timeout=1"))
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "127.0.0.1:1")
	assert.NotContains(t, stderr, "hunter2")
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"not on this machine", []string{"-addr", "0.0.0.0:8080"}, "want an address of this machine"},
		{"everywhere", []string{"-app-addr", ":8082"}, "want an address of this machine"},
		{"the page everywhere", []string{"-spa-addr", ":8083"}, "want an address of this machine"},
		{"the library everywhere", []string{"-library-addr", ":8084"}, "want an address of this machine"},
		{"another machine", []string{"-wls-addr", "soc.example:80"}, "want an address of this machine"},
		{"two databases", []string{"-db", "x", "-postgres", "y"}, "contradict"},
		{"an argument", []string{"x"}, "unexpected argument"},
		{"no such flag", []string{"-x"}, "there is no option -x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := run(t.Context(), c.args)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, c.want)
			assert.Empty(t, stdout)
		})
	}
}
