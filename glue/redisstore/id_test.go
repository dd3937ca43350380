package redisstore

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLocate(t *testing.T) {
	id := newID("")
	require.Len(t, id, 2+44)
	shard, handle, ok := locate("soc", id)
	require.True(t, ok)
	assert.Len(t, shard, 2)
	assert.Len(t, handle, handleLen)
	_, again, _ := locate("soc", id)
	assert.Equal(t, handle, again)
	assert.NotContains(t, handle, id[2:10])

	_, other, ok := locate("soc2", id)
	assert.True(t, ok)
	assert.NotEqual(t, handle, other, "an id is good under one cookie name only")

	for name, bad := range map[string]string{
		"empty":            "",
		"no version":       id[2:],
		"other version":    "2" + id[1:],
		"short":            id[:len(id)-1],
		"long":             id + "A",
		"line break":       id[:10] + "\n" + id[11:],
		"line break added": id[:10] + "\n" + id[10:],
		"padding":          id[:len(id)-1] + "=",
		"standard base64":  id[:len(id)-2] + "+/",
		"key of Redis":     "1.*" + id[3:],
	} {
		t.Run(name, func(t *testing.T) {
			_, _, ok := locate("soc", bad)
			assert.False(t, ok)
		})
	}
}

func TestIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		seen[newID("")[4:]] = true
	}
	assert.Len(t, seen, 1000)
}

func TestShards(t *testing.T) {
	user := userHash("spqr1")
	shards := map[string]bool{}
	for range 10 {
		shard, _, ok := locate("soc", newID(user))
		require.True(t, ok)
		assert.Equal(t, shardOf(user), shard, "a person's sessions are together")
	}
	for i := range 10_000 {
		shards[shardOf(userHash(strconv.Itoa(i)))] = true
	}
	assert.Len(t, shards, 256, "people are not")
	clear(shards)
	for range 10_000 {
		shard, _, _ := locate("soc", newID(""))
		shards[shard] = true
	}
	assert.Len(t, shards, 256, "nor is who is nobody yet")
}

func TestDigestPartsDoNotRun(t *testing.T) {
	assert.NotEqual(t, digest("session", "a", "bc"), digest("session", "ab", "c"))
	assert.NotEqual(t, digest("session", "x"), digest("person", "x"))
}
