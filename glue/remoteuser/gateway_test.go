package remoteuser_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newGateway is a front server as small as one can be: it takes the person from a query
// parameter, where a real one would have a session. A careless one passes on the header
// that a client sent where it knows nobody.
func newGateway(t *testing.T, b *backend, careless bool, transport http.RoundTripper) *httptest.Server {
	t.Helper()
	target, err := url.Parse("http://backend")
	require.NoError(t, err)
	if transport == nil {
		target, err = url.Parse(b.url)
		require.NoError(t, err)
	}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.SetXForwarded()
		p.Out.Host = p.In.Host
		if !careless {
			p.Out.Header.Del("Remote-User")
		}
		if who := p.In.URL.Query().Get("who"); who != "" {
			p.Out.Header.Set("Remote-User", who)
		}
	}}
	gateway := httptest.NewServer(proxy)
	t.Cleanup(gateway.Close)
	return gateway
}

func ask(t *testing.T, address string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(t, err)
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	return readAnswer(t, resp)
}

func TestBehindAGateway(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Lookup = lookup }})
	g := newGateway(t, b, false, nil)
	a := ask(t, g.URL+"/?who=spqr1", nil)
	require.Equal(t, http.StatusOK, a.StatusCode)
	assert.Equal(t, "the user spqr1 by remote-user", a.seen.User)
	assert.Equal(t, http.StatusUnauthorized, ask(t, g.URL+"/", nil).StatusCode)
	assert.Equal(t, http.StatusForbidden, ask(t, g.URL+"/?who=gone1", nil).StatusCode)

	for name, header := range map[string]http.Header{
		"the header":                {"Remote-User": {"root"}},
		"with an underscore":        {"Remote_user": {"root"}},
		"in capitals":               {"REMOTE-USER": {"root"}},
		"with a dot":                {"Remote.user": {"root"}},
		"a variable's name":         {"Http_remote_user": {"root"}},
		"twice":                     {"Remote-User": {"root", "root"}},
		"hop by hop":                {"Connection": {"Remote-User"}, "Remote-User": {"root"}},
		"hop by hop, an underscore": {"Connection": {"Remote_User"}, "Remote_user": {"root"}},
		"a sibling":                 {"X-Forwarded-User": {"root"}, "X-Aaprincipal": {"root"}},
		"an address":                {"X-Forwarded-For": {"127.0.0.1"}, "Remote_user": {"root"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusUnauthorized, ask(t, g.URL+"/", header).StatusCode)
			a := ask(t, g.URL+"/optional", header)
			assert.False(t, a.seen.Known)
			assertNoIdentityHeaders(t, withoutAddress(a.seen.Header), "")
			// Beside the gateway's own word it is at most a contradiction.
			if a := ask(t, g.URL+"/?who=spqr1", header); a.StatusCode == http.StatusOK {
				assert.Equal(t, "spqr1", a.seen.Identity.Principal)
			}
		})
	}
}

func withoutAddress(h http.Header) http.Header {
	h.Del("X-Forwarded-For")
	return h
}

// A front server that passes on what clients send makes everybody anybody; but a backend
// that it does not speak for is not fooled, and neither by other spellings.
func TestBehindACarelessGateway(t *testing.T) {
	b := newBackend(t, setup{})
	g := newGateway(t, b, true, nil)
	assert.Equal(t, "root", ask(t, g.URL+"/", http.Header{"Remote-User": {"root"}}).seen.Identity.Principal, "as the documentation warns")
	assert.Equal(t, http.StatusUnauthorized, ask(t, g.URL+"/", http.Header{"Remote_user": {"root"}}).StatusCode)

	b = newBackend(t, setup{config: func(c *config) { c.Peers = []netip.Prefix{nowhere} }})
	g = newGateway(t, b, true, nil)
	assert.Equal(t, http.StatusUnauthorized, ask(t, g.URL+"/", http.Header{"Remote-User": {"root"}}).StatusCode)
}

func TestBehindAGatewayByUnixSocket(t *testing.T) {
	t.Chdir(t.TempDir())
	l, err := net.Listen("unix", "s")
	require.NoError(t, err)
	b := newBackend(t, setup{listener: l, config: func(c *config) { c.Peers, c.UnixSocket = nil, true }})
	g := newGateway(t, b, false, &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", "s") }})
	assert.Equal(t, "spqr1", ask(t, g.URL+"/?who=spqr1", nil).seen.Identity.Principal)
	assert.Equal(t, http.StatusUnauthorized, ask(t, g.URL+"/", http.Header{"Remote-User": {"root"}}).StatusCode)
}

// Inside of site.Handler the client's own address is known, for the log and the limits.
func TestInsideOfASite(t *testing.T) {
	b := newBackend(t, setup{inside: true, config: func(c *config) { c.Password = onePassword }})
	attack := func(from string) int {
		return b.raw("/", "X-Forwarded-For: "+from, basicAuth("x"+from, "x")).StatusCode
	}
	for range 20 {
		require.Equal(t, http.StatusUnauthorized, attack("192.0.2.1"))
	}
	assert.Equal(t, http.StatusTooManyRequests, attack("192.0.2.1"))
	assert.Equal(t, http.StatusUnauthorized, attack("192.0.2.2"))
	assert.Contains(t, b.logged(), `"client":"192.0.2.1"`)
	assert.Equal(t, "spqr1", b.raw("/", "Remote-User: spqr1").seen.Identity.Principal)
}
