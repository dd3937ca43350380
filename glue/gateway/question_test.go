package gateway

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// askedBy is a world whose front servers tell what they ask about in one of the ways of
// Front.URL.
func askedBy(t *testing.T, way string, edit ...func(*Config)) *world {
	t.Helper()
	return newWorld(t, kit{tls: true, rules: frontRules(t), config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies, cfg.Front.URL = true, []netip.Prefix{loopback}, way
		cfg.Origins = []string{"https://wiki.soc.example"}
		for _, e := range edit {
			e(cfg)
		}
	}})
}

// under has a front server ask under a name of its own.
func under(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }

// TestURLQuestion: ingress-nginx asks under the gateway's name and without a scheme.
func TestURLQuestion(t *testing.T) {
	w := askedBy(t, urlOriginal)
	for _, row := range []struct {
		name, url, method string
		more              []string // "Name: value"
		status            int
		log               string
	}{
		{"public", "ORIGIN/public/a?b=c", "GET", nil, 200, ""},
		{"private", "ORIGIN/private/a", "GET", nil, 401, ""},
		{"another origin of ours", "https://wiki.soc.example/public", "GET", nil, 200, ""},
		{"what says the same", "ORIGIN/public", "GET", []string{"X-Original-URI: /public", "X-Forwarded-Uri: /public", "X-Forwarded-Method: GET", "X-Forwarded-Proto: https", "X-Forwarded-Host: HOST"}, 200, ""},
		{"another path", "ORIGIN/private", "GET", []string{"X-Original-URI: /public"}, 403, "X-Original-Uri says something else"},
		{"another path, as Caddy says it", "ORIGIN/private", "GET", []string{"X-Forwarded-Uri: /public"}, 403, "X-Forwarded-Uri says something else"},
		{"one of two", "ORIGIN/public", "GET", []string{"X-Original-URI: /public", "X-Original-URI: /private"}, 403, "X-Original-Uri says"},
		{"another method", "ORIGIN/public", "GET", []string{"X-Forwarded-Method: DELETE"}, 403, "X-Forwarded-Method says"},
		{"another host", "ORIGIN/public", "GET", []string{"X-Forwarded-Host: wiki.soc.example"}, 403, "X-Forwarded-Host says"},
		{"another scheme", "ORIGIN/public", "GET", []string{"X-Forwarded-Proto: http"}, 403, "X-Forwarded-Proto says"},
		{"twice", "ORIGIN/public", "GET", []string{"X-Original-URL: ORIGIN/private"}, 403, "must both come, and once"},
		{"two methods", "ORIGIN/public", "GET", []string{"X-Original-Method: GET"}, 403, "must both come, and once"},
		{"no URL", "", "GET", nil, 403, "must both come"},
		{"no method", "ORIGIN/public", "", nil, 403, "must both come"},
		{"a path for a URL", "/public", "GET", nil, 403, "no absolute URL"},
		{"no path", "ORIGIN", "GET", nil, 403, "no absolute URL"},
		{"small letters", "ORIGIN/public", "get", nil, 403, "the method is no token"},
		{"not ours", "https://other.example/public", "GET", nil, 403, "a host that is not one of"},
		{"not ours, as it seems", "https://HOST@other.example/public", "GET", nil, 403, "a host that is not one of"},
		{"no encryption", "http://HOST/public", "GET", nil, 403, "another scheme than https://"},
		{"dot segments", "ORIGIN/public/../private", "GET", nil, 403, "dot segments"},
		{"slashes in a row", "ORIGIN//other.example/public", "GET", nil, 403, "slashes in a row"},
		{"our own pages", "ORIGIN/.wls/auth", "GET", nil, 403, "own pages"},
	} {
		t.Run(row.name, func(t *testing.T) {
			fill := strings.NewReplacer("ORIGIN", w.url, "HOST", w.host)
			edit := []func(*http.Request){under("wlsgateway.wls.svc")}
			for _, line := range append([]string{"X-Original-Url: " + row.url, "X-Original-Method: " + row.method}, row.more...) {
				if name, value, _ := strings.Cut(fill.Replace(line), ": "); value != "" {
					edit = append(edit, header(http.CanonicalHeaderKey(name), value))
				}
			}
			answer := w.visitor("").get(authPath, edit...)
			assert.Equal(t, row.status, answer.StatusCode, answer.body)
			assert.Contains(t, w.log.String(), row.log)
		})
	}
}

// TestPathQuestion: Envoy asks by the request's own method and host, about the path behind
// that of questions.
func TestPathQuestion(t *testing.T) {
	w := askedBy(t, urlPath)
	nobody := w.visitor("")
	nobody.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	secure := header("X-Forwarded-Proto", "https")
	for _, row := range []struct {
		name, method, path string
		edit               func(*http.Request)
		plain, orLogin     int
		log                string
	}{
		{"public", "GET", "/public/a?b=c", secure, 200, 200, ""},
		{"private", "GET", "/private/a?b=c", secure, 401, 303, ""},
		{"private, HEAD", "HEAD", "/private/a", secure, 401, 401, ""},
		{"a form", "POST", "/private/a", secure, 401, 401, ""},
		{"a tree", "DELETE", "/public", secure, 401, 401, ""},
		{"out of the question", "GET", "/../../public", secure, 403, 403, "above the root"},
		{"out of the question, encoded", "GET", "/%2e%2e/%2e%2e/public", secure, 403, 403, "above the root"},
		{"out of another question", "GET", "/../auth-or-login/public", secure, 403, 403, "above the root"},
		{"dot segments", "GET", "/private/../public", secure, 403, 403, "dot segments"},
		{"a question about a question", "GET", "/.wls/auth-or-login/public", secure, 403, 403, "own pages"},
		{"slashes in a row", "GET", "//public", secure, 403, 403, "slashes in a row"},
		{"about nothing", "GET", "", secure, 403, 403, "no path stands behind"},
		{"about a query", "GET", "?/public", secure, 403, 403, "no path stands behind"},
		{"no path", "OPTIONS", "*", secure, 404, 404, ""},
		{"in another spelling", "GET", "/private/%2e", secure, 403, 403, ""},
		{"another path", "GET", "/private", header("X-Original-Uri", "/public"), 403, 403, "X-Original-Uri came too"},
		{"another URL", "GET", "/private", header("X-Original-Url", "https://soc.example/public"), 403, 403, "X-Original-Url came too"},
		{"another path, as Caddy says it", "GET", "/private", header("X-Forwarded-Uri", "/public"), 403, 403, "X-Forwarded-Uri came too"},
		{"another method", "DELETE", "/public", header("X-Forwarded-Method", "GET"), 403, 403, "X-Forwarded-Method came too"},
		{"another host", "GET", "/private", header("X-Forwarded-Host", "wiki.soc.example"), 401, 303, ""},
		{"a response of the login service", "GET", "/public?WLS-Response=3!200", secure, 401, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			for at, want := range map[string]int{authPath: row.plain, orLoginPath: row.orLogin} {
				answer := nobody.do(row.method, at+row.path, nil, row.edit)
				assert.Equal(t, want, answer.StatusCode, "%s: %s", at, answer.body)
				if want == http.StatusSeeOther {
					assert.Equal(t, w.url+serve.LoginPath+"?next="+url.QueryEscape(row.path), answer.Header.Get("Location"))
				}
			}
			assert.Contains(t, w.log.String(), row.log)
		})
	}
	assert.Empty(t, w.backend.take())
}

// TestQuestionFromElsewhere: what is not from a front server, or is told in a way that the
// configuration does not name, gets a plain no, and the operator a word.
func TestQuestionFromElsewhere(t *testing.T) {
	elsewhere := func(cfg *Config) { cfg.Front.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }
	originalURL := func(w *world) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("X-Original-URL", w.url+"/public")
			r.Header.Set("X-Original-Method", "GET")
			r.Host = "wlsgateway.wls.svc"
		}
	}
	for _, row := range []struct {
		name, way, path string
		ask             func(w *world) func(*http.Request)
		edit            func(*Config)
		status          int
		log             string
	}{
		{"a URL from nobody", urlOriginal, authPath, originalURL, elsewhere, 403, errNotFront.Error()},
		{"a path from nobody", urlPath, authPath + "/public", nil, elsewhere, 403, errNotFront.Error()},
		{"a URL, where a URI is meant", "", authPath, originalURL, nil, 403, "must both come"},
		{"a path, where a URI is meant", "", authPath + "/public", nil, nil, 404, ""},
		{"a URI, where a URL is meant", urlOriginal, authPath, func(*world) func(*http.Request) { return about("GET", "/public") }, nil, 403, "X-Original-URL and X-Original-Method must both come"},
		{"a path, where a URL is meant", urlOriginal, authPath + "/public", nil, nil, 404, ""},
		{"a URI, where a path is meant", urlPath, authPath, func(*world) func(*http.Request) { return about("GET", "/public") }, nil, 403, "no path stands behind"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := askedBy(t, row.way, func(cfg *Config) {
				if row.edit != nil {
					row.edit(cfg)
				}
			})
			ask := func(*http.Request) {}
			if row.ask != nil {
				ask = row.ask(w)
			}
			answer := w.visitor("").get(row.path, ask)
			assert.Equal(t, row.status, answer.StatusCode, answer.body)
			assert.NotContains(t, answer.Header, "Remote-User")
			assert.Contains(t, w.log.String(), row.log)
		})
	}
}

// TestLoginElsewhere: ingress-nginx sends people to the login with the whole URL of a page,
// of this site alone.
func TestLoginElsewhere(t *testing.T) {
	w := askedBy(t, urlOriginal)
	v := w.visitor("test0001")
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, row := range []struct{ name, query, to string }{
		{"a page", "rd=ORIGIN%2Fprivate%2Fa%3Fb%3Dc%26d%3D%2525", "ORIGIN/.wls/login?next=" + url.QueryEscape("/private/a?b=c&d=%25")},
		{"a page of another origin of ours", "rd=https://wiki.soc.example%2Fa", "https://wiki.soc.example/.wls/login?next=%2Fa"},
		{"with the default port", "rd=https://wiki.soc.example:443%2Fa", "https://wiki.soc.example/.wls/login?next=%2Fa"},
		{"an old response", "rd=ORIGIN%2Fa%3Fb%26WLS-Response%3D3%21200", "ORIGIN/.wls/login?next=%2Fa%3Fb"},
		{"elsewhere", "rd=https://other.example/", ""},
		{"elsewhere, with our name in front", "rd=https://wiki.soc.example.other.example/", ""},
		{"elsewhere, with our name as a user", "rd=https://wiki.soc.example@other.example/", ""},
		{"elsewhere, with a backslash", "rd=https://wiki.soc.example%5C@other.example/", ""},
		{"another port", "rd=https://wiki.soc.example:8443/", ""},
		{"another scheme", "rd=http://wiki.soc.example/", ""},
		{"a script", "rd=javascript:alert(1)", ""},
		{"no URL", "rd=//other.example/", ""},
		{"dot segments", "rd=https://wiki.soc.example/a/../b", ""},
		{"two", "rd=https://wiki.soc.example/a&rd=https://wiki.soc.example/b", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			fill := strings.NewReplacer("ORIGIN", w.url)
			answer := v.get(serve.LoginPath + "?" + fill.Replace(row.query))
			if row.to == "" {
				assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
				assert.Empty(t, answer.Header.Get("Location"))
				return
			}
			require.Equal(t, http.StatusSeeOther, answer.StatusCode, answer.body)
			assert.Equal(t, fill.Replace(row.to), answer.Header.Get("Location"))
		})
	}
	both := v.get(serve.LoginPath + "?next=/a&rd=https://other.example/")
	assert.True(t, strings.HasPrefix(both.Header.Get("Location"), w.fake.Service().AuthURL), "next goes before rd")
}
