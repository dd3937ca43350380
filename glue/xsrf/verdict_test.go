package xsrf_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// verdicts has a line for every Sec-Fetch-Site and Origin, and in it a letter for every
// combination of session cookie, bearer and token:
//
//	session cookie  no  no  no  no  no  no  yes yes yes yes yes yes
//	bearer          no  no  no  yes yes yes no  no  no  yes yes yes
//	token           -   ok  bad -   ok  bad -   ok  bad -   ok  bad
//
//	.  let through      x  cross-origin     m  token-missing     n  token-not-valid
const verdicts = `
absent       absent        m . n  . . .  m . n  m . n
absent       same          m . n  . . .  m . n  m . n
absent       other-port    x x x  . . .  x x x  x x x
absent       other-scheme  x x x  . . .  x x x  x x x
absent       null          x x x  . . .  x x x  x x x
same-origin  absent        m . n  . . .  m . n  m . n
same-origin  same          m . n  . . .  m . n  m . n
same-origin  other-port    m . n  . . .  m . n  m . n
same-origin  other-scheme  m . n  . . .  m . n  m . n
same-origin  null          m . n  . . .  m . n  m . n
same-site    absent        x x x  . . .  x x x  x x x
same-site    same          x x x  . . .  x x x  x x x
same-site    other-port    x x x  . . .  x x x  x x x
same-site    other-scheme  x x x  . . .  x x x  x x x
same-site    null          x x x  . . .  x x x  x x x
cross-site   absent        x x x  . . .  x x x  x x x
cross-site   same          x x x  . . .  x x x  x x x
cross-site   other-port    x x x  . . .  x x x  x x x
cross-site   other-scheme  x x x  . . .  x x x  x x x
cross-site   null          x x x  . . .  x x x  x x x
none         absent        m . n  . . .  m . n  m . n
none         same          m . n  . . .  m . n  m . n
none         other-port    m . n  . . .  m . n  m . n
none         other-scheme  m . n  . . .  m . n  m . n
none         null          m . n  . . .  m . n  m . n
`

// A same-origin or none in Sec-Fetch-Site is the browser's own word, which pages cannot
// set; Origin beside it adds nothing (it is "null" on pages without a referrer).

func TestEveryCombinationHasItsVerdict(t *testing.T) {
	s := newSite(t)
	sites := []string{"absent", "same-origin", "same-site", "cross-site", "none"}
	origins := map[string]string{
		"absent": "", "same": s.url, "null": "null", "other-port": "http://localhost:1",
		"other-scheme": strings.Replace(s.url, "http:", "https:", 1),
	}
	want := map[string]string{".": "", "x": "cross-origin", "m": "token-missing", "n": "token-not-valid"}
	person, visitor := s.login(t, "test0001"), s.visit(t)
	lines, tried := map[string]bool{}, 0
	for line := range strings.Lines(strings.TrimSpace(verdicts)) {
		f := strings.Fields(line)
		require.Len(t, f, 14, line)
		require.Contains(t, sites, f[0])
		require.Contains(t, origins, f[1])
		lines[f[0]+" "+f[1]] = true
		for i, letter := range f[2:] {
			who := visitor
			if i >= 6 {
				who = person
			}
			bearer, token := i/3%2 == 1, []string{"", who.token(t), s.foreignToken(t)}[i%3]
			name := fmt.Sprintf("%s/%s/cookie=%t/bearer=%t/token=%d", f[0], f[1], i >= 6, bearer, i%3)
			t.Run(name, func(t *testing.T) {
				req := who.request(t, http.MethodPost, "/change")
				setOrDelete(req, "Sec-Fetch-Site", strings.TrimSuffix(f[0], "absent"))
				setOrDelete(req, "Origin", origins[f[1]])
				setOrDelete(req, "X-XSRF-Token", token)
				if bearer {
					req.Header.Set("Authorization", "bearer abc")
				}
				require.Contains(t, want, letter)
				assert.Equal(t, want[letter], s.verdict(t, req))
			})
			tried++
		}
	}
	assert.Len(t, lines, len(sites)*len(origins), "every combination has a line")
	assert.Equal(t, 300, tried)
}

func setOrDelete(r *http.Request, name, value string) {
	if r.Header.Del(name); value != "" {
		r.Header.Set(name, value)
	}
}
