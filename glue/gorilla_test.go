package glue_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

func storeKey() []byte { return securecookie.GenerateRandomKey(32) }

// inStore keeps the sessions of a site there.
func inStore(store sessions.Store) func(c *config) {
	return func(c *config) { c.Session.Store, c.SingleMachine = store, true }
}

// sessionFiles lists what a FilesystemStore holds.
func sessionFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "session_*"))
	require.NoError(t, err)
	return files
}

// A store of the gorilla ecosystem behaves like the sealed cookies.
func TestGorillaStores(t *testing.T) { eachKind(t, testGorillaStores) }

func testGorillaStores(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name  string
		store func(t *testing.T) sessions.Store
	}{
		{"CookieStore", func(*testing.T) sessions.Store { return sessions.NewCookieStore(storeKey()) }},
		{"CookieStore, encrypted", func(*testing.T) sessions.Store { return sessions.NewCookieStore(storeKey(), storeKey()) }},
		{"FilesystemStore", func(t *testing.T) sessions.Store { return sessions.NewFilesystemStore(t.TempDir(), storeKey()) }},
	} {
		for _, tls := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: " on https"}[tls], func(t *testing.T) {
				s := startSite(t, setup{kind: kind, tls: tls, config: inStore(tt.store(t)), routes: adminRoute})
				b := s.browser("test0001")
				first := b.get("/private/").requireEcho("test0001").Identity
				assert.Equal(t, glue.Identity{
					Principal: "test0001", Ptags: []string{"current"}, Auth: "pwd", Issue: testNow, Accepted: testNow, Password: testNow,
					Expires: testNow.Add(2 * time.Hour), Service: "fake", SessionID: first.SessionID, ResponseID: first.ResponseID,
					Subject: s.fake.subject("test0001"),
				}, first)
				assert.Equal(t, first, b.get("/optional").requireEcho("test0001").Identity)
				assert.Empty(t, b.once("/private/").Cookies(), "written at login only")
				session := b.cookie("session").Value

				s.advance(6 * time.Minute)
				second := b.get("/admin").requireEcho("test0001").Identity
				assert.NotEqual(t, first.SessionID, second.SessionID)
				assert.NotEqual(t, session, b.cookie("session").Value)

				s.advance(2 * time.Hour)
				b.get("/optional").requireEcho("")
				form := b.post("/private/", map[string][]string{"a": {"b"}})
				form.requirePage(http.StatusUnauthorized, "form-kept") // it is still known whose it is
				b.get("/private/").requireEcho("test0001")
				b.post("/logout", nil).requirePage(http.StatusOK, "logged-out")
				assert.Nil(t, b.cookie("session"))
				b.begin("/private/")

				b.setCookie(b.sessionName(), "nonsense") // is nobody's, and no error
				b.get("/optional").requireEcho("")
				b.setCookie(b.sessionName(), session) // nor is one from before
				b.get("/optional").requireEcho("")
			})
		}
	}
}

// sessionName is the name of the session's cookie, which the browser need not have.
func (b *browser) sessionName() string {
	if b.site.tls {
		return "__Host-wls-session"
	}
	return cookieName(b.site, "session")
}

func TestGorillaFilesystemStoreForgetsTheOldSession(t *testing.T) {
	eachKind(t, testGorillaFilesystemStoreForgetsTheOldSession)
}

func testGorillaFilesystemStoreForgetsTheOldSession(t *testing.T, kind kind) {
	dir := t.TempDir()
	s := startSite(t, setup{kind: kind, config: inStore(sessions.NewFilesystemStore(dir, storeKey())), routes: adminRoute})
	b := s.loggedIn("test0001")
	first := sessionFiles(t, dir)
	require.Len(t, first, 1)
	stolen := *b.cookie("session")

	s.advance(6 * time.Minute)
	b.get("/admin").requireEcho("test0001")
	second := sessionFiles(t, dir)
	require.Len(t, second, 1)
	assert.NotEqual(t, first, second)
	current := b.cookie("session").Value
	b.setCookie(stolen.Name, stolen.Value)
	b.get("/optional").requireEcho("")
	b.setCookie(stolen.Name, current)
	b.get("/optional").requireEcho("test0001")

	b.post("/logout", nil).requirePage(http.StatusOK, "logged-out")
	assert.Empty(t, sessionFiles(t, dir))

	// A session that the store has lost is no session, and no error.
	b.get("/private/").requireEcho("test0001")
	require.NoError(t, os.Remove(sessionFiles(t, dir)[0]))
	b.get("/optional").requireEcho("")
	b.get("/private/").requireEcho("test0001")
}

// Sites may share a store and its keys: a session is good for one service and one
// origin all the same.
func TestGorillaSessionElsewhereIsNoSession(t *testing.T) {
	store := sessions.NewCookieStore(storeKey())
	s := startSite(t, setup{})
	at := func(baseURL string, edit func(c *config)) http.Handler {
		cfg := s.config(baseURL)
		inStore(store)(&cfg)
		if edit != nil {
			edit(&cfg)
		}
		auth, err := newAuth(cfg)
		require.NoError(t, err)
		return auth.Require(echo)
	}
	here := at("https://soc.example", nil)
	there := roundTrip(here, "soc.example", "/")
	require.Equal(t, http.StatusSeeOther, there.StatusCode)
	back := s.respond(there.Header.Get("Location"), "test0001")
	in := roundTrip(here, "soc.example", strings.TrimPrefix(back, "https://soc.example"), there.Cookies()...)
	cookies := append(in.Cookies(), there.Cookies()...)
	assert.Equal(t, 3*3600, cookies[0].MaxAge, "an hour more than the session, for its forms")
	require.Equal(t, http.StatusOK, roundTrip(here, "soc.example", "/", cookies...).StatusCode)

	other := newFake(t).Service()
	for name, elsewhere := range map[string]*http.Response{
		"another origin":       roundTrip(at("https://www.soc.example", nil), "www.soc.example", "/", cookies...),
		"another service":      roundTrip(at("https://soc.example", func(c *config) { c.Service = other }), "soc.example", "/", cookies...),
		"another service name": roundTrip(at("https://soc.example", func(c *config) { c.wls(func(s *webauth.Service) { s.Name = "false" }) }), "soc.example", "/", cookies...),
	} {
		assert.Equal(t, http.StatusSeeOther, elsewhere.StatusCode, name)
	}
	anotherSecret := roundTrip(at("https://soc.example", nil), "soc.example", "/", cookies...)
	assert.Equal(t, http.StatusOK, anotherSecret.StatusCode, "the store has keys of its own")
}

// What stands in the store can be read by programs that list a person's sessions, and
// what others write there is no session.
func TestGorillaValues(t *testing.T) { eachKind(t, testGorillaValues) }

func testGorillaValues(t *testing.T, kind kind) {
	key := storeKey()
	store := sessions.NewCookieStore(key)
	s := startSite(t, setup{kind: kind, config: inStore(store)})
	b := s.loggedIn("test0001")
	name := b.cookie("session").Name
	good := b.cookie("session").Value
	read := func() map[any]any {
		values := map[any]any{}
		require.NoError(t, securecookie.DecodeMulti(name, good, &values, securecookie.CodecsFromPairs(key)...))
		return values
	}
	values := read()
	assert.Equal(t, "test0001", values[glue.ValuePrincipal])
	assert.Equal(t, testNow.Add(2*time.Hour).Unix(), values[glue.ValueExpires])
	for k, v := range values {
		assert.IsType(t, "", k)
		switch v.(type) {
		case string, int64:
		default:
			t.Errorf("%v is a %T", k, v)
		}
	}
	for about, edit := range map[string]func(v map[any]any){
		"nothing":         func(v map[any]any) { clear(v) },
		"no data":         func(v map[any]any) { delete(v, "data") },
		"data cut short":  func(v map[any]any) { v["data"] = v["data"].(string)[:20] },
		"a line too many": func(v map[any]any) { v["data"] = v["data"].(string) + "\n" },
		"no number": func(v map[any]any) {
			v["data"] = regexp.MustCompile(`\n\d+\n`).ReplaceAllString(v["data"].(string), "\nx\n")
		},
		"no principal": func(v map[any]any) { v["data"] = strings.Replace(v["data"].(string), "test0001", "", 1) },
		"an odd type":  func(v map[any]any) { v["data"] = 7 },
		"no realm":     func(v map[any]any) { delete(v, "realm") },
		"no expiry":    func(v map[any]any) { delete(v, glue.ValueExpires) },
	} {
		t.Run(about, func(t *testing.T) {
			s.in(t)
			v := read()
			edit(v)
			encoded, err := securecookie.EncodeMulti(name, v, securecookie.CodecsFromPairs(key)...)
			require.NoError(t, err)
			b.setCookie(name, encoded)
			b.get("/optional").requireEcho("")
			assert.Equal(t, http.StatusUnauthorized, b.fetch("/private/").StatusCode)
		})
	}
}

// brokenStore works until it is told to fail.
type brokenStore struct {
	sessions.Store
	failing, full atomic.Bool // a full one can be read
}

var errBroken = errors.New("connection refused")

func (st *brokenStore) New(r *http.Request, name string) (*sessions.Session, error) {
	if st.failing.Load() {
		return nil, errBroken
	}
	return st.Store.New(r, name)
}

func (st *brokenStore) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if st.failing.Load() || st.full.Load() {
		return errBroken
	}
	return st.Store.Save(r, w, s)
}

// A store that takes no writes cannot forget a session: this browser is out of it all the
// same, and told so.
func TestLogoutThatCannotBeStored(t *testing.T) { eachKind(t, testLogoutThatCannotBeStored) }

func testLogoutThatCannotBeStored(t *testing.T, kind kind) {
	store := &brokenStore{Store: sessions.NewFilesystemStore(t.TempDir(), storeKey())}
	var got []change
	s := startSite(t, setup{kind: kind, config: func(c *config) { inStore(store)(c); changes(&got)(c) }})
	b := s.loggedIn("test0001")
	store.full.Store(true)
	b.get("/private/").requireEcho("test0001")
	out := b.post("/logout", nil).requirePage(http.StatusServiceUnavailable, "unavailable")
	assert.Contains(t, out.Body, "You are logged out in this browser")
	assert.Equal(t, []change{{"test0001", "", "/logout"}}, got, "what the application keeps goes as well")
	assert.ErrorIs(t, s.lastEvent(glue.EventStoreError).Err, errBroken)
	b.get("/optional").requireEcho("")
}

func TestStoreThatIsDown(t *testing.T) { eachKind(t, testStoreThatIsDown) }

func testStoreThatIsDown(t *testing.T, kind kind) {
	store := &brokenStore{Store: sessions.NewFilesystemStore(t.TempDir(), storeKey())}
	s := startSite(t, setup{kind: kind, config: inStore(store)})
	b, fresh := s.browser("test0001"), s.browser("test0002")
	again := s.respond(b.begin("/private/again"), "test0001")
	b.get("/private/").requireEcho("test0001")
	back := s.respond(fresh.begin("/private/"), "test0002")
	store.failing.Store(true)

	down := func(a answer) {
		t.Helper()
		a.requirePage(http.StatusServiceUnavailable, "unavailable")
		assert.Equal(t, "5", a.Header.Get("Retry-After"))
		assert.ErrorIs(t, s.lastEvent(glue.EventStoreError).Err, errBroken)
	}
	down(b.get("/private/"))
	down(b.get("/optional"))
	down(b.get("/login"))
	down(b.get("/logout"))
	down(b.get(again))
	assert.Equal(t, http.StatusServiceUnavailable, b.fetch("/private/").StatusCode)
	down(fresh.get(back))
	assert.Nil(t, fresh.cookie("session"))
	fresh.begin("/private/") // somebody without a session needs no store to be sent to log in

	secret := b.cookie("login").Value
	out := b.post("/logout", nil)
	down(out)
	assert.Contains(t, out.Body, "You are logged out in this browser")
	assert.NotEqual(t, secret, b.cookie("login").Value, "out of this browser all the same")

	store.failing.Store(false)
	b.get("/optional").requireEcho("")
	fresh.get("/private/").requireEcho("test0002")
}

// brokenOneUse fails with what it holds, and else remembers nothing.
type brokenOneUse struct{ err atomic.Pointer[error] }

func (o *brokenOneUse) Once(context.Context, webauth.Item) error {
	if err := o.err.Load(); err != nil {
		return *err
	}
	return nil
}

func TestOneUseThatIsDown(t *testing.T) { eachKind(t, testOneUseThatIsDown) }

func testOneUseThatIsDown(t *testing.T, kind kind) {
	one := &brokenOneUse{}
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.OneUse = one }})
	b := s.loggedIn("test0001")
	s.advance(3 * time.Hour)
	kept := b.post("/private/form", map[string][]string{"a": {"b"}}).requirePage(http.StatusUnauthorized, "form-kept")
	location := b.begin("/private/")
	s.loggedIn("test0002")
	b.get("/private/").requireEcho("test0001")

	one.err.Store(&errBroken)
	fresh := s.browser("test0003")
	back := s.respond(fresh.begin("/private/"), "test0003")
	a := fresh.get(back).requirePage(http.StatusServiceUnavailable, "unavailable")
	assert.Equal(t, "5", a.Header.Get("Retry-After"))
	assert.Nil(t, fresh.cookie("session"))
	assert.ErrorIs(t, s.lastEvent(glue.EventStoreError).Err, errBroken)
	b.get(s.respond(location, "test0001", webauthtest.SignedOn)).requirePage(http.StatusServiceUnavailable, "unavailable")
	b.get("/private/").requireEcho("test0001") // what is there goes on

	action, hidden := kept.form()
	b.post(action, hidden).requirePage(http.StatusServiceUnavailable, "unavailable")
	one.err.Store(nil)
	assert.Equal(t, "a=b", b.post(action, hidden).requireEcho("test0001").Body)
}
