package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// soakTest runs a soak and returns its exit code and its closing table.
func soakTest(t *testing.T, o *options, args ...string) (code int, table string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = program(o).Start(t.Context(), args, &out, &errs)
	if strings.Contains(errs.String(), enginetest.ErrNotInstalled.Error()) {
		enginetest.Require(t, fmt.Errorf("%w: %s", enginetest.ErrNotInstalled, errs.String()))
	}
	table = out.String()[strings.LastIndexByte(out.String(), '\r')+1:]
	t.Log("\n" + table + errs.String())
	return code, table
}

// number returns the number in a row of the table.
func number(t *testing.T, table, row string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + row + ` +(\d+)\b`).FindStringSubmatch(table)
	require.NotNil(t, m, row)
	n, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	return n
}

// all returns what reports whether each of several does.
func all(of ...func(*soak) bool) func(*soak) bool {
	return func(s *soak) bool {
		return !slices.ContainsFunc(of, func(is func(*soak) bool) bool { return !is(s) })
	}
}

// well reports whether so many were killed, and pages and logins go on since the last is back.
func well(kills int) func(*soak) bool {
	return func(s *soak) bool {
		s.stats.mu.Lock()
		defer s.stats.mu.Unlock()
		if len(s.stats.failovers) < kills {
			return false
		}
		f := s.stats.failover()
		return !f.restored.IsZero() && f.pages.lastOK.After(f.restored) && f.logins.lastOK.After(f.restored)
	}
}

func replayed(s *soak) bool {
	p := s.fleet.balancer.replays
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tried > 0
}

func acceptedTwice(s *soak) bool {
	p := s.fleet.balancer.replays
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.twice() > 0
}

// askedAPI reports whether tokens were issued, and others were used after their end.
func askedAPI(s *soak) bool {
	a := s.fleet.api
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issued > 0 && a.askedDead > 0
}

// TestFleet: whatever is killed, nothing is accepted twice, and all is well soon after.
func TestFleet(t *testing.T) {
	for _, row := range []struct {
		name, args string
	}{
		{"sentinel", "-redis sentinel -kill machine,redis"},
		{"cluster of three", "-redis cluster -kill machine,redis"},
		{"postgresql", "-redis single -postgres start -kill machine,postgres"},
	} {
		t.Run(row.name, func(t *testing.T) {
			const kills = 3
			o := &options{enough: all(well(kills), replayed, askedAPI)}
			o.kills = kills
			code, table := soakTest(t, o, strings.Fields("-machines 2 -users 20 -think 300ms -for 12s -every 3s "+row.args)...)
			assert.Zero(t, code)
			assert.Equal(t, kills, number(t, table, "failovers"))
			assert.Positive(t, number(t, table, "replays"))
			assert.Zero(t, number(t, table, "responses accepted twice"))
			if strings.Contains(row.args, "postgres") {
				assert.Positive(t, number(t, table, "tokens issued"))
				assert.Positive(t, number(t, table, "uses of tokens that had ended"))
			}
		})
	}
}

// TestFleetOnEnginesThatAreThere: a Redis and a PostgreSQL that somebody else started are
// used, and are there afterwards.
func TestFleetOnEnginesThatAreThere(t *testing.T) {
	redis, err := enginetest.StartRedis()
	enginetest.Require(t, err)
	t.Cleanup(redis.Close)
	postgres, err := enginetest.StartPostgreSQL()
	enginetest.Require(t, err)
	t.Cleanup(postgres.Close)
	o := &options{enough: all(well(1), replayed, askedAPI)}
	o.kills = 1
	code, table := soakTest(t, o, "-machines", "2", "-users", "10", "-think", "200ms", "-for", "8s", "-every", "3s",
		"-kill", "machine", "-redis", "redis://"+redis.Addr, "-postgres", postgres.DSN)
	assert.Zero(t, code)
	assert.Positive(t, number(t, table, "replays"))
	assert.Positive(t, number(t, table, "tokens issued"))
	require.NoError(t, redis.Do("PING"))
}

// A soak that overlooks what is accepted twice would be worse than none: machines that do
// not tell one another what was used are found out.
func TestFleetFindsWhatIsAcceptedTwice(t *testing.T) {
	o := &options{enough: acceptedTwice}
	o.apart = true
	code, table := soakTest(t, o, strings.Fields("-users 10 -think 100ms -machines 2 -redis single -for 2s")...)
	assert.Equal(t, 1, code)
	assert.Positive(t, number(t, table, "responses accepted twice"))
}

func TestReplaysReport(t *testing.T) {
	for _, row := range []struct {
		name string
		with func(*replays)
		want bool
	}{
		{"accepted once", func(p *replays) { p.answered("a", []string{used, accepted}) }, true},
		{"accepted by two machines", func(p *replays) { p.answered("a", []string{accepted, accepted}) }, false},
		{"accepted later, for the first time", func(p *replays) {
			p.answered("a", []string{failed, failed})
			p.count(p.of("a"), accepted, true)
		}, true},
		{"accepted again later", func(p *replays) {
			p.answered("a", []string{used, accepted})
			p.count(p.of("a"), accepted, true)
		}, false},
		{"two sessions, of which one was never answered", func(p *replays) {
			p.answered("a", []string{used, accepted})
			p.began("a")
			p.began("a")
		}, false},
		{"accepted from another browser", func(p *replays) { p.strangers++ }, false},
		{"accepted by two machines, refused by a third", func(p *replays) { p.answered("a", []string{accepted, refused, accepted}) }, false},
		{"refused by both", func(p *replays) { p.answered("a", []string{used, used}) }, false},
		{"refused by both in a failover", func(p *replays) {
			p.stats.killed("Redis")
			p.answered("a", []string{used, used})
		}, true},
		{"cancelled", func(p *replays) { p.answered("a", []string{refused, used}) }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newReplays(newStats(), "localhost")
			row.with(p)
			assert.Equal(t, row.want, p.report(func(string, ...any) {}))
		})
	}
}

func TestLogoutsReport(t *testing.T) {
	quiet := func(string, ...any) {}
	l := logouts{broughtBack: 1}
	assert.True(t, l.report(quiet), "a failover forgets what its replica did not know")
	l.back = 1
	assert.False(t, l.report(quiet))
}

// Sessions that have ended are kept by Redis: no other kill brings one back.
func TestRedisKilledSince(t *testing.T) {
	s := newStats()
	ended := time.Now()
	s.killed("machine 1")
	assert.False(t, s.redisKilledSince(ended))
	s.killed("Redis 127.0.0.1:1")
	s.killed("PostgreSQL")
	assert.True(t, s.redisKilledSince(ended))
	assert.False(t, s.redisKilledSince(ended.Add(time.Hour)))
}

func TestAPIReport(t *testing.T) {
	for _, row := range []struct {
		name string
		api  *api
		want bool
	}{
		{"well", &api{issued: 1}, true},
		{"a refresh token good twice", &api{issued: 1, both: 1}, false},
		{"a revoked token works", &api{issued: 1, alive: 1}, false},
		{"no token", &api{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, row.want, row.api.report(func(string, ...any) {}))
		})
	}
}

// TestTrouble: what fails is a fault, unless something was killed a short time ago.
func TestTrouble(t *testing.T) {
	s := newStats()
	s.trouble("before")
	s.killed("Redis")
	s.visit(outcome{status: 503, page: true, atSite: true})
	s.visit(outcome{status: 500, page: true, atSite: true})
	s.trouble("after")
	s.failovers[0].at = time.Now().Add(-settled)
	s.trouble("not back yet")
	s.restored()
	s.trouble("back")
	s.failovers[0].restored = time.Now().Add(-settled)
	s.trouble("long after")
	assert.Equal(t, map[string]int{"after": 1, "status 503 from the site": 1, "not back yet": 1, "back": 1}, s.failures)
	assert.Equal(t, map[string]int{"before": 1, "status 500 from the site": 1, "long after": 1}, s.faults)
}

// TestAnswerCutShort: a machine that is killed amid an answer leaves the browser with half of it.
func TestAnswerCutShort(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(site.Close)
	s := newStats()
	b := &browser{soak: &soak{stats: s, baseURL: site.URL}, client: site.Client()}
	b.visit(t.Context(), http.MethodGet, "/page", "navigate")
	assert.Equal(t, map[string]int{"no whole answer: unexpected EOF": 1}, s.faults, "nothing was killed")
	s.killed("machine 1")
	b.visit(t.Context(), http.MethodGet, "/page", "navigate")
	b.visit(t.Context(), http.MethodGet, "/strict", "navigate")
	assert.Len(t, s.faults, 1)
	assert.Len(t, s.failures, 2, "half an answer, and none")
}

// TestFailoverTimes: how long there was no page, and until when they failed.
func TestFailoverTimes(t *testing.T) {
	start := time.Now()
	after := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var all service
	all.note(true, start, after(1))
	all.note(false, start, after(2))
	all.note(false, start, after(4))
	all.note(true, start, after(5))
	all.end(start, after(7))
	assert.Equal(t, "2 of 4 failed until 4s, 4s without", all.since(start))
	var none service
	none.end(start, after(9))
	assert.Equal(t, "none of 0 failed, 9s without", none.since(start))
}
