package oauth2server

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

func withBasic(c *Config) { c.BasicPassword = true }

func sendBasic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func TestATokenAsThePassword(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t), withBasic)
	c := s.client(t, "test0009")
	good, narrow := s.personal(t, "test0001", "records:read"), s.personal(t, "test0001", "profile")
	unknown, _ := credential.Mint(credential.Personal)
	given := s.authorised(t, c, "test0001", "records:read")
	ofOther := s.personal(t, "test0002", "records:read")
	browser := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			sendBasic("test0001", good)(r)
			r.Header.Set(name, value)
		}
	}
	for _, tc := range []struct {
		name   string
		edit   func(*http.Request)
		status int
		who    string
		asks   bool // for HTTP Basic
	}{
		{"a token", sendBasic("test0001", good), 200, "test0001", false},
		{"any name", sendBasic("x-access-token", good), 200, "test0001", false},
		{"no name", sendBasic("", good), 200, "test0001", false},
		{"another's name", sendBasic("test0001", ofOther), 200, "test0002", false},
		{"another case of Basic", sendHeader("Authorization", "bAsIC "+basicText("x", good)), 200, "test0001", false},
		{"too little", sendBasic("test0001", narrow), 403, "", false},
		{"unknown", sendBasic("test0001", unknown), 401, "", true},
		{"a password", sendBasic("test0001", "sesame"), 401, "", true},
		{"no password", sendBasic("test0001", ""), 401, "", true},
		{"the token as the name", sendBasic(good, ""), 401, "", true},
		{"an access token", sendBasic("test0001", given.Access), 401, "", true},
		{"a refresh token", sendBasic("test0001", given.Refresh), 401, "", true},
		{"malformed", sendHeader("Authorization", "Basic !"), 401, "", true},
		{"two blanks", sendHeader("Authorization", "Basic  "+basicText("x", good)), 401, "", true},
		{"twice", sendHeader("Authorization", "Basic "+basicText("x", good), "Basic "+basicText("x", good)), 400, "", false},
		{"beside a bearer", sendHeader("Authorization", "Bearer "+good, "Basic "+basicText("x", good)), 400, "", false},
		{"another scheme", sendHeader("Authorization", "Digest "+basicText("x", good)), 401, "", true},
		{"nothing", func(*http.Request) {}, 401, "", true},
		{"a bad bearer", sendBearer(unknown), 401, "", true},
		{"a browser for another site", browser("Sec-Fetch-Site", "cross-site"), 401, "", false},
		{"a browser by itself", browser("Sec-Fetch-Site", "none"), 401, "", false},
		{"the fetch of Node.js", browser("Sec-Fetch-Mode", "cors"), 200, "test0001", false},
		{"a browser's image", browser("Sec-Fetch-Dest", "image"), 401, "", false},
		{"a browser by http", browser("Origin", "http://evil.example"), 401, "", false},
		{"a browser from nowhere", browser("Origin", "null"), 401, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := s.call(t, stranger(t), http.MethodGet, "/api/read", tc.edit)
			assert.Equal(t, tc.status, a.status)
			assert.Equal(t, tc.who, a.Principal)
			asks := `Basic realm="` + s.cfg.Issuer + `"`
			assert.Equal(t, tc.asks, len(a.header["Www-Authenticate"]) == 2 && a.header["Www-Authenticate"][1] == asks, a.header)
			assert.NotContains(t, a.Authorization, "asic", "the name is nobody's business")
		})
	}
	for _, text := range []string{good, narrow, unknown, ofOther, given.Access, given.Refresh} {
		assert.NotContains(t, s.log.String(), text[len("wlsp_"):])
		assert.NotContains(t, s.log.String(), basicText("test0001", text))
	}
	assert.NotContains(t, s.log.String(), "sesame")
}

// basicText is a name and a password as HTTP Basic sends them.
func basicText(user, password string) string {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")[len("Basic "):]
}

// A browser with a session is judged by that, whatever it keeps for HTTP Basic.
func TestABrowsersPasswordCountsForNothing(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t), withBasic)
	basic := func(r *http.Request) {
		sendBasic("test0002", s.personal(t, "test0002", "profile"))(r)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	a := s.call(t, s.person(t, "test0001"), http.MethodGet, "/api", basic)
	assert.Equal(t, KindSession, a.Access.Kind)
	assert.Equal(t, "test0001", a.Principal)
	a = s.call(t, stranger(t), http.MethodGet, "/api/open", basic)
	assert.Equal(t, 200, a.status)
	assert.False(t, a.OK, "anonymous")
}

func TestBasicIsOffByDefault(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	a := s.call(t, stranger(t), http.MethodGet, "/api", sendBasic("test0001", s.personal(t, "test0001", "profile")))
	assert.Equal(t, 401, a.status)
	assert.Len(t, a.header["Www-Authenticate"], 1)
}

func TestTheTokensPageTellsOfThePassword(t *testing.T) {
	for _, on := range []bool{false, true} {
		p := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.BasicPassword = on }).party(t)
		made := p.fill(p.settings("/tokens/new"), "/tokens/new", tokenFields...)
		assert.Equal(t, on, strings.Contains(made.body, "as the password, with any user name"))
	}
}

func TestADecoratorInsideAnotherTakesTheTokenToo(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t), withBasic)
	a := s.call(t, stranger(t), http.MethodGet, "/api/inside/open", sendBasic("x", s.personal(t, "test0001", "profile")))
	assert.Equal(t, "test0001", a.Principal)
	assert.Equal(t, KindPersonal, a.Access.Kind)
}

// Git itself clones and pushes with a token as the password.
func TestGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		enginetest.Require(t, fmt.Errorf("git: %w: apt-get install git", enginetest.ErrNotInstalled))
	}
	dir := t.TempDir()
	s := newWorld(t, dbtest.SQLite(t), withBasic)
	read, nothing := s.personal(t, "test0001", "records:read"), s.personal(t, "test0001", "profile")
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, _ := AccessFrom(r.Context())
		(&cgi.Handler{Path: git, Args: []string{"http-backend"}, Root: "/git", Env: []string{
			"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "REMOTE_USER=" + a.Principal,
		}}).ServeHTTP(w, r)
	})
	s.git.Store(&serve)
	run := func(token string, args ...string) (string, error) {
		const helper = `credential.helper=!f() { test "$1" = get && echo username=me && echo "password=$TOKEN"; }; f`
		cmd := exec.CommandContext(t.Context(), git, append([]string{"-c", "credential.helper=", "-c", helper, "-c", "user.name=x", "-c", "user.email=x"}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "TOKEN="+token)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) {
		t.Helper()
		out, err := run(read, args...)
		require.NoError(t, err, out)
	}
	work, again := filepath.Join(dir, "work"), filepath.Join(dir, "again")
	must("init", "-q", "--bare", filepath.Join(dir, "soc.git"))
	must("clone", "-q", s.url+"/git/soc.git", work)
	must("-C", work, "commit", "-q", "--allow-empty", "-m", "First")
	must("-C", work, "push", "-q", "origin", "HEAD:refs/heads/main")
	must("clone", "-q", "-b", "main", s.url+"/git/soc.git", again)

	out, err := run(nothing, "clone", "-q", s.url+"/git/soc.git", filepath.Join(dir, "never"))
	assert.Error(t, err)
	assert.Contains(t, out, "403")
	out, err = run("sesame", "clone", "-q", s.url+"/git/soc.git", filepath.Join(dir, "never"))
	assert.Error(t, err)
	assert.Contains(t, out, "Authentication failed")
	assert.NotContains(t, s.log.String(), read[len("wlsp_"):])
}
