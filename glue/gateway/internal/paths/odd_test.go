package paths

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadings(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"/queues/%2F/name", []string{"/queues/name", "/queues/%252F/name", "/queues/"}},
		{"/a;x=1/b", []string{"/a%3Bx=1/b", "/a/b", "/a"}},
		{"/%2525", []string{"/%2525", "/%25"}},
		{"/a%2Fb", []string{"/a/b", "/a%252Fb"}},
	} {
		t.Run(tt.in, func(t *testing.T) {
			sent, err := Sent(tt.in)
			require.NoError(t, err)
			assert.Equal(t, tt.in, sent)
			assert.True(t, IsOdd(sent))
			got, err := Readings(sent)
			require.NoError(t, err)
			assert.ElementsMatch(t, tt.want, got)
		})
	}
	for in, want := range map[string]error{
		"/a%2F..": errPathAbove, "/a%252F%252e": errPathAbove, "/..;/a": errPathAbove, "/a;/..": errPathAbove, "/a%5Cb;": errPathSlash, "/a%255Cb": errPathSlash,
		"/a%2500": errPathControl, "/a%25ff": errPathUTF8, "/a%25u002f;": errPathTwice, "/%" + strings.Repeat("25", 80): errPathTwice,
	} {
		_, err := Readings(in)
		assert.ErrorIs(t, err, want, in)
	}
	for _, in := range []string{"", "a%2Fb", "/a//b%2F", "/a b%2F", `/a\b%2F`, "/a%2", "/a%zz;", "/a#;", "/" + strings.Repeat(";", maxOdd)} {
		_, err := Sent(in)
		assert.Error(t, err, in)
	}
}
