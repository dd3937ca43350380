package enginetest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

func TestRedis(t *testing.T) {
	t.Parallel()
	r, err := enginetest.StartRedis("--appendonly", "yes", "--appendfsync", "always")
	enginetest.Require(t, err)
	t.Cleanup(r.Close)
	require.NoError(t, r.Do("SET", "a", "b"))
	require.NoError(t, r.Restart())
	c := r.Client()
	defer func() { require.NoError(t, c.Close()) }()
	value, err := c.Get(t.Context(), "a").Result()
	require.NoError(t, err)
	assert.Equal(t, "b", value, "its files are still there")
	r.Kill()
	assert.Error(t, r.Do("PING"))

	_, err = enginetest.StartRedis("--no-such-option", "1")
	assert.ErrorContains(t, err, "no-such-option")
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	c, err := enginetest.StartRedisCluster(3, 1)
	enginetest.Require(t, err)
	t.Cleanup(c.Close)
	require.Len(t, c.Addrs(), 6)
	master := c.Master("a")
	require.NotNil(t, master)
	require.NoError(t, master.Do("SET", "a", "b"))
	master.Kill()
	awaitMaster(t, func() *enginetest.Redis { return c.Master("a") }, master)
	require.NoError(t, master.Restart())
	assert.NotSame(t, master, c.Master("a"), "it is a replica now")
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	s, err := enginetest.StartSentinel(2)
	enginetest.Require(t, err)
	t.Cleanup(s.Close)
	require.Len(t, s.Addrs(), 3)
	master := s.Master()
	require.Same(t, s.Servers[0], master)
	master.Kill()
	awaitMaster(t, s.Master, master)
}

// awaitMaster waits until another server is the master, and takes writes.
func awaitMaster(t *testing.T, master func() *enginetest.Redis, before *enginetest.Redis) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 3000 {
		if m := master(); m != nil && m != before && m.Do("SET", "a", "c") == nil {
			return
		}
		<-tick.C
	}
	require.FailNow(t, "no replica takes over")
}

// TestRequire: what is missing skips a test, and fails it in continuous integration.
func TestRequire(t *testing.T) {
	missing := fmt.Errorf("redis-server: %w: apt-get install redis-server", enginetest.ErrNotInstalled)
	for _, row := range []struct {
		name, ci string
		err      error
		want     string
	}{
		{"there", "true", nil, ""},
		{"missing", "", missing, "skip to run this test: redis-server: it is not installed: apt-get install redis-server"},
		{"missing in continuous integration", "true", missing, "fatal redis-server: it is not installed: apt-get install redis-server"},
		{"broken", "", errors.New("broken"), "fatal broken"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("CI", row.ci)
			r := &recorder{}
			enginetest.Require(r, row.err)
			assert.Equal(t, row.want, strings.TrimSpace(r.said))
		})
	}
	t.Setenv("PATH", "")
	_, err := enginetest.StartRedis()
	assert.ErrorIs(t, err, enginetest.ErrNotInstalled)
	assert.ErrorContains(t, err, "apt-get install redis-server")
}

// recorder is a test that notes how it ends.
type recorder struct{ said string }

func (*recorder) Helper()             {}
func (r *recorder) Fatal(args ...any) { r.said = fmt.Sprintln(append([]any{"fatal"}, args...)...) }
func (r *recorder) Skip(args ...any)  { r.said = fmt.Sprintln(append([]any{"skip"}, args...)...) }
