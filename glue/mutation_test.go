package glue_test

import (
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mutations gives everything that differs from text in one place: every bit flipped, every
// byte removed, doubled, and replaced by each of some special characters, a letter, a
// digit and NUL.
func mutations(text string) iter.Seq[string] {
	const others = "!%&=+,-._0A\x00"
	return func(yield func(string) bool) {
		for i := range len(text) {
			with := func(middle ...byte) bool {
				mutant := string(slices.Concat([]byte(text[:i]), middle, []byte(text[i+1:])))
				return mutant == text || yield(mutant)
			}
			for bit := range 8 {
				if !with(text[i] ^ 1<<bit) {
					return
				}
			}
			if !with() || !with(text[i], text[i]) {
				return
			}
			for _, other := range []byte(others) {
				if !with(other) {
					return
				}
			}
		}
	}
}

// No change whatever of a cookie leaves anybody logged in, least of all as somebody else.
func TestEveryMutationOfACookieIsAnonymous(t *testing.T) {
	w := newAttackWorld(t, nil)
	w.run([]string{"victim asks /private/", "victim types", "victim returns"})
	site, handler := w.server("soc"), w.server("soc").auth.Require(echo)
	session, _ := w.people["victim"].jar.find("session")
	login, _ := w.people["victim"].jar.find("login")
	who := func(session, login string) string {
		r := httptest.NewRequest(http.MethodGet, site.base+"/private/", nil)
		r.Header["Cookie"] = []string{session + "; " + login} // AddCookie would put some of them right
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		return seenBy(answer{Response: rec.Result(), Body: rec.Body.String()})
	}
	require.Equal(t, victimID, who(session.name+"="+session.value, login.name+"="+login.value))

	tried := 0
	for mutant := range mutations(session.value) {
		tried++
		require.Empty(t, who(session.name+"="+mutant, login.name+"="+login.value), "session %q", mutant)
	}
	t.Logf("%d mutations of a session cookie of %d bytes are anonymous", tried, len(session.value))
	assert.Greater(t, tried, 15*len(session.value))

	tried = 0
	for mutant := range mutations(login.value) {
		tried++
		require.Empty(t, who(session.name+"="+session.value, login.name+"="+mutant), "login %q", mutant)
	}
	t.Logf("%d mutations of a login cookie of %d bytes are anonymous", tried, len(login.value))
	assert.Greater(t, tried, 15*len(login.value))
}
