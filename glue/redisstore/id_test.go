package redisstore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHandleOf(t *testing.T) {
	id := newID()
	require.Len(t, id, 2+43)
	handle, ok := handleOf("soc", id)
	require.True(t, ok)
	assert.Len(t, handle, handleLen)
	again, _ := handleOf("soc", id)
	assert.Equal(t, handle, again)
	assert.NotContains(t, handle, id[2:10])

	other, ok := handleOf("soc2", id)
	assert.True(t, ok)
	assert.NotEqual(t, handle, other, "an id is good under one cookie name only")

	for name, bad := range map[string]string{
		"empty":               "",
		"no version":          id[2:],
		"other version":       "2" + id[1:],
		"short":               id[:len(id)-1],
		"long":                id + "A",
		"line break":          id[:10] + "\n" + id[11:],
		"line break added":    id[:10] + "\n" + id[10:],
		"padding":             id[:len(id)-1] + "=",
		"standard base64":     id[:len(id)-2] + "+/",
		"bits after the last": "1." + strings.Repeat("A", 42) + "B",
		"key of Redis":        "1.*" + id[3:],
	} {
		t.Run(name, func(t *testing.T) {
			_, ok := handleOf("soc", bad)
			assert.False(t, ok)
		})
	}
}

func TestIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		seen[newID()] = true
	}
	assert.Len(t, seen, 1000)
}

func TestDigestPartsDoNotRun(t *testing.T) {
	assert.NotEqual(t, digest("session", "a", "bc"), digest("session", "ab", "c"))
	assert.NotEqual(t, digest("session", "x"), digest("person", "x"))
}
