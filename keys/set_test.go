package keys_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

func TestNewSetRefuses(t *testing.T) {
	two := newKey(t, "2", publicKey(t, "testRSA2048"))
	for _, tc := range []struct {
		name   string
		keys   []keys.Key
		reason string
	}{
		{"no key", nil, "at least one key"},
		{"zero Key", []keys.Key{two, {}}, "zero Key"},
		{"one kid with two keys", []keys.Key{two, newKey(t, "2", publicKey(t, "testRSA1024"))}, "two keys have the kid 2"},
		{"one key twice", []keys.Key{two, two}, "two keys have the kid 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, err := keys.NewSet(tc.keys...)
			assert.ErrorContains(t, err, tc.reason)
			assert.Nil(t, set)
		})
	}
}

func TestSet(t *testing.T) {
	a, b := publicKey(t, "testRSA1024"), publicKey(t, "testRSA2048")
	given := []keys.Key{newKey(t, "901", a), newKey(t, "10", b), newKey(t, "9", a), newKey(t, "2", b)}
	set, err := keys.NewSet(given...)
	require.NoError(t, err)
	given[0] = newKey(t, "666", a)

	assert.Equal(t, []string{"2", "9", "10", "901"}, kidsOf(set.Keys()), "by kid as a number")
	set.Keys()[0] = keys.Key{}
	key, ok := set.Lookup("2")
	require.True(t, ok)
	assert.Equal(t, "2", key.Kid())
	assert.Equal(t, 2048, key.Bits())
	for _, kid := range []string{"", "1", "02", "2 ", "666"} {
		key, ok := set.Lookup(kid)
		assert.False(t, ok, "kid %q", kid)
		assert.Nil(t, key.Public())
	}
	assert.Empty(t, set.Skipped())
}

func TestZeroAndNilSetTrustNothing(t *testing.T) {
	for _, set := range []*keys.Set{nil, {}} {
		_, ok := set.Lookup("2")
		assert.False(t, ok)
		_, ok = set.Lookup("")
		assert.False(t, ok)
		assert.Empty(t, set.Keys())
		assert.Empty(t, set.Skipped())
	}
}
