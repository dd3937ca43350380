package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// frontRows are tests of a world behind a front server.
type frontRows []struct {
	name string
	run  func(t *testing.T, w *world)
}

// testFront is what must be so behind any front server that can show the gateway's pages.
func testFront(t *testing.T, start front, edit ...func(*Config)) {
	testFrontRows(t, frontWorld(t, start, edit...), frontRows{
		{"the whole login", frontLogin},
		{"what each rule says", frontRulesHold},
		{"what outsiders say of themselves", frontSpoof},
		{"what outsiders say of the request", frontNames},
		{"scripts", frontScripts},
		{"paths", frontPaths},
		{"passwords", frontBasic},
		{"the login asks for what the page asks for", frontStepUp},
		{"WebDAV", frontWebDAV},
		{"long addresses", frontLongTargets},
		{"long addresses in many tabs", frontManyTabs},
		{"logout", frontLogout},
	})
}

func testFrontRows(t *testing.T, w *world, rows frontRows) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w.t = t
			w.backend.reset()
			row.run(t, w)
			assert.NotContains(t, w.log.String(), "WLS-Response")
		})
	}
}

func frontLogin(t *testing.T, w *world) {
	v := w.visitor("test0001")
	var visited []string
	follow := v.client.CheckRedirect
	v.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		visited = append(visited, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
		if follow != nil {
			return follow(r, via)
		}
		return nil
	}
	answer := v.get("/private/page?q=1&x=%26%41+y&next=/z")
	require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
	got := w.backend.one(t)
	assert.Equal(t, "test0001", got.user())
	assert.Equal(t, "/private/page?q=1&x=%26%41+y&next=/z", got.Target)
	assert.Equal(t, w.url+"/private/page?q=1&x=%26%41+y&next=/z", answer.Request.URL.String())
	require.NotEmpty(t, visited)
	assert.Equal(t, w.url+serve.LoginPath, visited[0], "the first redirect")
	for _, u := range visited[:len(visited)-1] {
		assert.NotEqual(t, w.url+"/private/page", u, "the login service never comes back to the application's addresses")
	}

	v.get("/private/again")
	assert.Equal(t, "test0001", w.backend.one(t).user(), "logged in")
	assert.Contains(t, v.get(whoamiPath, scripted).body, `"principal":"test0001"`)
	assert.Empty(t, w.backend.take())
}

func frontRulesHold(t *testing.T, w *world) {
	for _, row := range []struct {
		name, user, path string
		status           int
		told             string
	}{
		{"public", "", "/public/a", 200, ""},
		{"public for somebody", "test0001", "/public/a", 200, ""},
		{"protected below public", "test0001", "/public/deep/a", 200, "test0001"},
		{"optional for nobody", "", "/optional", 200, ""},
		{"optional for somebody", "test0001", "/optional", 200, "test0001"},
		{"private", "test0001", "/private/", 200, "test0001"},
		{"without the ptag", "test0010", "/private/", 403, ""},
		{"former members too", "test0010", "/old", 200, "test0010"},
		{"for somebody else", "test0001", "/named", 403, ""},
		{"for this person", "test0002", "/named", 200, "test0002"},
		{"no rule", "test0001", "/other", 200, "test0001"},
		{"no rule, without the ptag", "test0010", "/other", 403, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := w.visitor(row.user)
			if row.user != "" {
				require.Equal(t, http.StatusOK, v.get("/old").StatusCode)
			}
			w.backend.reset()
			answer := v.get(row.path)
			require.Equal(t, row.status, answer.StatusCode, answer.body)
			if row.status != http.StatusOK {
				assert.Contains(t, answer.body, "You may not see this page")
				assert.Empty(t, w.backend.take())
				return
			}
			told := w.backend.one(t).Header["Remote-User"]
			if row.told == "" {
				assert.Empty(t, strings.Join(told, ","), "none, or as Traefik passes it on, an empty one")
				return
			}
			assert.Equal(t, []string{row.told}, told)
		})
	}
}

func frontSpoof(t *testing.T, w *world) {
	spoofs := []func(*http.Request){
		header("Remote-User", "test0009"), header("REMOTE-USER", "test0009"), header("Remote_User", "test0009"),
		header("X-Forwarded-User", "test0009"), header("X-AAPrincipal", "test0009"),
		header("X_Forwarded_User", "test0009"), header("X-Forwarded_User", "test0009"), header("X_Forwarded-User", "test0009"),
		header("X-Remote-User", "test0009"), header("X_Remote_User", "test0009"),
		header("X-AAPtags", "test0009"), header("X_AAPtags", "test0009"), header("X_AAPrincipal", "test0009"),
	}
	for _, row := range []struct {
		name, user, path, told string
	}{
		{"nobody at a public page", "", "/public/a", ""},
		{"nobody at an optional page", "", "/optional", ""},
		{"somebody at an optional page", "test0001", "/optional", "test0001"},
		{"somebody at a private page", "test0001", "/private/", "test0001"},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := w.visitor(row.user)
			if row.user != "" {
				v.get("/private/")
			}
			w.backend.reset()
			require.Equal(t, http.StatusOK, v.get(row.path, spoofs...).StatusCode)
			for name, values := range w.backend.one(t).Header {
				if strings.EqualFold(name, "Remote-User") && row.told != "" {
					assert.Equal(t, []string{row.told}, values)
				}
				assert.NotContains(t, values, "test0009", name)
			}
		})
	}
	for _, pair := range [][2]string{
		{"X-Original-URI", "X-Original-Method"}, {"X-Forwarded-Uri", "X-Forwarded-Method"}, {"X-Original-Url", "X-Original-Method"},
	} {
		t.Run(pair[0], func(t *testing.T) {
			edit := func(r *http.Request) {
				r.Header.Set(pair[0], "/public/a")
				r.Header.Set(pair[1], "GET")
				r.Header.Set("Sec-Fetch-Mode", "cors")
				r.Header.Set("X-Forwarded-Host", "other.example")
			}
			anonymous := w.visitor("").get("/private/", edit)
			assert.Contains(t, []int{401, 403}, anonymous.StatusCode)
			other := w.loggedIn("test0001").get("/named", edit)
			assert.Equal(t, http.StatusForbidden, other.StatusCode)
			assert.Empty(t, w.backend.take())
		})
	}
	for _, path := range []string{authPath, orLoginPath, serve.ReservedPath, "/.wls/x", "/.WLS/login", "/%2ewls/auth"} {
		t.Run("from outside "+path, func(t *testing.T) {
			answer := w.loggedIn("test0001").get(path, header("X-Original-Uri", "/private/"), header("X-Original-Method", "GET"))
			assert.Contains(t, []int{403, 404}, answer.StatusCode)
			assert.Empty(t, answer.Header.Get("Remote-User"))
			assert.Empty(t, w.backend.take())
		})
	}
}

// A client cannot have who it is forgotten on the way, and be taken for nobody.
func frontConnection(t *testing.T, w *world, v *visitor) {
	for _, connection := range []string{"Remote-User", "remote-user, keep-alive", "close, Remote-User", "Remote_User\nConnection: Remote-User", "X-Forwarded-Uri, X-Original-Uri, Remote-User"} {
		for _, path := range []string{"/private/a", "/optional"} {
			w.backend.reset()
			status := w.raw("GET " + path + " HTTP/1.1\nHost: " + w.host + "\nCookie: " + v.cookieHeader() + "\nConnection: " + connection + "\n\n")
			require.Equal(t, http.StatusOK, status, connection)
			assert.Equal(t, []string{"test0001"}, w.backend.one(t).Header["Remote-User"], connection)
		}
	}
}

func scripted(r *http.Request) {
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept", "application/json")
}

func foreign(r *http.Request) {
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://evil.example")
}

func frontScripts(t *testing.T, w *world) {
	anonymous, person := w.visitor(""), w.loggedIn("test0001")
	for _, row := range []struct {
		name   string
		v      *visitor
		method string
		edit   func(*http.Request)
		status int
	}{
		{"fetch by nobody", anonymous, "GET", scripted, 401},
		{"fetch", person, "GET", scripted, 200},
		{"POST by nobody", anonymous, "POST", scripted, 401},
		{"POST", person, "POST", scripted, 200},
		{"DELETE", person, "DELETE", scripted, 200},
		{"HEAD by nobody", anonymous, "HEAD", scripted, 401},
		{"HEAD", person, "HEAD", scripted, 200},
		{"form by nobody", anonymous, "POST", func(*http.Request) {}, 401},
		{"POST from elsewhere", person, "POST", foreign, 403},
		{"WebSocket from elsewhere", person, "GET", func(r *http.Request) {
			foreign(r)
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", "websocket")
			r.Header.Set("Sec-WebSocket-Version", "13")
			r.Header.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		}, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.backend.reset()
			var body io.Reader
			if row.method == "POST" {
				body = strings.NewReader("a=b")
			}
			answer := row.v.do(row.method, "/private/x?y", body, row.edit, header("Content-Type", "application/x-www-form-urlencoded"))
			require.Equal(t, row.status, answer.StatusCode, answer.body)
			assert.Equal(t, "/private/x", answer.Request.URL.Path, "no redirect")
			if row.status != http.StatusOK {
				assert.Empty(t, w.backend.take())
				if row.v == anonymous {
					assert.Empty(t, answer.Header["Set-Cookie"])
				}
				return
			}
			got := w.backend.one(t)
			assert.Equal(t, row.method, got.Method)
			if row.method == "POST" {
				assert.Equal(t, "a=b", got.Body)
			}
		})
	}
}

// raw sends a request as it stands, for what clients do not send, and gives the answer's
// status.
func (w *world) raw(request string) int {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	require.NoError(w.t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n"))
	require.NoError(w.t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(w.t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

func frontPaths(t *testing.T, w *world) {
	cookies := w.loggedIn("test0001").cookieHeader()
	for _, path := range []string{
		"/public/../private/", "/public/..%2fprivate/", "/public/%2e%2e/private/", "/public//../private/", "//private/",
		"/public/..;/private/", "/public/..\\private/", "/public/%5c..%5cprivate/", "/public/%252e%252e/private/",
		"/public/./../private/", "/%70rivate/", "/private/../public/../private/x", "/public/%c0%ae%c0%ae/private/",
		"/.wls/login/../../private/", "/.wls/../private/", "/public/../named", "/named/../public/a", "/named/%2e%2e/public/a",
	} {
		t.Run(path, func(t *testing.T) {
			request := "GET " + path + " HTTP/1.1\nHost: " + w.host + "\nSec-Fetch-Mode: cors\nConnection: close\n"
			assert.Contains(t, []int{302, 400, 401, 403, 404}, w.raw(request+"\n"))
			assert.Empty(t, w.backend.take())
			w.raw(request + "Cookie: " + cookies + "\n\n")
			for _, got := range w.backend.take() {
				assert.Equal(t, "test0001", got.user(), "what reaches the application is whose it is")
				assert.NotContains(t, got.Target, "named", "and past no rule for others")
			}
		})
	}
	for _, target := range []string{"http://" + w.host + "/private/", "http://other.example/public/a", "*"} {
		t.Run(target, func(t *testing.T) {
			w.raw("GET " + target + " HTTP/1.1\nHost: " + w.host + "\nSec-Fetch-Mode: cors\nConnection: close\n\n")
			for _, got := range w.backend.take() {
				assert.Contains(t, got.Target, "/public/")
				assert.Empty(t, got.user())
			}
		})
	}
}

func frontBasic(t *testing.T, w *world) {
	v := w.visitor("")
	answer := v.get("/basic")
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.Contains(t, answer.Header.Get("WWW-Authenticate"), "Basic ")
	assert.Equal(t, http.StatusUnauthorized, v.get("/basic", func(r *http.Request) { r.SetBasicAuth("bob", "wrong") }).StatusCode)
	assert.Empty(t, w.backend.take())
	assert.Equal(t, http.StatusOK, v.get("/basic", func(r *http.Request) { r.SetBasicAuth("bob", "sesame") }).StatusCode)
	assert.Equal(t, "bob", w.backend.one(t).user())
}

// What a request does elsewhere than at its path is judged as well: its headers get here.
func frontWebDAV(t *testing.T, w *world) {
	nobody, person := w.visitor(""), w.loggedIn("test0001")
	for _, row := range []struct {
		name         string
		v            *visitor
		method, path string
		header       string
		status       int
	}{
		{"COPY", person, "COPY", "/private/x", "Destination: ORIGIN/private/y", 200},
		{"COPY over what is others'", person, "COPY", "/private/x", "Destination: ORIGIN/named/y", 403},
		{"MOVE over what is others'", person, "MOVE", "/private/x", "Destination: /named/y", 403},
		{"COPY to another site", person, "COPY", "/private/x", "Destination: http://other.example/private/y", 403},
		{"COPY to dots", person, "COPY", "/private/x", "Destination: /private/../private/y", 0},
		{"DELETE", nobody, "DELETE", "/public/a", "", 200},
		{"DELETE of a tree", nobody, "DELETE", "/public", "", 401},
		{"DELETE of a tree that is one's own", person, "DELETE", "/public", "", 200},
		{"DELETE of all", person, "DELETE", "/", "", 403},
		{"PROPFIND of all", person, "PROPFIND", "/", "", 403},
		{"PROPFIND of one", person, "PROPFIND", "/", "Depth: 0", 200},
		{"PROPFIND of one that is not", person, "PROPFIND", "/", "Depth: 0\nDepth: infinity", 403},
		{"PROPFIND whose depth is to be forgotten", person, "PROPFIND", "/", "Depth: 0\nConnection: Depth", 0},
		{"a condition on what is others'", person, "PUT", "/private/x", `If: </named/y> (["a"])`, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.backend.reset()
			request := beyondRow{header: row.header}
			answer := row.v.do(row.method, row.path, nil, scriptedBy, request.headers(w))
			if answer.Request.URL.Host != w.host { // sent to log in, whatever was asked for
				answer.StatusCode = http.StatusUnauthorized
			}
			if row.status != 0 { // else some front servers answer so, and others so
				require.Equal(t, row.status, answer.StatusCode, answer.body)
			}
			if answer.StatusCode != http.StatusOK {
				assert.Empty(t, w.backend.take())
				return
			}
			got := w.backend.one(t)
			assert.Equal(t, row.method, got.Method)
			assert.NotContains(t, got.Header.Get("Destination"), "..")
			if row.method == "PROPFIND" {
				assert.Equal(t, []string{"0"}, got.Header["Depth"], "as it was judged")
			}
		})
	}
}

// A page that wants a password just now sends people to type it, once.
func frontStepUp(t *testing.T, w *world) {
	v := w.loggedIn("test0001")
	w.fake.Advance(6 * time.Minute)
	before := len(w.fake.Requests())
	require.Equal(t, http.StatusOK, v.get("/strict").StatusCode)
	assert.Equal(t, "test0001", w.backend.one(t).user())
	asked := w.fake.Requests()[before:]
	require.NotEmpty(t, asked)
	assert.Equal(t, "yes", string(asked[0].Request.IAct))
	require.Equal(t, http.StatusOK, v.get("/strict").StatusCode)
	assert.Len(t, w.fake.Requests(), before+len(asked), "and not again")
}

func frontLogout(t *testing.T, w *world) {
	v := w.loggedIn("test0001")
	page := v.get(serve.LogoutPath)
	require.Equal(t, http.StatusOK, page.StatusCode)
	form := url.Values{}
	for _, part := range strings.Split(page.body, "<input ")[1:] {
		_, name, _ := strings.Cut(part, `name="`)
		name, value, _ := strings.Cut(name, `"`)
		_, value, _ = strings.Cut(value, `value="`)
		value, _, _ = strings.Cut(value, `"`)
		form.Set(name, value)
	}
	done := v.do(http.MethodPost, serve.LogoutPath, strings.NewReader(form.Encode()), header("Content-Type", "application/x-www-form-urlencoded"))
	require.Equal(t, http.StatusOK, done.StatusCode, done.body)
	assert.Equal(t, http.StatusUnauthorized, v.get("/private/", scripted).StatusCode)
	assert.Empty(t, w.backend.take())
}

// The gateway's half of the configurations that the README shows.
func TestFrontConfigurationIsRight(t *testing.T) {
	cfg, err := Load(filepath.Join("testdata", "front", "wlsgateway.toml"))
	require.NoError(t, err)
	assert.True(t, cfg.ForwardAuth)
}
