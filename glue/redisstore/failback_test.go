package redisstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// TestRealFailback: a replica that lags takes over, and gives back before anybody asks it for
// anything. The first master is the process that it was, and lacks what the replica lacked.
func TestRealFailback(t *testing.T) {
	t.Parallel()
	a, b := startRedis(t), startRedis(t)
	replicate := func(r, of *server) {
		host, port, _ := strings.Cut(of.Addr, ":")
		r.do("REPLICAOF", host, port)
		eventually(t, func() bool {
			c := r.Client()
			defer func() { _ = c.Close() }()
			return strings.Contains(c.Info(t.Context(), "replication").Val(), "master_link_status:up")
		})
	}
	s := a.open()
	settle(t, s)
	replicate(b, a)
	b.do("REPLICAOF", "127.0.0.1", "1") // cut off: what comes now, it lacks
	now := time.Now()
	item := webauth.Item{ID: "response:a", Issued: now, Expires: now.Add(time.Minute)}
	require.NoError(t, s.Once(t.Context(), item))
	b.do("REPLICAOF", "NO", "ONE")
	replicate(a, b)
	a.do("REPLICAOF", "NO", "ONE")
	assert.ErrorIs(t, s.Once(t.Context(), item), webauth.ErrForgotten, "accepted twice")
	settle(t, s)
}
