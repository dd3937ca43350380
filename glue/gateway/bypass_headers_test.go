package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// headerTricks are header lines that claim to be "evil", or try to get rid of what the
// gateway says.
var headerTricks = []string{
	"Remote-User: evil", "remote-user: evil", "REMOTE-USER: evil", "ReMoTe-UsEr: evil", "Remote_User: evil", "REMOTE_USER: evil",
	"remote_user: evil", "Remote.User: evil", "Remote~User: evil", "Remote-User: \r\nRemote-User: evil", "Remote-User: evil\r\nRemote_User: evil",
	"Remote-User:evil", "Remote-User:\tevil", "Remote-User: x, evil", "Remote-User:\r\n evil", "Remote-User:\r\n\tevil",
	"X-Remote-User: evil", "X_Remote_User: evil", "x_remote-user: evil", "X-Remote-Groups: evil", "Remote-Groups: evil", "Remote-Name: evil", "Remote-Email: evil",
	"X-Forwarded-User: evil", "X_Forwarded_User: evil", "x-forwarded_user: evil", "X-Forwarded-Email: evil", "X-Forwarded-Groups: evil",
	"X-Forwarded-Preferred-Username: evil", "X-Forwarded-Access-Token: evil",
	"X-Auth-Request-User: evil", "X_Auth_Request_User: evil", "X-Auth-Request-Email: evil", "Auth-User: evil", "AUTH_USER: evil", "X-WebAuth-User: evil",
	"X-User: evil", "X_USER: evil", "HTTP_X_USER: evil", "X-Auth-User: evil", "Proxy-User: evil", "X-Authenticated-User: evil", "X_Authenticated_Groups: evil",
	"X-AAPrincipal: evil", "x-aaprincipal: evil", "X_AAPrincipal: evil", "X_AAPRINCIPAL: evil", "X-AAPtags: evil", "X-AAAuth: evil", "X-AASSO: evil",
	"X-AAIssue: evil", "X-AALast: evil", "X-AALife: evil", "X-AATimeout: evil", "X-AAID: evil", "X-AAAnything: evil", "X_AA_Principal: evil",
	"HTTP_REMOTE_USER: evil", "Http-Remote-User: evil", "HTTP-REMOTE_USER: evil", "HTTP_HTTP_REMOTE_USER: evil", "HTTP_X_AAPRINCIPAL: evil", "HTTP_X_FORWARDED_USER: evil",
	"X-Who: evil", "x_who: evil", "X.WHO: evil", "HTTP_X_WHO: evil",
	"Proxy: http://evil.example/", "PROXY: evil", "Http_Proxy: evil", "HTTP-PROXY: evil",
	"X-Forwarded-For: evil", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: evil", "X-Forwarded-Prefix: /evil", "X_Forwarded_For: evil", "Forwarded: for=evil;host=evil",
	"X-Real-Ip: evil", "X-Original-Url: /evil", "X-Rewrite-Url: /evil", "X-Original-Uri: /evil", "X-Original-Method: evil", "X-Forwarded-Uri: /evil",
	"Remote-User : evil", " Remote-User: evil", "Remote-User\t: evil", "Remote-User\x00: evil", "Remote-User: ev\x00il", "Remote-User: a\rRemote-User: evil",
	"X-A: b\nRemote-User: evil", "Remote-User\x0b: evil", "\"Remote-User\": evil", "(Remote-User): evil", "Remote-User; evil",
	"Remote\xc2\xadUser: evil", "Remote\xffUser: evil", "Ｒemote-User: evil", ": evil", "Remote-User",
	"Connection: Remote-User", "Connection: keep-alive, Remote-User, X-AAPrincipal, X-Forwarded-User", "Connection: remote_user", "Connection: X-Forwarded-For, X-Forwarded-Host",
	"Connection: Remote-User\r\nRemote-User: evil", "Connection: Cookie", "Connection: Host", "Connection: Content-Length, Transfer-Encoding",
	"Proxy-Connection: Remote-User", "Keep-Alive: Remote-User", "Te: Remote-User", "TE: trailers, Remote-User", "Trailer: Remote-User", "Trailers: Remote-User",
	"Upgrade: Remote-User\r\nConnection: Upgrade, Remote-User",
}

// nameTricks are names by which some program takes a request for another; the bytes for
// '?' are those that some program takes for a hyphen.
var nameTricks = []string{
	// where a message ends
	"Content?Length", "content?length", "CONTENT?LENGTH", "Http-Content-Length", "HTTP?CONTENT?LENGTH", "Transfer?Encoding", "Http?Transfer-Encoding", "X?Content?Length",
	"Keep?Alive", "Proxy?Connection", "HTTP2?Settings", "Http-Te", "Http?Trailer", "Http-Expect", "Http-Upgrade", "Http-Connection",
	// which path
	"Script?Name", "SCRIPT?NAME", "Http-Script-Name", "HTTP?SCRIPT?NAME", "Path?Info", "HTTP?PATH?INFO", "Path?Translated", "Request?Uri", "Query?String", "Document?Root",
	"Script?Filename", "Orig?Path?Info", "Php?Self", "Redirect?Url", "Redirect?Status", "Unencoded?Url", "X?Script?Name", "X?Forwarded?Prefix", "X?Forwarded?Path",
	"X?Original?Url", "X?Original?Uri", "X?Original?Host", "X?Original?Method", "X?Rewrite?Url", "X?Rewrite?Uri", "X?Override?Url", "X?Waws?Unencoded?Url", "X?Vhm?Root",
	"X?Envoy?Original?Path", "X?Middleware?Subrequest", "X?Invoke?Path", "X?Matched?Path", "X?Astro?Path", "X?Ingress?Path", "Uwsgi?File", "Php?Value", "Php?Admin?Value",
	"X?Accel?Redirect", "X?Accel?Mapping", "X?Sendfile", "X?Sendfile?Type",
	// which method, scheme and host
	"X?Http?Method", "X?Http?Method?Override", "X?Method?Override", "Method?Override", "Http?Method?Override", "Request?Method", "Http-Method", "X?Http?Verb?Override",
	"Https", "HTTP?HTTPS", "Request?Scheme", "X?Scheme", "X?Url?Scheme", "Wsgi?Url?Scheme", "Front?End?Https", "X?Forwarded?Ssl", "X?Forwarded?Scheme", "X?Forwarded?Protocol",
	"X?Host", "X?Http?Host?Override", "X?Forwarded?Server", "X?Forwarded?Port", "Server?Name", "Server?Port", "X?Backend?Host", "Http-Host", "Http?Host",
	"Proxy", "Http?Proxy", "HTTP-PROXY",
	// from where
	"Remote?Addr", "Remote?Host", "Remote?Port", "X?Real?Ip", "X?Client?Ip", "Client?Ip", "HTTP?CLIENT?IP", "True?Client?Ip", "X?Cluster?Client?Ip", "Cf?Connecting?Ip",
	"Fastly?Client?Ip", "Wl?Proxy?Client?Ip", "X?Remote?Addr", "X?Originating?Ip", "Forwarded?For", "Fly?Client?Ip", "X?Client?Anything",
	// by whom
	"Remote?Ident", "Auth?Type", "Auth?User", "Auth?Password", "Auth?Anything", "Logon?User", "Php?Auth?User", "Oidc?Claim?Sub", "OIDC?access?token", "Oidc?Anything",
	"Ssl?Client?Cert", "Ssl?Client?Verify", "SSL?CLIENT?S?DN", "Ssl?Anything", "X?Ssl?Client?Cert", "X?Ssl?Anything", "X?Client?Cert", "X?Client?Verify", "X?Client?Dn", "Client?Cert",
	"X?Forwarded?Client?Cert", "X?Forwarded?Tls?Client?Cert", "X?Arr?Clientcert", "Wl?Proxy?Client?Cert", "Shib?Session?Id", "Eppn", "Mellon?Name?Id", "Cas?User", "Cosign?User",
	"AAPrincipal", "AAPtags", "X?AA?Anything", "Webauth?User", "Sm?User", "Iv?User", "Oam?Remote?User", "Tailscale?User?Login", "Cf?Access?Jwt?Assertion",
	"X?Goog?Authenticated?User?Email", "X?Amzn?Oidc?Data", "X?Ms?Client?Principal", "X?Consumer?Username", "X?Userinfo", "X?Pomerium?Jwt?Assertion", "X?Authentik?Username",
	"X?Vouch?User", "X?Appengine?User?Email", "X?Rstudio?Username", "X?Proxy?User", "?WSRU", "?WSRA",
	// what was judged, in another spelling
	"Cookie?", "?Cookie", "Http-Cookie", "Http-Authorization", "Http?Authorization", "Http-Origin", "Sec?Fetch?Mode", "Content?Type", "X?", "?", "X?Y", "X-Y?Z",
}

// TestBypassNames sends every such name, spelled with each byte that a name can have.
func TestBypassNames(t *testing.T) {
	w := openWorld(t)
	session := "Cookie: " + w.loggedIn("test0001").cookieHeader()
	sent := 0
	for _, trick := range nameTricks {
		seenName := map[string]bool{}
		for _, c := range "-" + oddBytes {
			name := strings.ReplaceAll(trick, "?", string(c))
			plain := headername.IsPlain(name)
			if seenName[name] || plain && headername.Lookup(name).Class == 0 || headername.IsOwn(name) && headername.Lookup(name).Class&(headername.Frames|headername.Judged) != 0 {
				continue // the header itself, which is for net/http to see to; or nothing
			}
			seenName[name] = true
			for path, user := range map[string]string{"/x": "", "/private/x": "test0001"} {
				answer := w.wire(w.request("POST "+path+" HTTP/1.1", session, "Origin: "+w.url, name+": evil", "Content-Length: 5") + "hello")
				require.Equal(t, 200, statusOf(t, answer), "%s: %s", name, answer)
				got := w.backend.one(t)
				mustNotClaim(t, got, user)
				assert.Equal(t, "hello", got.Body)
				require.False(t, t.Failed(), "at %q", name)
				sent++
			}
		}
	}
	assert.Greater(t, sent, 3000)
}

// TestBypassHeaders sends every header trick to every kind of rule, with a session and
// without one.
func TestBypassHeaders(t *testing.T) {
	w := openWorld(t)
	session := "Cookie: " + w.loggedIn("test0001").cookieHeader()
	password := "Authorization: Basic Ym9iOnNlc2FtZQ==" // bob:sesame
	for _, tt := range []struct{ name, path, credentials, user string }{
		{"public", "/x", "", ""},
		{"public, with a session", "/x", session, ""},
		{"optional", "/optional", "", ""},
		{"optional, with a session", "/optional", session, "test0001"},
		{"login", "/private/x", session, "test0001"},
		{"login, without a session", "/private/x", "X-Nothing: 1", ""},
		{"basic", "/basic", password, "bob"},
		{"basic, with a session beside it", "/basic", password + "\r\n" + session, "bob"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, trick := range headerTricks {
				for _, method := range []string{"GET", "POST"} {
					lines := []string{trick, "Content-Length: 0"}
					if tt.credentials != "" {
						lines = append(lines, tt.credentials)
					}
					answer := w.wire(w.request(method+" "+tt.path+" HTTP/1.1", lines...))
					all := w.backend.take()
					mustBeHonest(t, all, tt.user)
					assert.LessOrEqual(t, len(all), 1)
					for _, s := range all {
						if !strings.Contains(trick, "Connection: Cookie") {
							assert.Equal(t, tt.user, s.user(), "what the gateway says is not undone")
						}
						assert.Equal(t, []string{"127.0.0.1"}, s.Header["X-Forwarded-For"])
						assert.Equal(t, []string{w.host}, s.Header["X-Forwarded-Host"])
						assert.Equal(t, []string{"http"}, s.Header["X-Forwarded-Proto"])
						assert.NotContains(t, s.Header.Get("Cookie"), "wls-")
						assert.NotContains(t, s.Header.Get("Authorization"), "Ym9i")
					}
					if t.Failed() {
						t.Fatalf("at %q:\n%s", trick, answer)
					}
				}
			}
		})
	}
}

// TestHeadersTwins: what is no trick arrives as it was sent.
func TestHeadersTwins(t *testing.T) {
	w := openWorld(t)
	session := w.loggedIn("test0001").cookieHeader()
	answer := w.wire(w.request("GET /private/x HTTP/1.1", "Cookie: a=b; "+session+"; c=\"d e\"; wls=1", "Authorization: Bearer abc",
		"User-Agent: x", "Accept-Language: cy", "X-Requested-With: XMLHttpRequest", "X-Auth-Token: t", "Range: bytes=0-1", "If-None-Match: \"e\""))
	require.Equal(t, 200, statusOf(t, answer), answer)
	got := w.backend.one(t)
	for name, value := range map[string]string{
		"Cookie": `a=b; c="d e"; wls=1`, "Authorization": "Bearer abc", "User-Agent": "x", "Accept-Language": "cy", "X-Requested-With": "XMLHttpRequest",
		"X-Auth-Token": "t", "Range": "bytes=0-1", "If-None-Match": `"e"`,
		"Remote-User": "test0001", "X-Forwarded-User": "test0001", "X-Aaprincipal": "test0001", "X-Aaptags": "current", "X-Aaauth": "pwd", "X-Aasso": "",
		"X-Aaissue": "20260203T120000Z", "X-Aalast": "20260203T120000Z", "X-Aalife": "7200", "X-Aatimeout": "0",
	} {
		assert.Equal(t, []string{value}, got.Header[name], name)
	}
	assert.Regexp(t, `^[0-9A-Za-z-]{6,24}$`, got.Header.Get("X-Aaid"))
}

// TestBypassTrailers: of what comes after the checks, a backend gets what was announced and
// means something to the application alone.
func TestBypassTrailers(t *testing.T) {
	eachBackend(t, func(t *testing.T, speaking func(*kit)) {
		w := openWorld(t, speaking)
		session := "Cookie: " + w.loggedIn("test0001").cookieHeader()
		for announced, passed := range map[string]http.Header{
			"Trailer: Remote-User":                                      nil,
			"Trailer: remote_user, X-AAPrincipal, X-Fine":               {"X-Fine": {"fine"}},
			"Trailer: X-Fine, X-Who, x_who, Cookie, X-Original-Url":     {"X-Fine": {"fine"}},
			"Trailer: X-Fine, X-Nothing, Cache-Control, Content_Length": {"X-Fine": {"fine"}, "X-Nothing": nil},
			"X-Nothing: 1":                         nil,
			"TE: trailers\r\nTrailer: Remote-User": nil,
			"Trailer: X-Fine\r\nConnection: X-Fine, Trailer, Remote-User": {"X-Fine": {"fine"}},
		} {
			for path, user := range map[string]string{"/x": "", "/private/x": "test0001"} {
				request := w.request("POST "+path+" HTTP/1.1", session, announced, "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\nRemote-User: evil\r\nRemote_User: evil\r\n" +
					"X-AAPrincipal: evil\r\nX-Fine: fine\r\nX-Who: evil\r\nx_who: evil\r\nCookie: evil\r\nX-Original-Url: /evil\r\nContent_Length: 9\r\nCache-Control: evil\r\n\r\n"
				answer := w.wire(request)
				require.Equal(t, 200, statusOf(t, answer), answer)
				got := w.backend.one(t)
				mustNotClaim(t, got, user)
				assert.Equal(t, "hello", got.Body)
				assert.Empty(t, got.Header["Trailer"])
				assert.Equal(t, passed, got.Trailer, announced)
			}
		}
	})
}

// TestBypassCookies: ours never reach a backend, and no backend sets them.
func TestBypassCookies(t *testing.T) {
	names := []string{}
	w := openWorld(t, func(k *kit) {
		k.handler = func(rw http.ResponseWriter, _ *http.Request) {
			for _, name := range names {
				for _, form := range []string{name + "=evil; Path=/", " " + name + " =evil", "=" + name + "=evil", name, name + "=evil;Domain=example", "=\t" + name + "=evil"} {
					rw.Header().Add("Set-Cookie", form)
				}
			}
			rw.Header().Add("Set-Cookie", "theirs=1; Path=/")
			rw.Header().Add("Set-Cookie", "wls=2")
		}
	})
	session := w.loggedIn("test0001").cookieHeader()
	session = strings.TrimSuffix(session, "; theirs=1")
	for pair := range strings.SplitSeq(session, "; ") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	require.GreaterOrEqual(t, len(names), 2, session)
	for _, cookies := range []string{
		session, "a=b; " + session, session + ";", ";;" + session, strings.ReplaceAll(session, "; ", ";"), strings.ReplaceAll(session, "; ", ";\t "),
		`a="; ` + session + `; b="`, `$Version=1; ` + session, strings.ReplaceAll(session, "=", " ="), session + "; " + session, "x; " + session + "; =y",
		strings.ReplaceAll(session, "; ", "\r\nCookie: "), "a=b\r\nCookie: " + session, strings.ReplaceAll(session, "; ", ",; "),
	} {
		for _, path := range []string{"/x", "/optional", "/private/x"} {
			answer := w.wire(w.request("GET "+path+" HTTP/1.1", "Cookie: "+cookies))
			for _, s := range w.backend.take() {
				for _, line := range s.Header["Cookie"] {
					for pair := range strings.SplitSeq(session, "; ") {
						_, value, _ := strings.Cut(pair, "=")
						assert.NotContains(t, line, value, "%q at %s", cookies, path)
					}
				}
			}
			head, _, _ := strings.Cut(answer, "\r\n\r\n")
			assert.NotContains(t, head, "evil")
			if strings.HasPrefix(answer, "HTTP/1.1 200") {
				assert.Contains(t, head, "Set-Cookie: theirs=1; Path=/")
				assert.Contains(t, head, "Set-Cookie: wls=2")
			}
		}
	}
}
