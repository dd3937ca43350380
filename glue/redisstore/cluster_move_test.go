package redisstore_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// TestRealClusterMigrationListFirst: a person's list is at another master before the sessions
// are. That master takes them for none; nobody must believe it.
func TestRealClusterMigrationListFirst(t *testing.T) {
	t.Parallel()
	cluster, s := startMasters(t, 2)
	var cookies []*http.Cookie
	for range 3 {
		cookies = append(cookies, save(t, s, values{"principal": "spqr1"}))
	}
	from, to := cluster.Servers[0], cluster.Servers[1]
	if len(keysOf(t, from, "*}:person:*")) == 0 {
		from, to = to, from
	}
	// The list is moved first, whatever order the server would give.
	keys := slices.Concat(keysOf(t, from, "*}:person:*"), keysOf(t, from, "*}:session:*"))
	require.Len(t, keys, 4)
	source := from.Client()
	defer func() { require.NoError(t, source.Close()) }()
	slot, err := source.ClusterKeySlot(t.Context(), keys[0]).Result()
	require.NoError(t, err)
	require.NoError(t, to.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", nodeID(t, from)))
	require.NoError(t, from.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", nodeID(t, to)))
	_, port, _ := strings.Cut(to.Addr, ":")
	for _, key := range keys[:3] {
		require.NoError(t, from.Do("MIGRATE", "127.0.0.1", port, key, 0, 60000))
		_, err := s.Sessions(t.Context(), "spqr1")
		require.Error(t, err)
		if key != keys[2] {
			continue
		}
		_, err = s.RevokeAll(t.Context(), "spqr1") // it may end those that it finds
		require.Error(t, err)
	}
	require.NoError(t, from.Do("MIGRATE", "127.0.0.1", port, keys[3], 0, 60000))
	for _, r := range []*enginetest.Redis{to, from} {
		require.NoError(t, r.Do("CLUSTER", "SETSLOT", slot, "NODE", nodeID(t, to)))
	}
	list, err := s.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.NotEmpty(t, list)
	_, err = s.RevokeAll(t.Context(), "spqr1")
	require.NoError(t, err)
	for _, c := range cookies {
		assert.True(t, load(t, s, c).IsNew, "a revoked session works")
	}
}

func nodeID(t testing.TB, r *enginetest.Redis) string {
	t.Helper()
	c := r.Client()
	defer func() { require.NoError(t, c.Close()) }()
	id, err := c.ClusterMyID(t.Context()).Result()
	require.NoError(t, err)
	return id
}
