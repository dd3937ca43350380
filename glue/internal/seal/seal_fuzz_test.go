package seal_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
)

// FuzzOpen checks that no text opens but the one that was sealed, and that what
// is sealed opens as the same, under its own name only.
func FuzzOpen(f *testing.F) {
	raw, err := base64.RawURLEncoding.DecodeString(vectorValue)
	require.NoError(f, err)
	seeds := []string{
		"", "A", "AQ", "\n", "=", vectorValue, vectorValue + "\n", vectorValue + "=", vectorValue[:40],
		base64.StdEncoding.EncodeToString(raw),
		base64.RawURLEncoding.EncodeToString(raw[:38]),
		base64.RawURLEncoding.EncodeToString(append(raw, 0)),
		base64.RawURLEncoding.EncodeToString(make([]byte, 40)),
	}
	for _, seed := range seeds {
		f.Add(name, seed, expires.Unix())
		f.Add("other", seed, int64(0))
	}
	codec := newCodec(f, purpose, vectorKey, testKey(0))

	f.Fuzz(func(t *testing.T, cookie, value string, expiry int64) {
		plaintext, until, err := codec.Open(cookie, value, now)
		if cookie == name && value == vectorValue {
			require.NoError(t, err)
			assert.Equal(t, vectorPlaintext, plaintext)
			assert.Equal(t, expires, until)
		} else {
			assert.Equal(t, seal.ErrInvalid, err)
			assert.Empty(t, plaintext)
		}

		expires := time.Unix(expiry, 0).UTC()
		resealed, err := codec.Seal(cookie, expires, []byte(value))
		if err != nil {
			assert.True(t, expiry < 0 || expires.Year() > 9999 || len(value) > seal.MaxPlaintext, err)
			return
		}
		plaintext, until, err = codec.Open(cookie, resealed, expires.Add(-1))
		require.NoError(t, err)
		assert.Equal(t, value, plaintext)
		assert.Equal(t, expires, until)
		_, _, err = codec.Open(cookie, resealed, expires)
		assert.Equal(t, seal.ErrExpired, err)
		_, _, err = codec.Open(cookie+"2", resealed, now)
		assert.Equal(t, seal.ErrInvalid, err)
	})
}
