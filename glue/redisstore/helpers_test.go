package redisstore_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

const cookieName = "__Host-soc"

// patience is for what answers, sooner or later, on a busy machine: the most that Config has.
const patience = 10 * time.Second

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// rig is a Store on a miniredis, with one clock for both.
type rig struct {
	*redisstore.Store
	mini *miniredis.Miniredis
	log  *buffer
	cfg  redisstore.Config

	mu  sync.Mutex
	now time.Time
}

func newRig(t testing.TB, edit ...func(*redisstore.Config)) *rig {
	t.Helper()
	g := &rig{mini: miniredis.RunT(t), now: start, log: &buffer{}}
	g.mini.SetTime(start)
	g.cfg = redisstore.Config{URL: "redis://" + g.mini.Addr(), Site: "soc", Timeout: patience, Now: g.Now, Logger: slog.New(slog.NewTextHandler(g.log, nil))}
	for _, f := range edit {
		f(&g.cfg)
	}
	g.Store = g.another(t)
	g.advance(time.Second) // past the beginning of Redis's memory
	return g
}

// another is the Store of another machine of the site.
func (g *rig) another(t testing.TB) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(g.cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func (g *rig) Now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *rig) advance(d time.Duration) {
	g.mu.Lock()
	g.now = g.now.Add(d)
	now := g.now
	g.mu.Unlock()
	g.mini.SetTime(now)
	g.mini.FastForward(d)
}

// keys returns the names of the site's keys, without those that are always there.
func (g *rig) keys() (all []string) {
	for _, key := range g.mini.Keys() {
		if !strings.HasSuffix(key, "}:memory") && !strings.HasSuffix(key, "}:canary") {
			all = append(all, key)
		}
	}
	return all
}

// note replaces the notes of since when Redis remembers.
func (g *rig) note(t testing.TB, text string) {
	t.Helper()
	for _, key := range g.mini.Keys() {
		if strings.HasSuffix(key, "}:memory") {
			require.NoError(t, g.mini.Set(key, text))
		}
	}
}

// key returns the one key whose name matches.
func (g *rig) key(t testing.TB, pattern string) string {
	t.Helper()
	i := slices.IndexFunc(g.mini.Keys(), regexp.MustCompile(pattern).MatchString)
	require.GreaterOrEqual(t, i, 0, pattern)
	return g.mini.Keys()[i]
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// request has the cookies given.
func request(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://soc.example/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

type values = map[any]any

// save saves a new session with these values and gives its cookie.
func save(t testing.TB, s *redisstore.Store, v values, options ...sessions.Options) *http.Cookie {
	t.Helper()
	session, err := s.New(request(), cookieName)
	require.NoError(t, err)
	session.Values = v
	for _, o := range options {
		session.Options = &o
	}
	return resave(t, s, session)
}

func resave(t testing.TB, s *redisstore.Store, session *sessions.Session) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, s.Save(request(), w, session))
	set := w.Result().Cookies()
	require.Len(t, set, 1)
	return set[0]
}

// load loads the session of a cookie.
func load(t testing.TB, s *redisstore.Store, c *http.Cookie) *sessions.Session {
	t.Helper()
	session, err := s.New(request(c), c.Name)
	require.NoError(t, err)
	return session
}
