package site_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestForwardingHeadersAreRemoved(t *testing.T) {
	removed := []string{
		"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server",
		"X-Forwarded-Ssl", "X-Forwarded-Scheme", "X-Forwarded-Client-Cert", "X-Forwarded-Anything", "X-Forwarded", "Forwarded", "Forwarded-For",
		"X-Real-Ip", "X-Client-Ip", "Client-Ip", "True-Client-Ip", "X-Cluster-Client-Ip", "Cf-Connecting-Ip", "Cf-Visitor",
		"Fastly-Client-Ip", "X-Envoy-External-Address", "X-Azure-ClientIP", "X-Appengine-User-Ip", "X-Nf-Client-Connection-Ip",
		"X-Original-Url", "X-Original-Host", "X-Original-Forwarded-For", "X-Rewrite-Url", "X-Host", "Front-End-Https", "X-Url-Scheme",
		"Script-Name", "Path-Info", "X-Script-Name", "X-Http-Method-Override", "X-Method-Override", "X-Accel-Mapping", "X-Sendfile-Type", "Proxy",
	}
	for _, name := range removed {
		for _, spelled := range []string{
			name, strings.ToLower(name), strings.ToUpper(name),
			strings.ReplaceAll(name, "-", "_"), strings.ToLower(strings.ReplaceAll(name, "-", "_")),
			strings.Replace(name, "-", "_", 1), strings.ReplaceAll(name, "-", "."),
		} {
			r := get("10.0.0.1:1", [2]string{"Accept", "text/html"}, [2]string{"Accept", "text/plain"})
			// As a server that does not put names in their usual form would leave it.
			r.Header[spelled] = []string{"198.51.100.66"}
			before := r.Header.Clone()
			seen, _ := send(t, site.Config{BaseURL: base}, r)
			require.NotNil(t, seen)
			assert.Equal(t, http.Header{"Accept": {"text/html", "text/plain"}}, seen.Header, spelled)
			assert.Equal(t, before, r.Header, "the request that came in is left alone")
		}
	}
}

func TestOtherHeadersStay(t *testing.T) {
	kept := http.Header{}
	for _, name := range []string{
		"Accept", "Cookie", "Authorization", "Origin", "Referer", "Sec-Fetch-Site", "Via", "X-Requested-With", "X-Xsrf-Token", "X-Request-Id",
		"X-Forward", "X-Forwarder", "Forwarde", "X-Realm", "X-Original", "Client-Ip-Hint", "Host-Hint", "Traceparent",
		"X-Real-Ip-" + strings.Repeat("x", 40), strings.Repeat("y", 200), "",
	} {
		kept[name] = []string{"a", "b"}
	}
	r := get("10.0.0.1:1")
	r.Header = kept.Clone()
	seen, _ := send(t, site.Config{BaseURL: base}, r)
	require.NotNil(t, seen)
	assert.Equal(t, kept, seen.Header)
}

// TestOtherSpellings: what is believed under its own name comes in no other.
func TestOtherSpellings(t *testing.T) {
	own := []string{"Content-Length", "Transfer-Encoding", "Cookie", "Origin", "Sec-Fetch-Site", "Authorization", "Host"}
	r := get("10.0.0.1:1")
	r.Header = http.Header{}
	for _, name := range own {
		for _, spelled := range []string{name, strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(name, "-", "."), "Http_" + name, "Http-" + name, "HTTP_" + strings.ToUpper(name)} {
			r.Header[spelled] = []string{"1"}
		}
	}
	seen, _ := send(t, site.Config{BaseURL: base}, r)
	require.NotNil(t, seen)
	left := []string{}
	for name := range seen.Header {
		left = append(left, name)
	}
	assert.ElementsMatch(t, own, left)
}

// TestIdentityStays: who somebody is, is for whoever knows whom to believe.
func TestIdentityStays(t *testing.T) {
	for _, name := range []string{"Remote-User", "X-Aaprincipal", "Oidc-Claim-Sub", "Ssl-Client-Cert", "Auth-User", "X-User"} {
		seen, _ := send(t, site.Config{BaseURL: base}, get("10.0.0.1:1", [2]string{name, "spqr1"}))
		assert.Equal(t, "spqr1", seen.Header.Get(name), name)
	}
}

func TestPassHeaders(t *testing.T) {
	var removed []string
	cfg := site.Config{
		BaseURL: base, PassHeaders: []string{"x-http-method-override", "X-Forwarded-Prefix"},
		OnRemoved: func(r *http.Request, name string) { removed = append(removed, name+": "+r.Header[name][0]) },
	}
	r := get("10.0.0.1:1")
	r.Header = http.Header{
		"X-Http-Method-Override": {"PUT"}, "X_http_method_override": {"a"}, "X-Http-Method": {"b"}, "X-Forwarded-Prefix": {"/x"}, "X-Forwarded-For": {"c"}, "Script_name": {"d"}, "Accept": {"e"},
	}
	seen, _ := send(t, cfg, r)
	require.NotNil(t, seen)
	assert.Equal(t, http.Header{"X-Http-Method-Override": {"PUT"}, "X-Forwarded-Prefix": {"/x"}, "Accept": {"e"}}, seen.Header)
	assert.ElementsMatch(t, []string{"X_http_method_override: a", "X-Http-Method: b", "X-Forwarded-For: c", "Script_name: d"}, removed)

	for _, name := range []string{"Remote-User", "Content_Length", "SCRIPT_NAME", "Cookie", "X-Requested-With", "X-Forwarded-User", "", "a b"} {
		_, err := site.New(site.Config{BaseURL: base, PassHeaders: []string{name}})
		assert.ErrorContains(t, err, "site: Config.PassHeaders: ", name)
	}
}
