package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/chromiumtest"
)

// crossRules are for pages of all origins, of one, and of none.
func crossRules(t testing.TB) []Rule {
	one := CrossOrigin{"https://app.example"}
	return append(everyAccess(t),
		Rule{Path: "/any", CrossOrigin: CrossOrigin{AnyOrigin}},
		Rule{Path: "/one", CrossOrigin: one, PassHeaders: []string{"X-HTTP-Method-Override"}},
		Rule{Path: "/one/none"},
		Rule{Path: "/password", Access: Basic, Htpasswd: everyAccess(t)[5].Htpasswd, CrossOrigin: one},
		Rule{Path: "/told", Access: Optional, CrossOrigin: one},
	)
}

var preflightRows = []struct {
	name, target string
	lines        []string // beside those of a preflight of https://app.example, or in their place
	status       int
}{
	{"of one that is listed", "/one/x?a=b", nil, 200},
	{"of any", "/any", []string{"Origin: https://evil.example"}, 200},
	{"of any, opaque", "/any", []string{"Origin: null"}, 200},
	{"where a password is asked for", "/password", nil, 200},
	{"where a login is no must", "/told", nil, 200},
	{"for a listed header", "/one", []string{"Access-Control-Request-Headers: content-type,x-http-method-override"}, 200},
	{"for a method of WebDAV", "/one", []string{"Access-Control-Request-Method: PROPFIND"}, 200},
	{"where it is nobody's", "/private", nil, 401},
	{"below a rule with it", "/one/none", nil, 401},
	{"below a rule with it, another spelling", "/one/x/../%6eone", nil, 401},
	{"to what another rule may be for", "/one/none%3Fx", nil, 400},
	{"of another origin", "/one", []string{"Origin: https://evil.example"}, 401},
	{"of an opaque origin", "/one", []string{"Origin: null"}, 401},
	{"of an origin in capitals", "/one", []string{"Origin: https://APP.example"}, 401},
	{"of an origin with a port", "/one", []string{"Origin: https://app.example:443"}, 401},
	{"of an origin with a slash", "/one", []string{"Origin: https://app.example/"}, 401},
	{"of an origin in plain http", "/one", []string{"Origin: http://app.example"}, 401},
	{"of an origin below it", "/one", []string{"Origin: https://x.app.example"}, 401},
	{"of two origins", "/one", []string{"Origin: https://app.example", "Origin: https://app.example"}, 401},
	{"of two origins in one line", "/one", []string{"Origin: https://app.example, https://evil.example"}, 401},
	{"of no origin", "/any", []string{"Origin: "}, 401},
	{"for no method", "/any", []string{"Access-Control-Request-Method: "}, 401},
	{"for two methods", "/any", []string{"Access-Control-Request-Method: PUT", "Access-Control-Request-Method: GET"}, 401},
	{"with cookies", "/any", []string{"Cookie: a=b"}, 401},
	{"with a password", "/any", []string{"Authorization: Basic ZXZpbDpldmls"}, 401},
	{"with a token", "/any", []string{"Authorization: Bearer evil"}, 401},
	{"with a type of body", "/any", []string{"Content-Type: text/plain"}, 401},
}

// preflightLines are those of a browser's question.
func preflightLines(more []string) []string {
	lines := slices.Clone(more)
	for _, line := range []string{
		"Origin: https://app.example", "Access-Control-Request-Method: PUT", "Accept: */*", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: empty", "User-Agent: Mozilla/5.0",
	} {
		name, _, _ := strings.Cut(line, ":")
		if !slices.ContainsFunc(more, func(m string) bool { return strings.HasPrefix(m, name+":") }) {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestPreflight: what browsers ask without a login reaches the backend, and nothing else
// does that only looks like it.
func TestPreflight(t *testing.T) {
	w := newWorld(t, kit{rules: crossRules(t)})
	for _, row := range preflightRows {
		t.Run(row.name, func(t *testing.T) {
			answer := w.wire(w.request("OPTIONS "+row.target+" HTTP/1.1", preflightLines(row.lines)...))
			require.Equal(t, row.status, statusOf(t, answer), answer)
			assert.NotContains(t, answer, "Set-Cookie")
			if row.status != http.StatusOK {
				assert.Empty(t, w.backend.take())
				return
			}
			got := w.backend.one(t)
			assert.Equal(t, []string{http.MethodOptions, row.target, ""}, []string{got.Method, got.Target, got.user()})
			assert.NotEmpty(t, got.Header.Get("Access-Control-Request-Method"))
			assert.NotEmpty(t, got.Header.Get("Origin"))
		})
	}
	for _, row := range []struct{ name, request string }{
		{"with a body", "Content-Length: 2\r\n\r\nhi"},
		{"with chunks", "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			head := strings.TrimSuffix(w.request("OPTIONS /any HTTP/1.1", preflightLines(nil)...), "\r\n")
			assert.Equal(t, 401, statusOf(t, w.wire(head+row.request)))
			assert.Empty(t, w.backend.take())
		})
	}
	t.Run("other methods", func(t *testing.T) {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PROPFIND"} {
			assert.Equal(t, 401, statusOf(t, w.wire(w.request(method+" /any HTTP/1.1", preflightLines([]string{"Content-Length: 0"})...))), method)
		}
		assert.Empty(t, w.backend.take())
	})
	t.Run("other headers", func(t *testing.T) {
		answer := w.wire(w.request("OPTIONS /one/x HTTP/1.1", preflightLines([]string{
			"X-HTTP-Method-Override: DELETE", "Destination: " + w.url + "/one/none", "If: (<x>)", "Depth: infinity", "X-Api-Key: evil", "Remote-User: evil", "Upgrade-Insecure-Requests: 1",
		})...))
		require.Equal(t, 200, statusOf(t, answer))
		for name := range w.backend.one(t).Header {
			assert.True(t, slices.Contains(preflightHeaders, name) || strings.HasPrefix(name, "X-Forwarded-"), name)
		}
	})
}

// TestPreflightOverridesNothingAtFront: the application behind a front server may get what says
// that the method is another one, so that it must not come with what needs no login.
func TestPreflightOverridesNothingAtFront(t *testing.T) {
	for _, url := range []string{"", urlPath, urlOriginal} {
		w := newWorld(t, kit{config: func(cfg *Config) {
			cfg.ForwardAuth, cfg.Front.Proxies, cfg.Front.URL, cfg.Rules = true, []netip.Prefix{loopback}, url, crossRules(t)
			for i := range cfg.Rules {
				cfg.Rules[i].PassHeaders = nil // up to the front server
			}
		}})
		line, names := "GET "+authPath+" HTTP/1.1", []string{"X-Original-URI: /one", "X-Original-Method: OPTIONS"}
		switch url {
		case urlPath:
			line, names = "OPTIONS "+authPath+"/one HTTP/1.1", nil
		case urlOriginal:
			names[0] = "X-Original-URL: " + w.url + "/one"
		}
		for override, want := range map[string]int{"X-Api-Key: a": 200, "X-HTTP-Method-Override: DELETE": 403, "X-Method-Override: DELETE": 403} {
			lines := append(preflightLines([]string{override}), names...)
			assert.Equal(t, want, statusOf(t, w.wire(w.request(line, lines...))), "%q %s", url, override)
		}
	}
}

// TestPreflightAtFront: a front server that asks hears the same.
func TestPreflightAtFront(t *testing.T) {
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies, cfg.Rules = true, []netip.Prefix{loopback}, crossRules(t)
		for i := range cfg.Rules {
			cfg.Rules[i].PassHeaders = nil // up to the front server
		}
	}})
	for _, row := range preflightRows {
		for _, path := range []string{authPath, orLoginPath} {
			t.Run(row.name+" "+path, func(t *testing.T) {
				lines := append(preflightLines(row.lines), "X-Original-URI: "+row.target, "X-Original-Method: OPTIONS")
				answer := w.wire(w.request("GET "+path+" HTTP/1.1", lines...))
				want := row.status
				if want == http.StatusBadRequest && path == authPath || strings.Contains(row.target, "/..") {
					want = http.StatusForbidden // what is passed on as it is must be plain
				}
				require.Equal(t, want, statusOf(t, answer), answer)
				if want == http.StatusOK {
					assert.Contains(t, answer, "\r\nRemote-User: \r\n")
				}
			})
		}
	}
}

// TestListedOrigins: with a session, pages of the origins that are listed may do what others
// may not.
func TestListedOrigins(t *testing.T) {
	w := newWorld(t, kit{rules: crossRules(t)})
	cookie := w.loggedIn("test0001").cookieHeader()
	for _, row := range []struct {
		name, method, origin, more string
		status                     int
	}{
		{"listed", "PUT", "https://app.example", "", 200},
		{"listed, DELETE", "DELETE", "https://app.example", "", 200},
		{"listed, WebSocket", "GET", "https://app.example", "Upgrade: websocket\r\nConnection: Upgrade", 200},
		{"own", "PUT", w.url, "", 200},
		{"not listed", "PUT", "https://evil.example", "", 403},
		{"not listed, WebSocket", "GET", "https://evil.example", "Upgrade: websocket\r\nConnection: Upgrade", 403},
		{"opaque", "PUT", "null", "", 403},
		{"in capitals", "PUT", "https://APP.example", "", 403},
		{"plain http", "PUT", "http://app.example", "", 403},
		{"twice", "PUT", "https://app.example", "Origin: https://app.example", 403},
		{"beside another one", "PUT", "https://app.example", "Origin: https://evil.example", 403},
		{"none, but from elsewhere", "PUT", "", "", 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			lines := []string{"Cookie: " + cookie, "Content-Length: 0", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: cross-site"}
			if row.origin == w.url {
				lines[3] = "Sec-Fetch-Site: same-origin"
			}
			if row.origin != "" {
				lines = append(lines, "Origin: "+row.origin)
			}
			if row.more != "" {
				lines = append(lines, row.more)
			}
			assert.Equal(t, row.status, statusOf(t, w.wire(w.request(row.method+" /one/x HTTP/1.1", lines...))))
			assert.Equal(t, row.status == 200, len(w.backend.take()) == 1)
		})
	}
}

// TestChromiumCrossOrigin has pages of other origins of the same site call a backend's API in
// a real browser, one that is listed and one that is not.
func TestChromiumCrossOrigin(t *testing.T) {
	ctx, cancel := context.WithTimeout(chromiumtest.Start(t), 10*time.Minute)
	t.Cleanup(cancel)
	page := func() string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, "<title>app</title>")
		}))
		t.Cleanup(server.Close)
		_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
		return "http://localhost:" + port
	}
	app, evil := page(), page()
	w := newWorld(t, kit{
		rules: []Rule{{Path: "/private", Access: Login}, {Path: "/api", Access: Login, CrossOrigin: CrossOrigin{app}}},
		handler: func(w http.ResponseWriter, r *http.Request) { // it lets in whoever asks: the gateway is what counts
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Set("Access-Control-Allow-Methods", "PUT, DELETE")
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
			_, _ = fmt.Fprint(w, r.Method, " for ", r.Header.Get("Remote-User"))
		},
	})
	v := w.loggedIn("test0001")
	site, err := url.Parse(w.url)
	require.NoError(t, err)
	for _, c := range v.client.Jar.Cookies(site) {
		require.NoError(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: w.url, SameSite: network.CookieSameSiteLax})
			return err
		})))
	}
	for _, row := range []struct{ name, from, init, says string }{
		{"PUT with JSON", app, `{method: "PUT", headers: {"Content-Type": "application/json"}, body: "{}"}`, "200 PUT for test0001"},
		{"DELETE", app, `{method: "DELETE"}`, "200 DELETE for test0001"},
		{"POST as of a form", app, `{method: "POST", body: new URLSearchParams("a=b")}`, "200 POST for test0001"},
		{"PUT from elsewhere", evil, `{method: "PUT", headers: {"Content-Type": "application/json"}, body: "{}"}`, "TypeError"},
		{"POST from elsewhere", evil, `{method: "POST", body: new URLSearchParams("a=b")}`, "TypeError"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.backend.reset()
			script := `(async () => { try { const r = await fetch("` + w.url + `/api/x", Object.assign({credentials: "include"}, ` + row.init + `)); return r.status + " " + await r.text() } catch (e) { return e.name } })()`
			require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(row.from)))
			says, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
			require.NoError(t, err)
			assert.Equal(t, row.says, says)
			if row.from == evil {
				assert.Empty(t, w.backend.take())
			}
		})
	}
}
