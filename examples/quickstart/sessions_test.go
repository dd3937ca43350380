package main

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// somewhere is a person at a browser of their own, logged in.
func somewhere(p *quickstart, user string) *person {
	who := p.person(user)
	requirePage(p.t, who.get("/private"), http.StatusOK, "private", user)
	return who
}

func TestSessions(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.SetTime(testNow)
	p := start(t, "-redis", "redis://"+mini.Addr())
	p.Advance(5 * time.Second) // a memory vouches only for what is younger
	home, office, other := somewhere(p, "test0001"), somewhere(p, "test0001"), somewhere(p, "test0002")
	token := func(page string) string { return demotest.FirstMatch(t, `name="xsrf-token" value="([^"]+)"`, page) }

	page := home.get("/sessions")
	requirePage(t, page, http.StatusOK, "sessions", "test0001")
	assert.Contains(t, page.Body, "(this one)</strong>: logged in ")
	ends := regexp.MustCompile(`name="end" value="([^"]+)"`).FindAllStringSubmatch(page.Body, -1)
	require.Len(t, ends, 2, "the other session, and all; nobody else's")

	// Somebody else's handle ends nothing; the own one ends that session at once.
	other.post("/sessions", "end", ends[0][1], "xsrf-token", token(other.get("/sessions").Body))
	assert.Equal(t, "test0001", office.get("/optional").Principal())
	requirePage(t, home.post("/sessions", "end", ends[0][1], "xsrf-token", token(page.Body)), http.StatusOK, "optional", "test0001")
	assert.Empty(t, office.get("/optional").Principal())

	office.get("/private")
	home.post("/sessions", "end", "all", "xsrf-token", token(home.get("/sessions").Body))
	assert.Empty(t, home.get("/optional").Principal())
	assert.Empty(t, office.get("/optional").Principal())
	assert.Equal(t, "test0002", other.get("/optional").Principal())

	mini.Close()
	requirePage(t, other.get("/sessions"), http.StatusServiceUnavailable, "unavailable", "")
}

func TestInWords(t *testing.T) {
	now := time.Date(2026, 3, 9, 14, 5, 0, 0, time.Local)
	for ago, want := range map[time.Duration]string{
		0: "today at 14:05", 14 * time.Hour: "today at 00:05", 15 * time.Hour: "yesterday at 23:05",
		72 * time.Hour: "3 days ago", 30 * 24 * time.Hour: "on 7 February 2026",
	} {
		assert.Equal(t, want, inWords(now.Add(-ago), now))
	}
}

func TestSessionsNeedARedis(t *testing.T) {
	assert.Equal(t, http.StatusNotFound, somewhere(start(t), "test0001").get("/sessions").StatusCode)
}
