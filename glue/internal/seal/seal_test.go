package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
)

const (
	purpose = "test session"
	name    = "__Host-session"
)

var (
	now     = time.Date(2026, 7, 12, 22, 0, 0, 0, time.UTC)
	expires = time.Date(2026, 7, 13, 0, 0, 0, 0, time.UTC)
)

// testKey gives the n-th of a row of keys.
func testKey(n int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return sum[:]
}

func newCodec(t testing.TB, purpose string, keys ...[]byte) *seal.Codec {
	t.Helper()
	codec, err := seal.New(purpose, keys)
	require.NoError(t, err)
	return codec
}

func sealed(t testing.TB, codec *seal.Codec, plaintext []byte) string {
	t.Helper()
	value, err := codec.Seal(name, expires, plaintext)
	require.NoError(t, err)
	return value
}

func assertInvalid(t testing.TB, codec *seal.Codec, name, value string, what ...any) {
	t.Helper()
	plaintext, until, err := codec.Open(name, value, now)
	assert.Equal(t, seal.ErrInvalid, err, what...)
	assert.Empty(t, plaintext, what...)
	assert.True(t, until.IsZero(), what...)
}

func TestRoundTrip(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	for _, size := range []int{0, 1, 2, 3, 15, 16, 17, 300, 4096, 64 << 10, seal.MaxPlaintext} {
		t.Run(fmt.Sprint(size, " bytes"), func(t *testing.T) {
			want := bytes.Repeat([]byte{0xa5}, size)
			plaintext, until, err := codec.Open(name, sealed(t, codec, want), now)
			require.NoError(t, err)
			assert.True(t, plaintext == string(want))
			assert.Equal(t, expires, until)
		})
	}
}

func TestSealIsDifferentEachTime(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	assert.NotEqual(t, sealed(t, codec, []byte("spqr2")), sealed(t, codec, []byte("spqr2")))
}

// The value was made with Python's cryptography (AESGCM) and hashlib, as the
// package documentation describes it.
const (
	vectorValue     = "AQGgoaKjpKWmp6ipqqvmGHwtL58oPxEV9qE1WiJc3KxwQ8e5dCesWde-hjNL4LbB"
	vectorPlaintext = "spqr2 €\x00"
)

var vectorKey = []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")

func TestOpenVector(t *testing.T) {
	plaintext, until, err := newCodec(t, purpose, vectorKey).Open(name, vectorValue, now)
	require.NoError(t, err)
	assert.Equal(t, vectorPlaintext, plaintext)
	assert.Equal(t, expires, until)
}

// Strictly unpadded base64 has two spare bits, four or none, depending on the
// length; the sizes here cover each.
func TestTampering(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	for _, size := range []int{0, 1, 2, 300} {
		t.Run(fmt.Sprint(size, " bytes"), func(t *testing.T) {
			value := sealed(t, codec, bytes.Repeat([]byte{'x'}, size))
			raw, err := base64.RawURLEncoding.DecodeString(value)
			require.NoError(t, err)
			tried := 0
			refuse := func(text, how string, i int) {
				tried++
				if _, _, err := codec.Open(name, text, now); err != seal.ErrInvalid {
					t.Errorf("%s at %d: %v", how, i, err)
				}
			}
			for i := range raw {
				for bit := range 8 {
					flipped := bytes.Clone(raw)
					flipped[i] ^= 1 << bit
					refuse(base64.RawURLEncoding.EncodeToString(flipped), "byte with a flipped bit", i)
				}
				refuse(base64.RawURLEncoding.EncodeToString(raw[:i]), "bytes cut off", i)
				refuse(base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw[:i]), raw[i+1:]...)), "byte removed", i)
				refuse(base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw[:i+1]), raw[i:]...)), "byte doubled", i)
			}
			for i := range value {
				for bit := range 8 {
					refuse(value[:i]+string([]byte{value[i] ^ 1<<bit})+value[i+1:], "character with a flipped bit", i)
				}
				refuse(value[:i], "text cut off", i)
				refuse(value[i+1:], "text cut off before", i)
				refuse(value[:i]+value[i+1:], "character removed", i)
				refuse(value[:i+1]+value[i:], "character doubled", i)
				for _, other := range "! % & = + , - . _ 0 A \x00 \r \n \t é" {
					if text := value[:i] + string(other) + value[i+1:]; text != value {
						refuse(text, fmt.Sprintf("character replaced by %q", other), i)
					}
					refuse(value[:i]+string(other)+value[i:], fmt.Sprintf("%q inserted", other), i)
				}
			}
			for _, end := range []string{"=", "==", "\r", "\n", "\r\n", "\n\n\n\n", " ", "A", "AA", "AAA", "AAAA", value} {
				refuse(value+end, fmt.Sprintf("%.4q added", end), len(value))
			}
			_, _, err = codec.Open(name, value, now)
			require.NoError(t, err, "the value itself")
			t.Logf("%d altered values, none opens", tried)
		})
	}
}

func TestBinding(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	value := sealed(t, codec, []byte("spqr2"))

	t.Run("another name", func(t *testing.T) {
		for _, other := range []string{"", "session", "__Host-sessio", "__Host-session2", "__host-session", "n" + name} {
			assertInvalid(t, codec, other, value, other)
		}
	})
	t.Run("another purpose", func(t *testing.T) {
		for _, other := range []string{"test", "test sessio", "test session2", "Test session"} {
			assertInvalid(t, newCodec(t, other, testKey(0)), name, value, other)
		}
	})
	t.Run("another split of purpose and name", func(t *testing.T) {
		assertInvalid(t, newCodec(t, purpose+name[:2], testKey(0)), name[2:], value)
		assertInvalid(t, newCodec(t, purpose[:5], testKey(0)), purpose[5:]+name, value)
	})
	t.Run("another key", func(t *testing.T) {
		assertInvalid(t, newCodec(t, purpose, testKey(1)), name, value)
	})
	t.Run("another version", func(t *testing.T) {
		raw, err := base64.RawURLEncoding.DecodeString(value)
		require.NoError(t, err)
		for version := range 256 {
			if version != 1 {
				raw[0] = byte(version)
				assertInvalid(t, codec, name, base64.RawURLEncoding.EncodeToString(raw), version)
			}
		}
	})
	t.Run("an empty name is a name", func(t *testing.T) {
		value, err := codec.Seal("", expires, nil)
		require.NoError(t, err)
		_, _, err = codec.Open("", value, now)
		require.NoError(t, err)
		assertInvalid(t, codec, name, value)
	})
}

func TestRotation(t *testing.T) {
	oldKey, newKey := testKey(0), testKey(1)
	old := newCodec(t, purpose, oldKey)
	both := newCodec(t, purpose, newKey, oldKey)
	reversed := newCodec(t, purpose, oldKey, newKey)
	fresh := newCodec(t, purpose, newKey)

	oldValue, newValue := sealed(t, old, []byte("old")), sealed(t, both, []byte("new"))
	tests := []struct {
		name  string
		codec *seal.Codec
		value string
		want  string
	}{
		{"old value, both keys", both, oldValue, "old"},
		{"old value, other order", reversed, oldValue, "old"},
		{"new value, both keys", both, newValue, "new"},
		{"new value, other order", reversed, newValue, "new"},
		{"new value, new key: the first key sealed it", fresh, newValue, "new"},
		{"new value, old key", old, newValue, ""},
		{"old value, key removed", fresh, oldValue, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == "" {
				assertInvalid(t, tt.codec, name, tt.value)
				return
			}
			plaintext, _, err := tt.codec.Open(name, tt.value, now)
			require.NoError(t, err)
			assert.Equal(t, tt.want, plaintext)
		})
	}
}

// Two keys in 256 pairs share their id; the values of both must open.
func TestKeysWithTheSameID(t *testing.T) {
	id := func(key []byte) byte {
		raw, err := base64.RawURLEncoding.DecodeString(sealed(t, newCodec(t, purpose, key), nil))
		require.NoError(t, err)
		return raw[1]
	}
	first, n := testKey(0), 1
	for id(testKey(n)) != id(first) {
		n++
	}
	second := testKey(n)
	for _, codec := range []*seal.Codec{newCodec(t, purpose, first, second), newCodec(t, purpose, second, first)} {
		for _, key := range [][]byte{first, second} {
			plaintext, _, err := codec.Open(name, sealed(t, newCodec(t, purpose, key), []byte("spqr2")), now)
			require.NoError(t, err)
			assert.Equal(t, "spqr2", plaintext)
		}
	}
}

func TestExpiry(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	half := expires.Add(500 * time.Millisecond)
	tests := []struct {
		name    string
		expires time.Time
		now     time.Time
		until   time.Time
		want    error
	}{
		{"long before", expires, now, expires, nil},
		{"a nanosecond before", expires, expires.Add(-1), expires, nil},
		{"exactly then", expires, expires, expires, seal.ErrExpired},
		{"a second after", expires, expires.Add(time.Second), expires, seal.ErrExpired},
		{"years after", expires, expires.AddDate(50, 0, 0), expires, seal.ErrExpired},
		{"fractions are dropped", half, expires, expires, seal.ErrExpired},
		{"another time zone", expires.In(time.FixedZone("", 3600)), now, expires, nil},
		{"the first possible", time.Unix(0, 0), now, time.Unix(0, 0).UTC(), seal.ErrExpired},
		{"the last possible", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), now, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value, err := codec.Seal(name, tt.expires, []byte("spqr2"))
			require.NoError(t, err)
			plaintext, until, err := codec.Open(name, value, tt.now)
			assert.Equal(t, tt.want, err)
			assert.Equal(t, "spqr2", plaintext, "an expired value still tells whose it was")
			assert.Equal(t, tt.until, until)
		})
	}
}

func TestExpiryOutOfRange(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	for _, expires := range []time.Time{
		{}, time.Unix(-1, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<62, 0),
	} {
		value, err := codec.Seal(name, expires, nil)
		assert.ErrorContains(t, err, "is not between 1970 and 9999")
		assert.Empty(t, value)
	}
}

func TestSizes(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	_, err := codec.Seal(name, expires, make([]byte, seal.MaxPlaintext+1))
	assert.EqualError(t, err, "seal: 98305 bytes are more than the maximum of 98304")
	_, _, err = codec.Open(name, sealed(t, codec, make([]byte, seal.MaxPlaintext)), now)
	require.NoError(t, err)
	assertInvalid(t, codec, name, "")
	assertInvalid(t, codec, name, strings.Repeat("A", 1<<20))
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name    string
		purpose string
		keys    [][]byte
		want    string
	}{
		{"no purpose", "", [][]byte{testKey(0)}, "no purpose"},
		{"nil keys", purpose, nil, "no keys"},
		{"no keys", purpose, [][]byte{}, "no keys"},
		{"an AES-128 key", purpose, [][]byte{testKey(0), testKey(1)[:16]}, "key 2: 16 bytes long, not 32"},
		{"an empty key", purpose, [][]byte{nil}, "key 1: 0 bytes long, not 32"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			codec, err := seal.New(tt.purpose, tt.keys)
			assert.EqualError(t, err, "seal: "+tt.want)
			assert.Nil(t, codec)
		})
	}
}

func TestPlaintextIsTheCallers(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0))
	data := []byte("spqr2")
	value, other := sealed(t, codec, data), sealed(t, codec, []byte("test1"))
	assert.Equal(t, "spqr2", string(data), "sealing leaves the plaintext alone")
	first, _, err := codec.Open(name, value, now)
	require.NoError(t, err)
	for range 100 { // in the same memory, were any of it shared
		_, _, err := codec.Open(name, other, now)
		require.NoError(t, err)
	}
	assert.Equal(t, "spqr2", first)
}

func TestConcurrentUse(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0), testKey(1))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			cookie := fmt.Sprint("cookie", i)
			for range 50 {
				value, err := codec.Seal(cookie, expires, []byte(cookie))
				assert.NoError(t, err)
				plaintext, _, err := codec.Open(cookie, value, now)
				assert.NoError(t, err)
				assert.Equal(t, cookie, plaintext)
			}
		})
	}
	wg.Wait()
}

// A logged-in request opens two of these, so each counts.
func TestOpenAllocatesOnce(t *testing.T) {
	codec := newCodec(t, purpose, testKey(0), testKey(1))
	value := sealed(t, codec, make([]byte, 300))
	allocs := testing.AllocsPerRun(100, func() {
		if _, _, err := codec.Open(name, value, now); err != nil {
			t.Error(err)
		}
	})
	assert.LessOrEqual(t, allocs, 1.0)
}

func BenchmarkOpen(b *testing.B) {
	codec := newCodec(b, purpose, testKey(0))
	value := sealed(b, codec, make([]byte, 300))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := codec.Open(name, value, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	codec := newCodec(b, purpose, testKey(0))
	data := make([]byte, 300)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Seal(name, expires, data); err != nil {
			b.Fatal(err)
		}
	}
}
