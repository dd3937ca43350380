package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A plus sign in a path reaches the backend as it was sent, after a login too.
func TestPlusInPaths(t *testing.T) {
	rules := []Rule{
		{Path: "/", Access: Public},
		{Path: "/c++", Access: Login},
		{Path: "/two words", Access: Login},
		{Path: "/private", Access: Login},
		{Path: "/app", Access: Public, Scripts: []string{"g++"}},
		{Path: "/app/deep", Access: Login},
	}
	for _, ignoreCase := range []bool{false, true} {
		w := newWorld(t, kit{rules: rules, config: func(cfg *Config) { cfg.IgnoreCase = ignoreCase }})
		for _, row := range []struct {
			name, path string
			status     int
			user       string
			encoded    bool // it would not be clear otherwise
		}{
			{"raw", "/a+b", 200, "", false},
			{"encoded", "/a%2Bb", 200, "", false},
			{"both", "/a+b%2Bc", 200, "", false},
			{"in a query too", "/a+b?c+d=%2B", 200, "", false},
			{"a rule with one", "/c++/x", 200, "test0001", true},
			{"a rule with one, encoded", "/c%2B%2B/x", 200, "test0001", false},
			{"below a login", "/private/a+b%2Bc", 200, "test0001", false},
			{"a blank of another rule to some programs", "/two+words", 200, "", true},
			{"a blank that Windows drops", "/private+/x", 200, "", true},
			{"a script's name that begins with one", "/app/g++/deep", 400, "", false},
			{"a script's name that begins with one, encoded", "/app/g%2B%2B/deep", 400, "", false},
		} {
			t.Run(row.name, func(t *testing.T) {
				w.backend.reset()
				answer := w.visitor("test0001").get(row.path)
				require.Equal(t, row.status, answer.StatusCode, answer.body)
				if row.status != http.StatusOK {
					assert.Empty(t, w.backend.take())
					return
				}
				got := w.backend.one(t)
				want := row.path
				if row.encoded {
					want = strings.ReplaceAll(row.path, "+", "%2B")
				}
				assert.Equal(t, want, got.Target)
				assert.Equal(t, row.user, got.user())
				assert.Equal(t, row.path, strings.TrimPrefix(answer.Request.URL.String(), w.url), "where the browser is in the end")
			})
		}
	}
}

// A front server passes on what it was sent: what a stricter rule might be for is refused.
func TestPlusAtFront(t *testing.T) {
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies = true, []netip.Prefix{loopback}
		cfg.Rules = append(everyAccess(t), Rule{Path: "/two words", Access: Login}, Rule{Path: "/c++", Access: Login}, Rule{Path: "/", Access: Public})
	}})
	nobody, person := w.visitor(""), w.visitor("test0001")
	person.login(t)
	for _, row := range []struct {
		name, uri      string
		nobody, person int
	}{
		{"within one rule", "/public/a+b", 200, 200},
		{"encoded", "/two%2Bwords", 200, 200},
		{"a blank of another rule to some programs", "/two+words", 403, 403},
		{"a rule with one, which asks more", "/c++/x", 401, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, row.nobody, nobody.get(authPath, about("GET", row.uri)).StatusCode)
			assert.Equal(t, row.person, person.get(authPath, about("GET", row.uri)).StatusCode)
		})
	}
}
