package redisstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// BenchmarkSizes is the memory that Redis takes for marks, and for sessions of as many
// people. Run it with -benchtime 1x.
func BenchmarkSizes(b *testing.B) {
	for _, n := range []int{1e4, 1e5, 1e6} {
		b.Run("marks/"+strconv.Itoa(n), func(b *testing.B) {
			redis := startRedis(b)
			benchSizes(b, redis, n, func(s *redisstore.Store) error {
				item := itemNow("response " + rand.Text())
				item.Expires = item.Issued.Add(time.Hour)
				if err := s.Once(b.Context(), item); !errors.Is(err, webauth.ErrFull) { // one of the shards, near a million
					return err
				}
				return nil
			})
		})
		b.Run("sessions/"+strconv.Itoa(n), func(b *testing.B) {
			redis := startRedis(b)
			values := loggedInValues(b, redis)
			benchSizes(b, redis, n, func(s *redisstore.Store) error { return saveAnother(s, values) })
		})
	}
}

// benchSizes makes n of something and reports what Redis takes for each.
func benchSizes(b *testing.B, redis *server, n int, add func(s *redisstore.Store) error) {
	s := redis.openSocket()
	settle(b, s)
	before := redis.number(b, "memory", "used_memory")
	for b.Loop() {
		inParallel(b, n, func() error { return add(s) })
	}
	grown := redis.number(b, "memory", "used_memory") - before
	b.ReportMetric(grown/float64(n*b.N), "B/each")
	b.ReportMetric(grown/1e6/float64(b.N), "MB")
}

// BenchmarkLoad is the processor time that Redis takes for what a site asks of it: its
// commands run one after the other, so that a second's worth of them is all that one
// server does in a second. Run it with -benchtime 20000x.
func BenchmarkLoad(b *testing.B) {
	redis := startRedis(b)
	values := loggedInValues(b, redis)
	s := redis.openSocket()
	settle(b, s)
	session, err := s.New(request(), cookieName)
	require.NoError(b, err)
	session.Values = values
	cookie := resave(b, s, session)
	for _, load := range []struct {
		name string
		run  func() error
	}{
		{"login", func() error { return errors.Join(markPair(s), saveAnother(s, values)) }},
		{"page", func() error {
			_, err := s.New(request(cookie), cookieName)
			return err
		}},
	} {
		b.Run(load.name, func(b *testing.B) {
			before := redis.number(b, "cpu", "used_cpu_user") + redis.number(b, "cpu", "used_cpu_sys")
			inParallel(b, b.N, load.run)
			cpu := redis.number(b, "cpu", "used_cpu_user") + redis.number(b, "cpu", "used_cpu_sys") - before
			b.ReportMetric(cpu*1e6/float64(b.N), "µs-of-redis/op")
		})
	}
}

// markPair marks a response and its token.
func markPair(s *redisstore.Store) error {
	response, token := itemNow("response "+rand.Text()), itemNow("token "+rand.Text())
	response.Group, token.Group = token.ID, token.ID
	a, b := s.OncePair(context.Background(), response, token)
	for _, err := range []error{a, b} {
		if err != nil && !errors.Is(err, webauth.ErrFull) {
			return err
		}
	}
	return nil
}

// loggedInValues logs in and returns what the session holds.
func loggedInValues(b *testing.B, redis *server) values {
	b.Helper()
	fake := webauthtest.New(b)
	var m *twoMachines
	site := webauthtest.Site(b, func(baseURL string) http.Handler {
		m = newTwoMachines(b, fake, baseURL, func() *redisstore.Store { return redis.open() })
		return m
	})
	settle(b, m.store[0])
	client := fake.Client("test0001")
	status, _ := get(b, client, site.URL)
	require.Equal(b, http.StatusOK, status)
	home, err := url.Parse(site.URL)
	require.NoError(b, err)
	for _, c := range client.Jar.Cookies(home) {
		if session, err := m.store[0].New(request(c), c.Name); err == nil && !session.IsNew {
			return session.Values
		}
	}
	require.FailNow(b, "no cookie is a session's")
	return nil
}

// saveAnother saves a session with these values for somebody else.
func saveAnother(s *redisstore.Store, v values) error {
	session, err := s.New(request(), cookieName)
	if err != nil {
		return err
	}
	session.Values = maps.Clone(v)
	session.Values["principal"] = strings.ToLower(rand.Text()[:8])
	return s.Save(request(), httptest.NewRecorder(), session)
}

// inParallel does something n times.
func inParallel(b *testing.B, n int, do func() error) {
	const workers = 32
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for range (n + workers - 1 - i) / workers {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// openSocket makes a Store that comes by the unix socket.
func (s *server) openSocket() *redisstore.Store {
	return s.open(func(c *redisstore.Config) { c.URL = "unix://" + s.Socket })
}

// number returns a line of INFO.
func (s *server) number(b *testing.B, section, line string) float64 {
	b.Helper()
	c := s.Client()
	defer func() { _ = c.Close() }()
	info, err := c.Info(b.Context(), section).Result()
	require.NoError(b, err)
	_, rest, _ := strings.Cut(info, "\n"+line+":")
	text, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.ParseFloat(text, 64)
	require.NoError(b, err, fmt.Sprintf("%s in %q", line, info))
	return n
}
