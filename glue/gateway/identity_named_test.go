package gateway

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// namedHeaders are those that these tests choose: of names that the table knows, and of
// one that it does not.
var namedHeaders = Identity{Send: []string{}, Principal: "X-WEBAUTH-USER", Ptags: "X-College-Status", Groups: "Remote-Groups"}

// namedRules are rules of each kind with groups; /here is for this machine.
func namedRules(t testing.TB) []Rule {
	file := writeFile(t, "groups", "zoo: test0001\neditors: test0001 bob\nempty:\nadmins: test0002\neditors: test0001\n")
	rules := everyAccess(t)
	for i := range rules {
		if rules[i].Access != Public && rules[i].Path != "/private" {
			rules[i].GroupFile = file
		}
	}
	return rules
}

// TestNamedHeaders: backends learn it from headers of any name, and nobody else says so.
func TestNamedHeaders(t *testing.T) {
	w := newWorld(t, kit{rules: namedRules(t), config: func(cfg *Config) { cfg.Identity = namedHeaders }})
	person, other, nobody := w.loggedIn("test0001"), w.loggedIn("test0002"), w.visitor("")
	for _, row := range []struct {
		name, path, user, ptags, groups string
		v                               *visitor
		edit                            func(*http.Request)
	}{
		{name: "with groups, in order", path: "/optional", v: person, user: "test0001", ptags: "current", groups: "editors,zoo"},
		{name: "one group", path: "/named", v: other, user: "test0002", ptags: "current", groups: "admins"},
		{name: "a rule without a group file", path: "/private/", v: person, user: "test0001", ptags: "current"},
		{name: "nobody, where one may be", path: "/optional", v: nobody},
		{name: "public", path: "/public", v: person},
		{name: "by password", path: "/basic", v: nobody, user: "bob", groups: "editors", edit: withPassword("bob", "sesame")},
	} {
		t.Run(row.name, func(t *testing.T) {
			edits := []func(*http.Request){func(r *http.Request) {
				if row.edit != nil {
					row.edit(r)
				}
			}}
			for _, n := range namedHeaders.named() {
				for _, spelled := range spellings(n.name) {
					edits = append(edits, header(spelled, "forged"))
				}
			}
			require.Equal(t, http.StatusOK, row.v.get(row.path, edits...).StatusCode)
			got := w.backend.one(t).Header
			for name, want := range map[string]string{"X-Webauth-User": row.user, "X-College-Status": row.ptags, "Remote-Groups": row.groups} {
				var values []string
				if want != "" {
					values = []string{want}
				}
				assert.Equal(t, values, got[name], name)
			}
			assert.Empty(t, got["Remote-User"], "it was not asked for")
			requireNotTold(t, got, "none", "forged")
		})
	}
}

// spellings are those that some program takes for a name.
func spellings(name string) []string {
	var all []string
	for _, sep := range []string{"-", "_", ".", "!", "~"} {
		spelled := strings.ReplaceAll(name, "-", sep)
		all = append(all, spelled, strings.ToLower(spelled), strings.ToUpper(spelled), "Http-"+spelled, "HTTP_"+spelled)
	}
	return all
}

// TestNamedTrailers: what backends believe comes in no trailer.
func TestNamedTrailers(t *testing.T) {
	w := newWorld(t, kit{
		config: func(cfg *Config) { cfg.Identity = Identity{Ptags: "X-College-Status"} },
		handler: func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Trailer", "X-Sum, X-College-Status")
			_, _ = io.WriteString(rw, "text")
			_ = http.NewResponseController(rw).Flush()
			for _, name := range []string{"X-Sum", "X-College-Status", http.TrailerPrefix + "X-College_Status"} {
				rw.Header().Set(name, "42")
			}
		},
	})
	assert.Equal(t, http.Header{"X-Sum": {"42"}}, w.visitor("").get("/public").Trailer)
}

// TestForwardAuthNamed: a front server is told all of it, if only that there is nothing, and
// passes on no other spelling.
func TestForwardAuthNamed(t *testing.T) {
	w := newWorld(t, kit{rules: namedRules(t), config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies, cfg.Identity = true, []netip.Prefix{loopback}, namedHeaders
	}})
	person, nobody := w.visitor("test0001"), w.visitor("")
	person.login(t)
	for _, row := range []struct {
		v    *visitor
		want [3]string
	}{{person, [3]string{"test0001", "current", "editors,zoo"}}, {nobody, [3]string{}}} {
		answer := row.v.get(authPath, about("GET", "/optional"))
		require.Equal(t, http.StatusOK, answer.StatusCode)
		for i, name := range []string{"X-Webauth-User", "X-College-Status", "Remote-Groups"} {
			assert.Equal(t, []string{row.want[i]}, answer.Header[name], name)
		}
	}
	for _, n := range namedHeaders.named() {
		for _, spelled := range spellings(n.name) {
			want := http.StatusForbidden
			if headername.IsOwn(spelled) { // the front server replaces it
				want = http.StatusOK
			}
			answer := nobody.get(authPath, about("GET", "/optional"), header(spelled, "forged"))
			assert.Equal(t, want, answer.StatusCode, spelled)
			assert.NotContains(t, answer.Header[http.CanonicalHeaderKey(n.name)], "forged")
		}
	}
}

func TestIdentityName(t *testing.T) {
	for name, want := range map[string]string{
		"X-WEBAUTH-USER": "", "Remote-Groups": "", "X-Forwarded-User": "", "X-Forwarded-Groups": "", "X-Member": "", "Gap-Auth": "", "X-Email": "", "x-auth-request-user": "", "Username": "",
		"Tailscale-User-Login": "", "X-AAPrincipal": "", "Auth-Token": "",
		"Content-Length": "where a body ends", "Transfer-Encoding": "where a body ends", "Connection": "the connection", "Host": "site's hosts", "Cookie": "own cookies",
		"Authorization": "names and passwords", "Origin": "another site's page", "Destination": "second path", "X-Original-URL": "the path", "X-HTTP-Method-Override": "the method",
		"X-Forwarded-For": "front servers", "X-Forwarded-Proto": "front servers", "X-Real-IP": "client's address", "Proxy": "httpoxy", "X-Accel-Redirect": "Rack", "Sec-Fetch-Mode": "another site's page",
		"Set-Cookie": "to HTTP", "Cache-Control": "to HTTP", "Location": "to HTTP", "WWW-Authenticate": "to HTTP", "If-Match": "to HTTP", "Range": "to HTTP", "Vary": "to HTTP",
		"Access-Control-Allow-Origin": "to HTTP", "Content-Security-Policy": "to HTTP", "User-Agent": "to HTTP", "Retry-After": "to HTTP", "Strict-Transport-Security": "to HTTP",
		"X_User": "letters, digits and hyphens", "REMOTE_USER": "letters, digits", "Http-Remote-User": "letters", "X User": "letters", "é": "letters", "X-" + strings.Repeat("a", 63): "64 at most",
	} {
		err := headername.MayIdentify(name)
		if want == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, want, name)
	}
}
