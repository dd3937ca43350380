package remoteuser_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
)

// headerCase is what somebody sends, and what a backend makes of it: who it is, or the
// status and the reason of the refusal.
type headerCase struct {
	name   string
	lines  []string
	who    string
	status int
	reason string
}

var headerCases = []headerCase{
	{"as it should be", []string{"Remote-User: spqr1"}, "spqr1", 200, ""},
	{"other case is the same name", []string{"REMOTE-USER: spqr1"}, "spqr1", 200, ""},
	{"nothing", nil, "", 401, "login_required"},
	{"an empty value", []string{"Remote-User:"}, "", 401, "login_required"},
	{"blanks only", []string{"Remote-User:   "}, "", 401, "login_required"},
	{"what Apache writes for nobody", []string{"Remote-User: (null)"}, "", 401, "login_required"},
	{"underscore", []string{"Remote_User: spqr1"}, "", 401, "login_required"},
	{"dot", []string{"Remote.User: spqr1"}, "", 401, "login_required"},
	{"a variable's name", []string{"HTTP_REMOTE_USER: spqr1"}, "", 401, "login_required"},
	{"twice a variable's name", []string{"Http-Http_Remote-User: spqr1"}, "", 401, "login_required"},
	{"no hyphen", []string{"RemoteUser: spqr1"}, "", 401, "login_required"},
	{"another front server's header", []string{"X-Forwarded-User: spqr1"}, "", 401, "login_required"},
	{"mod_ucam_webauth's header", []string{"X-AAPrincipal: spqr1"}, "", 401, "login_required"},
	{"doubled", []string{"Remote-User: spqr1", "Remote-User: spqr1"}, "", 400, "doubled"},
	{"doubled, two people", []string{"Remote-User: spqr1", "Remote-User: root"}, "", 400, "doubled"},
	{"doubled, the second empty", []string{"Remote-User: spqr1", "Remote-User:"}, "", 400, "doubled"},
	{"doubled in other case", []string{"REMOTE-USER: root", "Remote-User: spqr1"}, "", 400, "doubled"},
	{"doubled with an underscore", []string{"Remote_User: root", "Remote-User: spqr1"}, "", 400, "doubled"},
	{"doubled with a variable's name", []string{"Remote-User: spqr1", "Http-Remote-User: root"}, "", 400, "doubled"},
	{"two joined to one", []string{"Remote-User: spqr1, root"}, "", 400, "principal"},
	{"two joined to one without a blank", []string{"Remote-User: spqr1,root"}, "", 400, "principal"},
	{"a blank inside", []string{"Remote-User: spqr1 root"}, "", 400, "principal"},
	{"a tab inside", []string{"Remote-User: spqr1\troot"}, "", 400, "principal"},
	{"outside of ASCII", []string{"Remote-User: spqr\xc3\xa9"}, "", 400, "principal"},
	{"the longest", []string{"Remote-User: " + strings.Repeat("x", 255)}, strings.Repeat("x", 255), 200, ""},
	{"too long", []string{"Remote-User: " + strings.Repeat("x", 256)}, "", 400, "principal"},
	{"signed, but there is no key", []string{"Remote-User: 2jmj7l5rSw0yVb/vlWAYkK/YBwk= spqr1"}, "", 400, "principal"},
	{"hop by hop", []string{"Connection: Remote-User", "Remote-User: spqr1"}, "spqr1", 200, ""},
}

func TestHeaderFromAPeer(t *testing.T) {
	b := newBackend(t, setup{})
	for _, tc := range headerCases {
		t.Run(tc.name, func(t *testing.T) {
			a := b.raw("/", append(tc.lines, "Accept: application/json")...)
			assert.Equal(t, tc.status, a.StatusCode)
			assert.Equal(t, tc.who, a.seen.Identity.Principal)
			assert.Equal(t, tc.who != "", a.seen.Known)
			if tc.status == http.StatusOK {
				assert.Equal(t, []string{tc.who}, a.seen.Header["Remote-User"])
				assert.Equal(t, remoteuser.ServiceHeader, a.seen.Identity.Service)
				assert.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"))
			} else {
				assert.Contains(t, a.body, `"reason":"`+tc.reason+`"`)
				assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			}
			assert.Contains(t, a.Header.Values("Vary"), "Cookie", "where anything depends on the person")

			// Optional refuses what makes no sense, and lets strangers in as strangers.
			a = b.raw("/optional", tc.lines...)
			if tc.status == http.StatusBadRequest {
				assert.Equal(t, http.StatusBadRequest, a.StatusCode)
				return
			}
			require.Equal(t, http.StatusOK, a.StatusCode)
			assert.Equal(t, tc.who, a.seen.Identity.Principal)
			assertNoIdentityHeaders(t, a.seen.Header, tc.who)
		})
	}
}

func TestHeaderFromAStranger(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Peers = []netip.Prefix{nowhere} }})
	for _, tc := range headerCases {
		t.Run(tc.name, func(t *testing.T) {
			a := b.raw("/", tc.lines...)
			assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
			a = b.raw("/optional", tc.lines...)
			require.Equal(t, http.StatusOK, a.StatusCode)
			assert.False(t, a.seen.Known)
			assertNoIdentityHeaders(t, a.seen.Header, "")
		})
	}
	assert.Contains(t, b.reasons(), "untrusted-header untrusted-peer")
	assert.NotContains(t, b.logged(), "spqr1", "what a stranger claims is not logged")
}

func assertNoIdentityHeaders(t *testing.T, h http.Header, who string) {
	t.Helper()
	for name, values := range h {
		if who != "" && name == "Remote-User" {
			assert.Equal(t, []string{who}, values)
			continue
		}
		for _, v := range values {
			if name != "Connection" && name != "Remoteuser" { // that is no spelling of it
				assert.NotContains(t, v, "spqr1", name)
				assert.NotContains(t, v, "root", name)
			}
		}
	}
}

// A peer is the other end of the connection, whatever the request says.
func TestPeerIsNotWhatHeadersSay(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Peers = []netip.Prefix{nowhere} }})
	for _, line := range []string{
		"X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 192.0.2.7:80", "Forwarded: for=192.0.2.7", "X-Real-Ip: 192.0.2.7",
		"Via: 1.1 192.0.2.7", "True-Client-Ip: 192.0.2.7", "Remote-Addr: 192.0.2.7", "REMOTE_ADDR: 192.0.2.7",
	} {
		t.Run(line, func(t *testing.T) {
			assert.Equal(t, http.StatusUnauthorized, b.raw("/", line, "Remote-User: spqr1").StatusCode)
		})
	}
}

// A handler around ours that believes X-Forwarded-For writes into RemoteAddr what a client
// says, mostly without a port.
func TestPeerThatAHandlerMadeUp(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "::1", "@", "", "unix", "127.0.0.1:", "[127.0.0.1]", "127.0.0.1:80, 192.0.2.1:80"} {
		t.Run(addr, func(t *testing.T) {
			b := newBackend(t, setup{
				config: func(c *config) { c.UnixSocket = true },
				wrap: func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						r.RemoteAddr = addr
						next.ServeHTTP(w, r)
					})
				}})
			assert.Equal(t, http.StatusUnauthorized, b.raw("/", "Remote-User: spqr1").StatusCode)
		})
	}
}

func TestPeers(t *testing.T) {
	for _, tc := range []struct {
		name, listen string
		peers        []string
		trusted      bool
	}{
		{"the address", "127.0.0.1:0", []string{"127.0.0.1/32"}, true},
		{"a range", "127.0.0.1:0", []string{"192.0.2.0/24", "127.0.0.0/8"}, true},
		{"another address", "127.0.0.1:0", []string{"127.0.0.2/32"}, false},
		{"another kind of address", "127.0.0.1:0", []string{"::1/128"}, false},
		{"IPv4 at an IPv6 listener", "[::]:0", []string{"127.0.0.1/32"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := net.Listen("tcp", tc.listen)
			if err != nil {
				t.Skip("no IPv6 here: ", err)
			}
			b := newBackend(t, setup{listener: l, config: func(c *config) {
				c.Peers = nil
				for _, p := range tc.peers {
					c.Peers = append(c.Peers, netip.MustParsePrefix(p))
				}
			}})
			_, port, err := net.SplitHostPort(l.Addr().String())
			require.NoError(t, err)
			r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+"/", nil)
			require.NoError(t, err)
			r.Header.Set("Remote-User", "spqr1")
			resp, err := b.server.Client().Do(r)
			require.NoError(t, err)
			a := readAnswer(t, resp)
			assert.Equal(t, tc.trusted, a.StatusCode == http.StatusOK)
		})
	}
}

func TestUnixSocket(t *testing.T) {
	for _, tc := range []struct {
		name    string
		trusted bool
		bind    string // the client's own end
	}{
		{"trusted", true, ""},
		{"not trusted", false, ""},
		{"not trusted, called like a peer", false, "127.0.0.1:80"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(t.TempDir()) // names of sockets are short
			l, err := net.Listen("unix", "s")
			require.NoError(t, err)
			newBackend(t, setup{listener: l, config: func(c *config) { c.UnixSocket = tc.trusted }})
			var local *net.UnixAddr
			if tc.bind != "" {
				local = &net.UnixAddr{Net: "unix", Name: tc.bind}
			}
			conn, err := net.DialUnix("unix", local, &net.UnixAddr{Net: "unix", Name: filepath.Join(".", "s")})
			require.NoError(t, err)
			defer conn.Close()
			r, err := http.NewRequest(http.MethodGet, "http://backend/", nil)
			require.NoError(t, err)
			r.Header.Set("Remote-User", "spqr1")
			transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
			resp, err := transport.RoundTrip(r)
			require.NoError(t, err)
			assert.Equal(t, tc.trusted, readAnswer(t, resp).StatusCode == http.StatusOK)
		})
	}
}

func TestHTTP2(t *testing.T) {
	for _, tc := range []struct {
		name string
		peer netip.Prefix
		edit func(h http.Header)
		want int
	}{
		{"from a peer", loopback, func(h http.Header) { h.Set("Remote-User", "spqr1") }, 200},
		{"from a stranger", nowhere, func(h http.Header) { h.Set("Remote-User", "spqr1") }, 401},
		{"with an underscore", loopback, func(h http.Header) { h["remote_user"] = []string{"spqr1"} }, 401},
		{"doubled", loopback, func(h http.Header) { h["Remote-User"] = []string{"spqr1", "root"} }, 400},
		{"doubled with an underscore", loopback, func(h http.Header) {
			h["remote_user"], h["remote-user"] = []string{"root"}, []string{"spqr1"}
		}, 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBackend(t, setup{h2: true, config: func(c *config) { c.Peers = []netip.Prefix{tc.peer} }})
			r, err := http.NewRequest(http.MethodGet, b.url+"/", nil)
			require.NoError(t, err)
			tc.edit(r.Header)
			resp, err := b.server.Client().Do(r)
			require.NoError(t, err)
			a := readAnswer(t, resp)
			require.Equal(t, 2, a.ProtoMajor)
			assert.Equal(t, tc.want, a.StatusCode)
		})
	}
}

// Trailers come when everything is decided; handlers may look at them all the same.
func TestTrailers(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		for _, path := range []string{"/optional", "/"} {
			t.Run(path+map[bool]string{true: " over HTTP/2"}[h2], func(t *testing.T) {
				b := newBackend(t, setup{h2: h2})
				r, err := http.NewRequest(http.MethodPost, b.url+path, struct{ *strings.Reader }{strings.NewReader("body")})
				require.NoError(t, err)
				r.Trailer = http.Header{
					"Remote-User": {"root"}, "Remote_user": {"root"}, "X-Aaprincipal": {"root"}, "X-Checksum": {"1234"},
				}
				if path == "/" {
					r.Header.Set("Remote-User", "spqr1")
				}
				resp, err := b.server.Client().Do(r)
				require.NoError(t, err)
				a := readAnswer(t, resp)
				require.Equal(t, http.StatusOK, a.StatusCode)
				assert.Equal(t, http.Header{"X-Checksum": {"1234"}}, a.seen.Trailer)
				assertNoIdentityHeaders(t, a.seen.Header, "spqr1")
			})
		}
	}
	t.Run("not announced", func(t *testing.T) {
		b := newBackend(t, setup{})
		a := b.rawBody("/optional", "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nRemote-User: root\r\n\r\n")
		require.Equal(t, http.StatusOK, a.StatusCode)
		assert.Empty(t, a.seen.Trailer)
	})
	t.Run("only identities", func(t *testing.T) {
		b := newBackend(t, setup{})
		a := b.rawBody("/optional", "Trailer: Remote-User\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nRemote-User: root\r\n\r\n")
		require.Equal(t, http.StatusOK, a.StatusCode)
		assert.Empty(t, a.seen.Trailer)
		assert.False(t, a.seen.Known)
	})
}

// Everything that any front server uses is removed on the way in, and nothing else is.
func TestSiblings(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Strip = []string{"X-Role", "X-AppServer-Groups"} }})
	for _, line := range []string{
		"X-AAPrincipal: root", "X-AAPtags: root", "x_aa_anything: root", "X-Forwarded-User: root", "X_Forwarded_User: root", "X-Remote-User: root",
		"X-Forwarded-Email: root@x", "X-Forwarded-Groups: root", "X-Forwarded-Preferred-Username: root", "Remote-Groups: root", "Remote-Email: root@x",
		"X-Auth-Request-User: root", "X-WebAuth-User: root", "X-Authenticated-User: root", "Auth-User: root", "X-Role: root", "x_role: root",
		"HTTP_X_ROLE: root", "X-AppServer-Groups: root",
		"OIDC_CLAIM_sub: root", "Oidc-Claim-Sub: root", "SSL_CLIENT_S_DN: root", "X-SSL-Client-Cert: root", "Client-Cert: root", "Shib-User: root", "eppn: root",
		"AUTH_TYPE: root", "AAPrincipal: root", "X-Ms-Client-Principal: root", "$WSRU: root",
	} {
		t.Run(line, func(t *testing.T) {
			a := b.raw("/", "Remote-User: spqr1", line)
			require.Equal(t, http.StatusOK, a.StatusCode)
			assert.Equal(t, "spqr1", a.seen.Identity.Principal)
			assertNoIdentityHeaders(t, a.seen.Header, "spqr1")
		})
	}
	for _, line := range []string{"X-Forwarded-For: root", "Authorization: Bearer root", "X-Requested-With: root", "Remote-Addr: root", "User-Agent: root"} {
		t.Run(line, func(t *testing.T) {
			name, value, _ := strings.Cut(line, ": ")
			assert.Equal(t, value, b.raw("/optional", line).seen.Header.Get(name))
		})
	}
}

func TestAAHeaders(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.AAHeaders = true; c.Service = "raven" }})
	all := []string{"Remote-User: spqr1", "X-AAPrincipal: spqr1", "X-AAPtags: current,x", "X-AASSO: pwd", "X-AAIssue: 20261122T025900Z", "X-AALife: 3600", "X-AAID: 1373000000-00000-00"}
	a := b.raw("/", all...)
	require.Equal(t, http.StatusOK, a.StatusCode)
	id := a.seen.Identity
	assert.Equal(t, []string{"current", "x"}, id.Ptags)
	assert.Equal(t, []string{"pwd"}, id.SSO)
	assert.Empty(t, id.Auth)
	assert.Equal(t, start.Add(-time.Minute), id.Issue)
	assert.Equal(t, start.Add(59*time.Minute), id.Expires)
	assert.True(t, id.Password.IsZero())
	assert.Equal(t, "1373000000-00000-00", id.SessionID)
	assert.Equal(t, "1373000000-00000-00", id.ResponseID)
	assert.Equal(t, id.Issue, id.Accepted, "the front server's time is all that there is")
	assert.Equal(t, "raven", id.Service)
	assertNoIdentityHeaders(t, a.seen.Header, "spqr1")

	a = b.raw("/", "Remote-User: spqr1", "X-AAAuth: pwd", "X-AAIssue: 20261122T025900Z")
	assert.Equal(t, "pwd", a.seen.Identity.Auth)
	assert.Equal(t, start.Add(-time.Minute), a.seen.Identity.Password)
	assert.True(t, a.seen.Identity.Expires.IsZero())

	a = b.raw("/", "Remote-User: spqr1", "X_AAPtags: admin", "X-AALife: -5")
	require.Equal(t, http.StatusOK, a.StatusCode)
	assert.Empty(t, a.seen.Identity.Ptags, "another spelling tells nothing")

	for _, tc := range [][2]string{
		{"other-principal", "X-AAPrincipal: root"}, {"doubled", "X-AAPtags: a\r\nX-AAPtags: b"}, {"doubled", "X-AAPtags: a\r\nX_AAPtags: b"},
		{"malformed", "X-AAPtags: a,,b"}, {"malformed", "X-AAPtags: a, b"}, {"malformed", "X-AAPtags: " + strings.Repeat("x,", 3000) + "x"},
		{"malformed", "X-AAAuth: pwd,x"}, {"malformed", "X-AASSO: ,"}, {"malformed", "X-AAIssue: 20261122T025900"}, {"malformed", "X-AAIssue: 2026-11-22"}, {"malformed", "X-AAIssue: 20261122T025900.5Z"},
		{"malformed", "X-AALife: 1e3"}, {"malformed", "X-AALife: +5"}, {"malformed", "X-AALife: 05"}, {"malformed", "X-AALife: 1234567890"}, {"malformed", "X-AAID: a b"},
	} {
		t.Run(tc[1][:min(len(tc[1]), 40)], func(t *testing.T) {
			a := b.raw("/", "Remote-User: spqr1", "Accept: application/json", tc[1])
			assert.Equal(t, http.StatusBadRequest, a.StatusCode)
			assert.Contains(t, a.body, `"reason":"`+tc[0]+`"`)
		})
	}
}

// An address counts in one form, however the system or a listener writes it.
func TestPeersInOtherForms(t *testing.T) {
	people, err := remoteuser.New(remoteuser.Config{Site: newSite(), Peers: prefixes("127.0.0.1/32", "fe80::/10")})
	require.NoError(t, err)
	for addr, want := range map[string]int{
		"127.0.0.1:80": 200, "[::ffff:127.0.0.1]:80": 200, "[fe80::1%eth0]:80": 200, "[fe80::1]:80": 200,
		"127.0.0.2:80": 401, "[::ffff:127.0.0.2]:80": 401, "[::1]:80": 401, "[2001:db8::1%eth0]:80": 401, "127.1:80": 401, "localhost:80": 401,
		"127.0.0.1": 401, "@": 401, "": 401,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = addr
		r.Header.Set("Remote-User", "spqr1")
		w := httptest.NewRecorder()
		people.Require(http.HandlerFunc(echo)).ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, addr)
	}
}
