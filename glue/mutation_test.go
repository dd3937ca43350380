package glue_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

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
	for mutant := range webauthtest.Mutations(session.value) {
		tried++
		require.Empty(t, who(session.name+"="+mutant, login.name+"="+login.value), "session %q", mutant)
	}
	t.Logf("%d mutations of a session cookie of %d bytes are anonymous", tried, len(session.value))
	assert.Greater(t, tried, 15*len(session.value))

	tried = 0
	for mutant := range webauthtest.Mutations(login.value) {
		tried++
		require.Empty(t, who(session.name+"="+session.value, login.name+"="+mutant), "login %q", mutant)
	}
	t.Logf("%d mutations of a login cookie of %d bytes are anonymous", tried, len(login.value))
	assert.Greater(t, tried, 15*len(login.value))
}
