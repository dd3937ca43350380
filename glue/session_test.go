package glue_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// life makes the fake say how long its session lasts.
func life(seconds int) webauthtest.Outcome {
	return webauthtest.Outcome{Edit: func(r *wls.Response) { r.Life = &seconds }}
}

func TestSessionEnds(t *testing.T) { eachKind(t, testSessionEnds) }

func testSessionEnds(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name    string
		session glue.Session
		wls     webauthtest.Outcome
		lasts   time.Duration
	}{
		{"by default", glue.Session{}, webauthtest.Outcome{}, 2 * time.Hour},
		{"after MaxLife", glue.Session{MaxLife: 10 * time.Minute}, webauthtest.Outcome{}, 10 * time.Minute},
		{"after the least MaxLife", glue.Session{MaxLife: time.Minute}, webauthtest.Outcome{}, time.Minute},
		{"no later than the session of the WLS", glue.Session{}, life(300), 5 * time.Minute},
		{"no earlier because that is longer", glue.Session{}, life(36000), 2 * time.Hour},
		{"after a minute at least", glue.Session{}, life(59), time.Minute},
		{"after a minute where life is 0", glue.Session{}, life(0), time.Minute},
		{"after a minute where life is negative", glue.Session{}, life(-1), time.Minute},
		{"by default where life is empty", glue.Session{}, webauthtest.Outcome{Quirks: []webauthtest.Quirk{webauthtest.QuirkLifeEmpty}}, 2 * time.Hour},
		{"after MaxLife where the WLS's is ignored", glue.Session{IgnoreWLSLife: true}, life(0), 2 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, config: func(c *config) { c.Session = tt.session }})
			s.fake.Always(tt.wls)
			b := s.browser("test0001")
			id := b.get("/private/").requireEcho("test0001").Identity
			assert.Equal(t, testNow.Add(tt.lasts), id.Expires)
			s.advance(tt.lasts - time.Second)
			b.once("/private/").requireEcho("test0001")
			b.get("/optional").requireEcho("test0001")
			s.advance(time.Second)
			b.get("/optional").requireEcho("")
			if location := b.begin("/private/"); kind.name == byWLS.name {
				assert.Equal(t, "your session has ended, please log in again", fields(t, location).Get("msg"))
			}
			again := b.get("/private/").requireEcho("test0001").Identity
			assert.NotEqual(t, id.SessionID, again.SessionID)
		})
	}
}

func TestSessionExpiredMsg(t *testing.T) {
	s := startSite(t, setup{config: func(c *config) { c.Session.ExpiredMsg, c.Session.Inactivity = "too late", time.Hour },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			with(mux, auth, "/said", func(p *glue.Policy) { p.Msg = "because" })
			with(mux, auth, "/fresh", func(p *glue.Policy) { p.Fresh = time.Minute })
		},
	})
	b := s.browser("test0001")
	assert.Empty(t, fields(t, b.begin("/private/")).Get("msg"))
	b.get("/private/").requireEcho("test0001")
	s.advance(2 * time.Minute)
	assert.Empty(t, fields(t, b.begin("/fresh")).Get("msg"), "it has not ended")
	s.advance(time.Hour)
	assert.Equal(t, "too late", fields(t, b.begin("/private/")).Get("msg"), "idle")
	assert.Equal(t, "because", fields(t, b.begin("/said")).Get("msg"))
	s.advance(time.Hour)
	assert.Equal(t, "too late", fields(t, b.begin("/private/")).Get("msg"), "expired")
}

func TestSessionInactivity(t *testing.T) { eachKind(t, testSessionInactivity) }

func testSessionInactivity(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.Session.Inactivity = 10 * time.Minute }})
	b := s.loggedIn("test0001")
	session := b.cookie("session").Value
	noted := func(a answer) bool {
		a.requireEcho("test0001")
		var names []string
		for _, c := range a.Cookies() {
			names = append(names, c.Name)
		}
		if len(names) > 0 {
			assert.Equal(t, []string{cookieName(s, "seen")}, names)
		}
		return len(names) > 0
	}
	require.NotNil(t, b.cookie("seen"), "noted at login")
	assert.False(t, noted(b.get("/private/")))
	s.advance(59 * time.Second)
	assert.False(t, noted(b.get("/private/")), "at most once a minute")
	s.advance(time.Second)
	assert.True(t, noted(b.get("/private/")))
	assert.False(t, noted(b.get("/private/")))
	s.advance(10 * time.Minute)
	assert.True(t, noted(b.get("/optional")), "not longer than the limit; Optional counts as well")
	s.advance(10 * time.Minute)
	assert.True(t, noted(b.fetch("/private/")), "a script is a use")
	s.advance(10 * time.Minute)
	assert.Equal(t, s.url+"/", b.once("/login").location(), "and so is Login")
	s.advance(10 * time.Minute)
	assert.True(t, noted(b.get("/private/")))
	assert.Equal(t, session, b.cookie("session").Value, "written at login only")

	s.advance(10*time.Minute + time.Second)
	b.get("/optional").requireEcho("")
	assert.JSONEq(t, `{"error":"login_required","reason":"idle"}`, b.fetch("/private/").Body)
	b.begin("/private/")
	b.get("/private/").requireEcho("test0001")
}

// The note of last use belongs to one session: one that was kept from an earlier session
// keeps no later one alive.
func TestSessionInactivityIsBoundToTheSession(t *testing.T) {
	eachKind(t, testSessionInactivityIsBoundToTheSession)
}

func testSessionInactivityIsBoundToTheSession(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.Session.Inactivity = 10 * time.Minute }})
	b, other := s.loggedIn("test0001"), s.loggedIn("test0002")
	s.advance(9 * time.Minute)
	other.get("/private/").requireEcho("test0002")
	s.advance(2 * time.Minute)
	b.setCookie(cookieName(s, "seen"), other.cookie("seen").Value)
	b.begin("/private/")

	other.dropCookies("seen")
	other.begin("/private/") // without the note it was used at login only
	other.setCookie(cookieName(s, "seen"), "nonsense")
	other.begin("/private/")
}

func TestSessionWithoutInactivity(t *testing.T) { eachKind(t, testSessionWithoutInactivity) }

func testSessionWithoutInactivity(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	assert.Nil(t, b.cookie("seen"))
	s.advance(119 * time.Minute)
	assert.Empty(t, b.get("/private/").Cookies())
}

func TestSessionHasANewIDAtEachLogin(t *testing.T) { eachKind(t, testSessionHasANewIDAtEachLogin) }

func testSessionHasANewIDAtEachLogin(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: adminRoute})
	b := s.browser("test0001")
	ids := map[string]bool{}
	for range 5 {
		ids[b.get("/admin").requireEcho("test0001").Identity.SessionID] = true
		s.advance(6 * time.Minute)
	}
	assert.Len(t, ids, 5)
}

func TestSessionTooLargeForACookie(t *testing.T) {
	s := startSite(t, setup{})
	tags := []string{"current"}
	for i := range 300 {
		tags = append(tags, fmt.Sprintf("group-%08d", i))
	}
	s.fake.AddUser(webauthtest.User{ID: "busy1", Password: "x", Ptags: tags})
	b := s.browser("busy1")
	a := b.get("/private/").requirePage(http.StatusInternalServerError, "misconfigured")
	assert.Empty(t, a.Header.Get("Retry-After"), "it will not get better")
	assert.EqualValues(t, "session-too-large", s.lastEvent(glue.EventStoreError).Reason)
	assert.Nil(t, b.cookie("session"))
}

type change struct{ from, to, path string }

// changes collects what OnPersonChange is told.
func changes(all *[]change) func(c *config) {
	return func(c *config) {
		c.OnPersonChange = func(w http.ResponseWriter, r *http.Request, from, to glue.Identity) {
			*all = append(*all, change{from.Principal, to.Principal, r.URL.Path})
			w.Header().Set("X-Changed", "yes")
		}
	}
}

func TestOnPersonChange(t *testing.T) { eachKind(t, testOnPersonChange) }

func testOnPersonChange(t *testing.T, kind kind) {
	var got []change
	s := startSite(t, setup{kind: kind, config: changes(&got), routes: adminRoute})
	b := s.browser("test0001")
	as := func(user, path string) answer { return b.once(s.respond(b.begin(path), user)) }

	as("test0001", "/private/a")
	assert.Empty(t, got, "from nobody to somebody")
	b.get("/private/a").requireEcho("test0001")
	s.advance(6 * time.Minute)
	as("test0001", "/admin")
	assert.Empty(t, got, "the same person again")

	s.advance(6 * time.Minute)
	assert.Equal(t, "yes", as("test0002", "/admin").Header.Get("X-Changed"))
	assert.Equal(t, []change{{"test0001", "test0002", s.fake.arrives("/admin")}}, got)
	s.advance(3 * time.Hour)
	as("test0003", "/private/b")
	assert.Equal(t, change{"test0002", "test0003", s.fake.arrives("/private/b")}, got[1], "although the session had ended")

	b.post("/logout", nil).requirePage(http.StatusOK, "logged-out")
	assert.Equal(t, change{"test0003", "", "/logout"}, got[2])
	b.post("/logout", nil).requirePage(http.StatusOK, "not-logged-in")
	assert.Len(t, got, 3, "nobody was logged in")
}

// An application keeps things of a person until it is told, so logging out says so even
// where the session has ended by itself.
func TestOnPersonChangeAtLogoutOfAnEndedSession(t *testing.T) {
	eachKind(t, testOnPersonChangeAtLogoutOfAnEndedSession)
}

func testOnPersonChangeAtLogoutOfAnEndedSession(t *testing.T, kind kind) {
	var got []change
	s := startSite(t, setup{kind: kind, config: changes(&got)})
	b := s.loggedIn("test0001")
	s.advance(3 * time.Hour)
	b.post("/logout", nil)
	assert.Equal(t, []change{{"test0001", "", "/logout"}}, got)
}

// newSecret makes a secret of these lines, or of a new one.
func newSecret(t testing.TB, lines ...string) *site.Secret {
	t.Helper()
	if lines == nil {
		lines = []string{rand.Text() + rand.Text()}
	}
	secret, err := site.ParseSecret(strings.Join(lines, "\n"))
	require.NoError(t, err)
	return secret
}

func TestSetSecret(t *testing.T) { eachKind(t, testSetSecret) }

func testSetSecret(t *testing.T, kind kind) {
	line := func() string { return rand.Text() + rand.Text() }
	first, second, third := line(), line(), line()
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.Secret = first }})
	s.hide(first, second, third)
	old := s.loggedIn("test0001")
	flying := s.browser("test0002")
	back := s.respond(flying.begin("/private/"), "test0002")
	late := s.browser("test0003")
	lateBack := s.respond(late.begin("/private/"), "test0003")

	require.NoError(t, s.auth.Site().SetSecret(newSecret(t, second, first)))
	old.once("/private/").requireEcho("test0001")
	flying.get(back).requireEcho("test0002")
	young := s.loggedIn("test0004")

	require.NoError(t, s.auth.Site().SetSecret(newSecret(t, third, second)))
	young.once("/private/").requireEcho("test0004")
	flying.once("/private/").requireEcho("test0002") // its session was made with the second
	old.begin("/private/")
	late.get(lateBack).requirePage(http.StatusForbidden, "refused")

	require.Error(t, s.auth.Site().SetSecret(&site.Secret{}), "no keys")
	young.once("/private/").requireEcho("test0004")
}

// Requests and changes of the secret may come at once.
func TestSetSecretWhileRequestsGoOn(t *testing.T) { eachKind(t, testSetSecretWhileRequestsGoOn) }

func testSetSecretWhileRequestsGoOn(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	secret := newSecret(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			assert.NoError(t, s.auth.Site().SetSecret(secret))
		}
	}()
	b := s.browser("test0001")
	for range 20 {
		_, err := b.try(http.MethodGet, s.url+"/private/", nil, nil)
		assert.NoError(t, err)
	}
	<-done
	s.loggedIn("test0002")
}

func TestReloadSecret(t *testing.T) { eachKind(t, testReloadSecret) }

func testReloadSecret(t *testing.T, kind kind) {
	file := filepath.Join(t.TempDir(), "secret")
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.Secret, c.SecretFile = "", file }})
	b := s.loggedIn("test0001")
	old, err := os.ReadFile(file)
	require.NoError(t, err)
	s.hide(strings.TrimSpace(string(old)))

	added := rand.Text() + rand.Text() + "\n"
	require.NoError(t, os.WriteFile(file, append([]byte(added), old...), 0o600))
	require.NoError(t, s.auth.Site().ReloadSecret())
	b.once("/private/").requireEcho("test0001")
	young := s.loggedIn("test0002")

	require.NoError(t, os.WriteFile(file, []byte("change me\n"), 0o600))
	require.ErrorContains(t, s.auth.Site().ReloadSecret(), "line 1 is a placeholder")
	b.once("/private/").requireEcho("test0001") // the old one stays in force

	require.NoError(t, os.WriteFile(file, []byte(added), 0o600))
	require.NoError(t, s.auth.Site().ReloadSecret())
	young.once("/private/").requireEcho("test0002")
	b.begin("/private/")

	require.ErrorContains(t, startSite(t, setup{kind: kind}).auth.Site().ReloadSecret(), "there is no Config.SecretFile")
}

func TestIdentityInContext(t *testing.T) {
	_, ok := glue.IdentityFrom(context.Background())
	assert.False(t, ok)
	given := glue.Identity{Principal: "spqr1", Ptags: []string{"current"}}
	id, ok := glue.IdentityFrom(glue.WithIdentity(context.Background(), given))
	assert.True(t, ok)
	assert.Equal(t, given, id)
}
