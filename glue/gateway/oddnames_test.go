package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// oddBytes are all that a header's name can have beside letters, digits and hyphens (RFC
// 9110 section 5.6.2).
const oddBytes = "!#$%&'*+._`|~^"

// TestOddNames: no name reaches a backend that programs read in different ways.
func TestOddNames(t *testing.T) {
	w := openWorld(t)
	for _, c := range oddBytes {
		for _, name := range []string{
			"X?Custom", "Content?Length", "Transfer?Encoding", "Cookie?", "Sec?Fetch-Site", "Script?Name", "Remote?User", "?Host", "X?", "?",
		} {
			line := strings.Replace(name, "?", string(c), 1) + ": 0"
			answer := w.wire(w.request("POST /x HTTP/1.1", line, "Content-Length: 5") + "hello")
			require.Equal(t, 200, statusOf(t, answer), "%s: %s", line, answer)
			got := w.backend.one(t)
			assert.Equal(t, "hello", got.Body, line)
			for name := range got.Header {
				assert.True(t, headername.IsPlain(name), "%q as %q", line, name)
			}
		}
	}
	// The switch that other tests use does what it says.
	AllowOddHeaderNames(w.gateway)
	_ = w.wire(w.request("GET /x HTTP/1.1", "Content_Length: 7", "SCRIPT_NAME: /x", "X.Y: 1"))
	got := w.backend.one(t).Header
	for _, name := range []string{"Content_length", "Script_name", "X.y"} {
		assert.Contains(t, got, name)
	}
}

// TestOddNamesTrailers: nor one that comes after an answer.
func TestOddNamesTrailers(t *testing.T) {
	const names = "Set_Cookie X_Sum Sum. Content_Length Content-Length Transfer-Encoding Host Remote-User X_Remote_User Script-Name X-Original-Url X-Sum Grpc-Status Server-Timing Content-Type"
	kept := []string{"X-Sum", "Grpc-Status", "Server-Timing"}
	for _, announced := range []bool{false, true} {
		for _, tls := range []bool{false, true} {
			w := openWorld(t, func(k *kit) {
				k.tls = tls
				k.handler = func(rw http.ResponseWriter, _ *http.Request) {
					// As it stands on the wire: net/http would not write some of them.
					conn, _, err := http.NewResponseController(rw).Hijack()
					if err != nil {
						return
					}
					defer conn.Close()
					head := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
					if announced {
						head += "Trailer: X_Sum, X-Sum, Set_Cookie, Script-Name\r\n"
					}
					_, _ = io.WriteString(conn, head+"\r\n4\r\ntext\r\n0\r\n"+strings.ReplaceAll(names, " ", ": 1\r\n")+": 1\r\n\r\n")
				}
			})
			for _, path := range []string{"/x", "/optional"} {
				answer := w.visitor("").get(path)
				assert.Equal(t, "text", answer.body)
				for name := range answer.Trailer {
					assert.Contains(t, kept, name)
				}
				assert.Equal(t, []string{"1"}, answer.Trailer["X-Sum"])
			}
			assert.Positive(t, w.metric("trailers_removed_total"))
			assert.Equal(t, 1, strings.Count(w.log.String(), "removed from trailers\" header=X_remote_user "))
		}
	}
}

// TestPassHeaders: a rule can let through what is the application's, and nothing else.
func TestPassHeaders(t *testing.T) {
	w := openWorld(t, func(k *kit) {
		for i := range k.rules {
			if k.rules[i].Path == "/public" {
				k.rules[i].PassHeaders = []string{"X-HTTP-Method-Override", "X-Forwarded-Prefix", "x_api_key", "X-Client-Version"}
			}
		}
	})
	lines := []string{
		"X-HTTP-Method-Override: PATCH", "X_HTTP_Method_Override: PATCH", "X-Http-Method: PATCH", "X-Forwarded-Prefix: /a", "X_Forwarded_Prefix: /b", "X-Original-Url: /c",
		"X_API_Key: k", "X.Api.Key: k", "X_Other: o", "X-Client-Version: 1", "X-Client-Id: 1", "Content-Length: 0",
	}
	want := http.Header{"X-Http-Method-Override": {"PATCH"}, "X-Forwarded-Prefix": {"/a"}, "X_api_key": {"k"}, "X-Client-Version": {"1"}}
	for path, want := range map[string]http.Header{"/public/x": want, "/x": {}} {
		require.Equal(t, 200, statusOf(t, w.wire(w.request("POST "+path+" HTTP/1.1", lines...))))
		got := w.backend.one(t).Header
		for _, name := range []string{"Accept", "User-Agent", "Content-Length", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Accept-Encoding"} {
			delete(got, name)
		}
		assert.Equal(t, want, got, path)
	}
}

func TestPassHeaders_wrong(t *testing.T) {
	for name, want := range map[string]string{
		"Remote-User": "nobody outside", "X-AAPrincipal": "nobody outside", "OIDC_CLAIM_sub": "nobody outside", "SSL_CLIENT_CERT": "nobody outside", "X-Forwarded-User": "nobody outside",
		"Content-Length": "passed on anyway", "Content_Length": "another spelling", "Transfer_Encoding": "another spelling", "SCRIPT_NAME": "another spelling",
		"X_HTTP_Method_Override": "another spelling", "X-Forwarded-For": "tells backends itself", "x-forwarded-host": "tells backends itself", "Forwarded": "tells backends itself",
		"Accept-Language": "passed on anyway", "": "want a header's name", "a b": "want a header's name",
	} {
		file := writeConfig(t, smallest+"pass-headers = [\"X-Http-Method\", \""+name+"\"]\n")
		_, err := Load(file)
		require.ErrorContains(t, err, ":8:34: rule[1].pass-headers[2]: \""+name+"\": ", name)
		assert.ErrorContains(t, err, want)
	}
	front := strings.Replace(smallest, "to = \"unix:/run/app.sock\"\n", "pass-headers = [\"X-Http-Method\"]\n", 1)
	_, err := Load(writeConfig(t, "forward-auth = true\n"+front+"[front]\nproxies = [\"127.0.0.1/32\"]\n"))
	require.ErrorContains(t, err, "rule[1].pass-headers: this rule has no backend")
}

func TestPassHeaders_findings(t *testing.T) {
	cfg, err := Load(writeConfig(t, smallest+"pass-headers = [\"X-Original-Url\", \"X-Http-Method\", \"X-Real-Ip\", \"X_Api_Key\"]\n"))
	require.NoError(t, err)
	found := map[string]string{}
	for _, f := range Check(*cfg) {
		found[f.Key] = string(f.Severity) + " " + f.Text
	}
	assert.Contains(t, found["rule[1].pass-headers[1]"], "warning X-Original-Url: rules are about the path")
	assert.Contains(t, found["rule[1].pass-headers[2]"], "note X-Http-Method: the gateway looks at the method")
	assert.Contains(t, found["rule[1].pass-headers[3]"], "note X-Real-Ip: clients can write it")
	assert.NotContains(t, found, "rule[1].pass-headers[4]")
}

// TestRemovals: what is removed is counted, and logged once an hour for each name.
func TestRemovals(t *testing.T) {
	w := openWorld(t)
	told := func(name string) int { return strings.Count(w.log.String(), "header="+name+" ") }
	send := func(lines ...string) {
		require.Equal(t, 200, statusOf(t, w.wire(w.request("GET /x HTTP/1.1", lines...))))
	}
	for range 3 {
		send("X_Odd: 1", "Content_Length: 1", "X-HTTP-Method-Override: PUT", "SCRIPT_NAME: /", "Remote-User: evil", "X-Forwarded-For: 1", "X-Who: evil", "Auth-Token: 1", "X_Forwarded_For: 1", "X.Who: evil")
	}
	for name, want := range map[string]int{
		"X_odd": 1, "Content_length": 1, "X-Http-Method-Override": 1, "Script_name": 1, "Remote-User": 1, "Auth-Token": 1, "X-Forwarded-For": 0, "X-Who": 0,
		"X_forwarded_for": 1, "X.who": 1,
	} {
		assert.Equal(t, want, told(name), name)
	}
	for reason, want := range map[string]float64{"name": 6, "frames": 3, "peers": 3, "methods": 3, "routes": 3, "identifies": 3, "suspects": 3, "judged": 0} {
		assert.Equal(t, want, w.metric(`headers_removed_total{reason="`+reason+`"}`), reason)
	}
	assert.Contains(t, w.log.String(), "level=WARN msg=\"wls gateway: a header was removed from requests\" header=Content_length")
	assert.Contains(t, w.log.String(), "level=INFO msg=\"wls gateway: a header was removed from requests\" header=X_odd")
	assert.NotContains(t, w.log.String(), "evil", "values are nobody's business")

	w.fake.Advance(59 * time.Minute)
	send("X_Odd: 1")
	assert.Equal(t, 1, told("X_odd"))
	w.fake.Advance(time.Minute)
	send("X_Odd: 1")
	assert.Equal(t, 2, told("X_odd"))
}

// TestRemovalsBounded: whoever makes up names fills neither memory nor log.
func TestRemovalsBounded(t *testing.T) {
	w := openWorld(t)
	r, log := w.gateway.removals, w.gateway.core.Load().cfg.Logger
	for i := range 10 * removalNames {
		r.header(log, "X_"+itoa(i), oddName)
	}
	assert.LessOrEqual(t, len(r.logged), removalNames+1)
	assert.Equal(t, removalNames, strings.Count(w.log.String(), "header=X_"))
	assert.Equal(t, 1, strings.Count(w.log.String(), "headers of many names"))
	w.fake.Advance(removalAgain)
	r.header(log, "X_new", oddName)
	assert.Equal(t, 1, strings.Count(w.log.String(), "header=X_new"), "there is room again")
	assert.Len(t, r.logged, 1)
	assert.Equal(t, strings.Repeat("x", headername.MaxName)+"...", showName(strings.Repeat("x", 5000)))
	assert.Equal(t, "X?????A", showName("X\x1b\u009b\u202e\n\xffA"))
}

// TestStripping: the gateway's own rule, which does not lean on what package site does
// before it, nor on what a configuration was checked for.
func TestStripping(t *testing.T) {
	s, err := newStripping([]string{"X-Who"})
	require.NoError(t, err)
	for _, name := range []string{"Depth", "DESTINATION", "if", "Http-Overwrite", "Host", ""} {
		_, err := newStripping([]string{name})
		assert.Error(t, err, "%q would mean less than was judged", name)
	}
	pass := newPassHeaders([]string{"remote-user", "Content_Length", "x-who", "X-Http-Method", "X_Api_Key", "Http-Cookie"})
	for name, want := range map[string][2]bool{ // removed without and with the list
		"Content-Length": {}, "Cookie": {}, "Upgrade": {}, "Te": {}, "Sec-Fetch-Site": {}, "Accept-Language": {}, "Dpop": {}, "X-Csrf-Token": {}, "Lock-Token": {}, "If": {},
		"Content_length": {true, true}, "Transfer.encoding": {true, true}, "Http-Content-Length": {true, true}, "Http-Cookie": {true, true}, "Cookie_": {true, true}, "Sec_fetch_site": {true, true},
		"Remote-User": {true, true}, "X-Who": {true, true}, "X.who": {true, true}, "X-Http-Method": {true, false}, "X_http_method": {true, true},
		"X_api_key": {true, false}, "X.api.key": {true, true}, "Script-Name": {true, true}, "Auth-Token": {true, true}, "": {true, true},
	} {
		assert.Equal(t, want, [2]bool{s.removes(name, nil) != nil, s.removes(name, pass) != nil}, "%q", name)
	}
}
