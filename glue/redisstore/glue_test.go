package redisstore_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

const secret = "Zk3vP0sQ8uX1mN6bT9wY4cR7eH2jL5aD0fG8iK3oV6zB\n"

// twoMachines is a site served by two machines behind one address, which share nothing
// but the configuration and Redis.
type twoMachines struct {
	machine [2]http.Handler
	store   [2]*redisstore.Store
	at      atomic.Int32 // which of them the balancer picks
}

func (m *twoMachines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.machine[m.at.Load()].ServeHTTP(w, r)
}

func newTwoMachines(t testing.TB, fake *webauthtest.WLS, baseURL string, open func() *redisstore.Store) *twoMachines {
	t.Helper()
	m := &twoMachines{}
	for i := range m.machine {
		m.store[i] = open()
		soc, err := site.New(site.Config{BaseURL: baseURL, Secret: secret, OneUse: m.store[i], Logger: slog.New(slog.DiscardHandler), Now: fake.Now})
		require.NoError(t, err)
		auth, err := glue.New(glue.Config{
			Site: soc, Service: fake.Service(), LogoutPath: "/logout",
			MaxAge:  10 * time.Minute, // so that nothing here is refused for its age
			Session: glue.Session{Store: m.store[i]},
		})
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle("/", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, _ := glue.IdentityFrom(r.Context())
			fmt.Fprintf(w, "Hello, %s.", id.Principal)
		})))
		mux.HandleFunc("/logout", auth.Logout)
		m.machine[i] = mux
	}
	return m
}

func get(t testing.TB, c *http.Client, url string) (status int, body string) {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

// TestTwoMachines: what is done at one machine is known at the other one.
func TestTwoMachines(t *testing.T) {
	redis := startRedis(t)
	fake := webauthtest.New(t)
	var m *twoMachines
	site := webauthtest.Site(t, func(baseURL string) http.Handler {
		m = newTwoMachines(t, fake, baseURL, func() *redisstore.Store { return redis.open() })
		return m
	})
	settle(t, m.store[0])
	person := fake.Client("test0001")
	const a, b = 0, 1

	// Log in, keeping the response for later.
	var returned string
	person.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if strings.Contains(next.URL.RawQuery, "WLS-Response=") {
			returned = next.URL.String()
		}
		return nil
	}
	m.at.Store(a)
	status, body := get(t, person, site.URL+"/page")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "Hello, test0001.", body)
	require.NotEmpty(t, returned)

	m.at.Store(b)
	_, body = get(t, person, site.URL+"/page")
	require.Equal(t, "Hello, test0001.", body, "known at B")

	// Replay at both, in this browser's name but without its session.
	u, err := url.Parse(site.URL)
	require.NoError(t, err)
	for at := range m.machine {
		m.at.Store(int32(at))
		thief := fake.Client("")
		for _, c := range person.Jar.Cookies(u) {
			if strings.HasPrefix(c.Name, "wls-login") {
				thief.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
			}
		}
		require.Len(t, thief.Jar.Cookies(u), 1)
		status, body := get(t, thief, returned)
		require.Equal(t, http.StatusForbidden, status, body)
		require.Len(t, thief.Jar.Cookies(u), 1, "no session")
	}

	// Log out at A; out at B, with a copy of the cookies as well.
	copied, err := cookiejar.New(nil)
	require.NoError(t, err)
	copied.SetCookies(u, person.Jar.Cookies(u))
	m.at.Store(a)
	resp, err := person.PostForm(site.URL+"/logout", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	m.at.Store(b)
	for name, jar := range map[string]http.CookieJar{"the browser": person.Jar, "a copy of its cookies": copied} {
		c := fake.Client("")
		c.Jar, c.CheckRedirect = jar, fake.StopAtLogin
		status, _ := get(t, c, site.URL+"/page")
		assert.Equal(t, http.StatusSeeOther, status, name)
	}
}

// TestLogOutEverywhere: ending somebody's sessions through one machine's Store.
func TestLogOutEverywhere(t *testing.T) {
	redis := startRedis(t)
	fake := webauthtest.New(t)
	var m *twoMachines
	site := webauthtest.Site(t, func(baseURL string) http.Handler {
		m = newTwoMachines(t, fake, baseURL, func() *redisstore.Store { return redis.open() })
		return m
	})
	settle(t, m.store[0])
	browsers := []*http.Client{fake.Client("test0001"), fake.Client("test0001"), fake.Client("test0002")}
	for i, c := range browsers {
		m.at.Store(int32(i % 2))
		status, _ := get(t, c, site.URL+"/page")
		require.Equal(t, http.StatusOK, status)
	}
	list, err := m.store[0].Sessions(t.Context(), "test0001")
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.WithinRange(t, list[0].Expires, fake.Now().Add(time.Hour), fake.Now().Add(2*time.Hour), "when glue ends it, not the store")
	n, err := m.store[0].RevokeAll(t.Context(), "test0001")
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	for i, c := range browsers {
		c.CheckRedirect = fake.StopAtLogin
		status, _ := get(t, c, site.URL+"/page")
		want := http.StatusSeeOther
		if i == 2 {
			want = http.StatusOK
		}
		assert.Equal(t, want, status)
	}
}

// login is a login that has come back from the WLS but was not presented to the site.
type login struct {
	cookie *http.Cookie
	url    string
}

// begin goes to the site and to the WLS.
func (m *twoMachines) begin(t testing.TB, fake *webauthtest.WLS, baseURL string) login {
	t.Helper()
	w := m.present(m.machine[0], login{url: baseURL + "/page"})
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
	back, err := fake.Respond(w.Header().Get("Location"), "test0001")
	require.NoError(t, err)
	require.Len(t, w.Result().Cookies(), 1)
	return login{cookie: w.Result().Cookies()[0], url: back}
}

// present is the browser's request with the response of the WLS.
func (m *twoMachines) present(machine http.Handler, l login) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, l.url, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	if l.cookie != nil {
		r.AddCookie(l.cookie)
	}
	w := httptest.NewRecorder()
	machine.ServeHTTP(w, r)
	return w
}

// newSession reports whether an answer starts a session.
func newSession(w *httptest.ResponseRecorder) bool {
	for _, c := range w.Result().Cookies() {
		if strings.HasPrefix(c.Name, "wls-session") && c.Value != "" {
			return true
		}
	}
	return false
}

// TestKillDuringLogins kills Redis in the middle of 1,000 logins, hundreds at once, each of
// which is presented to both machines, before and after. No response makes two sessions, and
// logins that begin later work.
func TestKillDuringLogins(t *testing.T) {
	redis := startRedis(t)
	const baseURL = "http://localhost:8080"
	const (
		logins = 1000
		late   = logins / 4 // of them come when Redis is down
		atOnce = 256        // which wait for a connection, but on a busy machine not until they give up
	)
	key, err := rsa.GenerateKey(rand.Reader, 1024) // which is quick to sign with
	require.NoError(t, err)
	fake := webauthtest.New(t, webauthtest.WithKey("777", key))
	redis.open(func(c *redisstore.Config) { c.Site = "warm-up" }) // starts what the client starts once
	before := runtime.NumGoroutine()

	var stores []*redisstore.Store
	m := newTwoMachines(t, fake, baseURL, func() *redisstore.Store {
		// Not the default timeout: hundreds of requests at once and the race detector keep
		// two cores busy for longer.
		s, err := redisstore.New(redisstore.Config{URL: "redis://" + redis.Addr, Site: "soc", Timeout: patience, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		stores = append(stores, s)
		return s
	})
	settle(t, m.store[0])
	var all [logins]login
	parallel(logins, 8, func(i int) { all[i] = m.begin(t, fake, baseURL) })

	var sessions [logins]atomic.Int32
	var inside atomic.Int32
	var status [600]atomic.Int32
	middle := make(chan struct{})
	present := func(from, to int) {
		parallel(2*(to-from), atOnce, func(i int) {
			l := from + i/2
			w := m.present(m.machine[i%2], all[l])
			status[w.Code].Add(1)
			if newSession(w) {
				sessions[l].Add(1)
				if inside.Add(1) == logins/10 {
					close(middle)
				}
			}
		})
	}
	var presented sync.WaitGroup
	early := make(chan struct{})
	presented.Go(func() { present(late, logins); close(early) })
	select { // sessions are counted, not requests: the marks of all may come before the first session
	case <-middle:
	case <-early:
		require.FailNow(t, "hardly anybody got in, though Redis runs")
	}
	redis.Kill()
	presented.Go(func() { present(0, late) })
	redis.restart()
	// Hundreds of requests wait for the same Redis.
	require.Eventually(t, func() bool { return m.store[1].Check(t.Context()) == nil }, 2*time.Minute, time.Millisecond)
	back := time.Now()
	for {
		began := time.Now()
		if newSession(m.present(m.machine[1], m.begin(t, fake, baseURL))) {
			t.Logf("logins work again %v after Redis is back", time.Since(back).Round(10*time.Millisecond))
			break
		}
		require.Less(t, began.Sub(back), 2*time.Second, "a login that begins later than that must work")
	}
	presented.Wait()
	first := total(sessions[:])
	present(0, logins) // all of them once more

	for l := range sessions {
		require.LessOrEqual(t, sessions[l].Load(), int32(1), "a response was used twice")
	}
	assert.GreaterOrEqual(t, first, logins/10, "some got in before the kill")
	assert.Zero(t, total(sessions[:late]), "what was begun before the kill, and comes after it, may have been used")
	assert.Zero(t, status[http.StatusInternalServerError].Load(), "no panic, nothing unexpected")
	t.Logf("%d sessions from %d responses presented 4 times each; answers: 303 %d, 403 %d, 503 %d", total(sessions[:]), logins,
		status[303].Load(), status[403].Load(), status[503].Load())

	for _, s := range stores {
		require.NoError(t, s.Close())
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
}

// total adds up.
func total(counts []atomic.Int32) (sum int) {
	for i := range counts {
		sum += int(counts[i].Load())
	}
	return sum
}

// parallel calls f(0) to f(n-1), this many at once.
func parallel(n, atOnce int, f func(int)) {
	var running sync.WaitGroup
	var next atomic.Int32
	for range atOnce {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	running.Wait()
}

// TestRedisDown: while Redis is gone people get a page that says so, nobody is taken for
// logged in, and nothing has to be restarted but Redis.
func TestRedisDown(t *testing.T) {
	redis := startRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	fake := webauthtest.New(t)
	var m *twoMachines
	site := webauthtest.Site(t, func(baseURL string) http.Handler {
		m = newTwoMachines(t, fake, baseURL, func() *redisstore.Store { return redis.open() })
		return m
	})
	settle(t, m.store[0])
	person := fake.Client("test0001")
	status, _ := get(t, person, site.URL+"/page")
	require.Equal(t, http.StatusOK, status)
	pending := m.begin(t, fake, site.URL)

	redis.Kill()
	resp, err := person.Get(site.URL + "/page")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	assert.NotEmpty(t, resp.Header.Get("Retry-After"))
	w := m.present(m.machine[1], pending)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.False(t, newSession(w), "no response is accepted unchecked")
	assert.NotContains(t, w.Body.String(), "WLS-Response", "the way on is a new login")

	redis.restart()
	_, body := get(t, person, site.URL+"/page")
	assert.Equal(t, "Hello, test0001.", body, "who was in still is: Redis kept the session")
	w = m.present(m.machine[1], pending)
	assert.Equal(t, http.StatusForbidden, w.Code, "begun before the restart")
	assert.False(t, newSession(w))
	settle(t, m.store[0])
	status, _ = get(t, fake.Client("test0002"), site.URL+"/page")
	assert.Equal(t, http.StatusOK, status)
}
