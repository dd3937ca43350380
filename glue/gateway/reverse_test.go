package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reverseWorld has a backend that answers with the header lines that it is asked for, and
// the rules by which it has other addresses than browsers know.
func reverseWorld(t *testing.T) (w *world, backendHost string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.URL.Query() {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		w.WriteHeader(http.StatusFound)
	}))
	t.Cleanup(server.Close)
	_, backendHost, _ = strings.Cut(server.URL, "//")
	return newWorld(t, kit{tls: true, rules: []Rule{
		{Path: "/app", Access: Public, To: server.URL, StripPath: true},
		{Path: "/app/own", Access: Public, To: server.URL},
		{Path: "/both", Access: Public, To: server.URL, StripPath: true, BackendHost: hostBackend},
		{Path: "/named", Access: Public, To: server.URL, BackendHost: hostBackend},
		{Path: "/caf%C3%A9", Access: Public, To: server.URL, StripPath: true},
	}}), backendHost
}

// header asks for an answer with a header line below a path, and returns what came of it.
func (w *world) reversed(t *testing.T, path, name, value string) []string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, w.url+path+"/x", nil)
	require.NoError(t, err)
	q := r.URL.Query()
	q.Set(name, value)
	r.URL.RawQuery = q.Encode()
	resp, err := w.visitor("").client.Transport.RoundTrip(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusFound, resp.StatusCode)
	return resp.Header[name]
}

// TestReverse: what a backend says of its own addresses is what browsers know them by.
func TestReverse(t *testing.T) {
	w, backend := reverseWorld(t)
	fill := func(text string) string {
		return strings.NewReplacer("{site}", w.url, "{host}", w.host, "{backend}", "http://"+backend, "{at}", backend).Replace(text)
	}
	for _, tt := range []struct{ path, name, from, to string }{
		{"/app", "Location", "/login?next=/a", "/app/login?next=/a"},
		{"/app", "Location", "/", "/app/"},
		{"/app", "Location", "/app", "/app"},
		{"/app", "Location", "/app/login", "/app/login"},
		{"/app", "Location", "/application", "/app/application"},
		{"/app", "Location", "/a?/app/b#c", "/app/a?/app/b#c"},
		{"/app", "Location", "/x;jsessionid=1", "/app/x;jsessionid=1"},
		{"/app", "Location", "/a%2Fb", "/app/a%2Fb"},
		{"/app", "Location", "/café", "/app/café"},
		{"/app", "Location", "/.wls/logout", "/.wls/logout"},
		{"/app", "Location", "login", "login"},
		{"/app", "Location", "../login", "../login"},
		{"/app", "Location", "?a=b", "?a=b"},
		{"/app", "Location", "{site}/login", "{site}/app/login"},
		{"/app", "Location", "http://{host}/login", "{site}/app/login"},
		{"/app", "Location", "HTTP://{host}/login", "{site}/app/login"},
		{"/app", "Location", "//{host}/login", "{site}/app/login"},
		{"/app", "Location", "{site}/app/login", "{site}/app/login"},
		{"/app", "Location", "http://{host}", "{site}/app/"},
		{"/app", "Location", "http://{host}?a", "{site}/app/?a"},
		{"/app", "Location", "http://{host}#a", "{site}/app/#a"},
		{"/app", "Location", "http://{host}//evil.example/", "{site}/app//evil.example/"},
		{"/app", "Location", "{backend}/login", "{backend}/login"}, // it was not asked by this name
		{"/app", "Location", "https://other.example/login", "https://other.example/login"},
		{"/app", "Location", "//other.example/login", "//other.example/login"},
		{"/app", "Location", "http://user@{host}/", "http://user@{host}/"},
		{"/app", "Location", "http://{host}.evil.example/", "http://{host}.evil.example/"},
		{"/app", "Location", "ftp://{host}/", "ftp://{host}/"},
		{"/app", "Location", "mailto:webmaster@soc.example", "mailto:webmaster@soc.example"},
		{"/app", "Location", `/\evil.example`, `/\evil.example`},
		{"/app", "Location", "/\t/evil.example", "/\t/evil.example"},
		{"/app", "Content-Location", "/page.en", "/app/page.en"},
		{"/app", "Refresh", "5; url=/login", "5; url=/app/login"},
		{"/app", "Refresh", "0;URL=http://{host}/login", "0;URL={site}/app/login"},
		{"/app", "Refresh", "0;url='/login'", "0;url='/login'"},
		{"/app", "Refresh", "5", "5"},
		{"/app", "X-Other", "/login", "/login"},
		{"/app/own", "Location", "/login", "/login"},
		{"/app/own", "Location", "http://{host}/login", "http://{host}/login"},
		{"/caf%C3%A9", "Location", "/login", "/caf%C3%A9/login"},
		{"/caf%C3%A9", "Location", "/café/login", "/café/login"},
		{"/caf%C3%A9", "Location", "/caf%c3%a9/login", "/caf%c3%a9/login"},
		{"/both", "Location", "{backend}/login", "{site}/both/login"},
		{"/both", "Location", "//{at}/login", "//{at}/login"}, // by https, as a browser would ask
		{"/both", "Location", "https://{at}/login", "https://{at}/login"},
		{"/both", "Location", "{site}/login", "{site}/both/login"},
		{"/both", "Location", "/login", "/both/login"},
		{"/named", "Location", "{backend}/login?a#b", "{site}/login?a#b"},
		{"/named", "Location", "{backend}", "{site}/"},
		{"/named", "Location", "{backend}//evil.example/", "{site}//evil.example/"},
		{"/named", "Location", "/login", "/login"},
		{"/named", "Location", "{site}/login", "{site}/login"},
		{"/named", "Location", "{backend}@evil.example/", "{backend}@evil.example/"},
		{"/named", "Location", `{backend}\@evil.example/`, `{backend}\@evil.example/`},

		{"/app", "Set-Cookie", "a=b; Path=/; HttpOnly", "a=b; Path=/app; HttpOnly"},
		{"/app", "Set-Cookie", "a=b; Path=/x/", "a=b; Path=/app/x/"},
		{"/app", "Set-Cookie", "a=b; Path=/app", "a=b; Path=/app"},
		{"/app", "Set-Cookie", "a=b; Path=/app/", "a=b; Path=/app/"},
		{"/app", "Set-Cookie", "a=b; Path=/application", "a=b; Path=/app/application"},
		{"/app", "Set-Cookie", "a=b", "a=b"},
		{"/app", "Set-Cookie", "__Host-a=b; Secure; Path=/", "__Host-a=b; Secure; Path=/"},
		{"/app", "Set-Cookie", "a=b; Domain=127.0.0.1", "a=b; Domain=127.0.0.1"},
		{"/app/own", "Set-Cookie", "a=b; Path=/", "a=b; Path=/"},
		{"/named", "Set-Cookie", "a=b; Path=/; Domain=127.0.0.1", "a=b; Path=/"},
		{"/named", "Set-Cookie", "a=b; Domain=localhost", "a=b; Domain=localhost"},
		{"/named", "Set-Cookie", "a=b; Domain=other.example", "a=b; Domain=other.example"},
		{"/both", "Set-Cookie", "a=b; Path=/; Domain=127.0.0.1", "a=b; Path=/both"},
	} {
		t.Run(tt.path+" "+tt.name+" "+tt.from, func(t *testing.T) {
			assert.Equal(t, []string{fill(tt.to)}, w.reversed(t, tt.path, tt.name, fill(tt.from)))
		})
	}
	t.Run("cookies of ours", func(t *testing.T) {
		own := "wls-login-" + w.host[len("localhost:"):]
		for _, name := range []string{own, "__Host-" + own, "__Host-wls-login", "__Host-wls-session"} {
			for _, path := range []string{"/app", "/both", "/named"} {
				if w.gateway.core.Load().site.OwnCookie(name) {
					assert.Empty(t, w.reversed(t, path, "Set-Cookie", name+"=evil; Path=/; Domain=127.0.0.1"))
				}
			}
		}
	})
}

// resolve reads references as a browser does (the URL standard), each from a page at base,
// and gives what comes of them; empty for none.
func resolve(t *testing.T, base string, references []string) []string {
	t.Helper()
	in, err := json.Marshal(references)
	require.NoError(t, err)
	cmd := exec.Command(frontProgram(t, "nodejs", "node"), "-e",
		`console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0)).map((r) => { try { return new URL(r, process.argv[1]).href } catch { return '' } })))`, base)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []string
	require.NoError(t, json.Unmarshal(out, &all))
	require.Len(t, all, len(references))
	return all
}

// TestReverse_reading: as a browser reads it, no reference leads to another origin than it
// did, unless that was the backend's and is the site's now.
func TestReverse_reading(t *testing.T) {
	w, backend := reverseWorld(t)
	heads := []string{"", "/", "//", "///", `/\`, `\\`, `\/`, "http:", "http:/", "http://", "https:", "https:/", "https://", `https:\\`, "https:///", " //", "\t//", "/\t/", "javascript:", "data:,"}
	hosts := []string{"", "evil.example", w.host, backend, "user@" + w.host, w.host + "@evil.example", w.host + ".evil.example", w.host + `\.evil.example`, "localhost", "LOCALHOST:" + strings.TrimPrefix(w.host, "localhost:"),
		"127.1:" + strings.TrimPrefix(backend, "127.0.0.1:"), "%6cocalhost:" + strings.TrimPrefix(w.host, "localhost:")}
	tails := []string{"", "/x", "//evil.example/", `/\evil.example/`, "/../x", "/..//evil.example", "?/x", "#/x", "@evil.example/", ":80/", "/%2e%2e//evil.example", "/.//evil.example", ";/x", "/\x7f"}
	var references []string
	for _, head := range heads {
		for _, host := range hosts {
			for _, tail := range tails {
				references = append(references, head+host+tail)
			}
		}
	}
	core := w.gateway.core.Load()
	for _, path := range []string{"/app", "/both", "/named"} {
		ru := core.ruleFor(w.host, path)
		var after []string
		r := httptest.NewRequest(http.MethodGet, w.url+path+"/x", nil)
		core.site.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			p := &proxied{c: core, rule: ru, in: r}
			for _, reference := range references {
				after = append(after, p.reverseURL(reference))
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
		require.Len(t, after, len(references))
		changed := 0
		base := w.url + path + "/x"
		was, is := resolve(t, base, references), resolve(t, base, after)
		for i, reference := range references {
			if after[i] == reference {
				continue
			}
			changed++
			local := isAt(was[i], w.url) || isAt(was[i], "http://"+w.host) || ru.renamed && isAt(was[i], "http://"+backend)
			assert.True(t, local, "%q is %q to a browser, and became %q", reference, was[i], after[i])
			assert.True(t, isAt(is[i], w.url), "%q became %q, which is %q to a browser", reference, after[i], is[i])
		}
		t.Logf("%s: %d of %d changed", path, changed, len(references))
		assert.Positive(t, changed)
	}
}

func isAt(url, origin string) bool { return strings.HasPrefix(url, origin+"/") }

// movingNode is a Node application that knows nothing of a prefix: it sends people on by its
// own absolute URL, and lets in who has the cookie that it sets for all of itself.
const movingNode = `
const server = require('http').createServer((request, response) => {
	const own = 'http://' + request.headers.host;
	if (request.url === '/') {
		response.writeHead(302, { Location: own + '/login' });
	} else if (request.url === '/login') {
		response.writeHead(303, { Location: '/home', 'Set-Cookie': 'app=1; Path=/; Domain=' + request.headers.host.split(':')[0] });
	} else {
		response.write(request.url + ' with ' + request.headers.cookie);
	}
	response.end();
});
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port));
`

// TestReverse_node: people get to where such an application sends them, with its cookie.
func TestReverse_node(t *testing.T) {
	addr, _ := startNode(t, movingNode)
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/app", Access: Public, To: "http://" + addr, StripPath: true},
		{Path: "/both", Access: Public, To: "http://" + addr, StripPath: true, BackendHost: hostBackend},
		{Path: "/", Access: Public, To: "http://" + addr, BackendHost: hostBackend},
	}})
	for _, path := range []string{"/both", "/"} {
		answer := w.visitor("").get(path)
		assert.Equal(t, w.url+strings.TrimSuffix(path, "/")+"/home", answer.Request.URL.String())
		assert.Equal(t, "/home with app=1", answer.body)
	}
	answer := w.visitor("").get("/app/")
	assert.Equal(t, w.url+"/app/home", answer.Request.URL.String())
}
