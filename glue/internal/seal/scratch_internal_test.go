package seal

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No plaintext stays in the memory that Open works in, nor much of that memory.
func TestScratch(t *testing.T) {
	codec, err := New("test", [][]byte{make([]byte, 32)})
	require.NoError(t, err)
	now := time.Unix(1772366400, 0)
	for _, tt := range []struct {
		name string
		size int
		edit func(value string) string
	}{
		{"genuine", 3000, strings.Clone},
		{"expired", 3000, func(value string) string { now = now.Add(2 * time.Hour); return value }},
		{"altered", 3000, func(value string) string { return value[:len(value)-4] + "AAAA" }},
		{"large", maxScratch, strings.Clone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value, err := codec.Seal("name", now.Add(time.Hour), []byte(strings.Repeat("secret", tt.size/6)))
			require.NoError(t, err)
			kept := 0
			for range 100 { // a pool may drop what it is given
				_, _, _ = codec.Open("name", tt.edit(value), now)
				if buf, ok := codec.scratch.Get().(*[]byte); ok {
					kept++
					all := (*buf)[:cap(*buf)]
					assert.Equal(t, make([]byte, len(all)), all)
				}
			}
			assert.Equal(t, tt.size < maxScratch, kept > 0)
		})
	}
}
