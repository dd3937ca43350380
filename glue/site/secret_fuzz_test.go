package site_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// FuzzParseSecret checks that whatever is accepted has the lines that a reader
// of the text sees, that they mean the same written plainly, and that whatever
// is refused is not quoted.
func FuzzParseSecret(f *testing.F) {
	for _, seed := range []string{
		"", "#", "\n", "change me", strings.Repeat("x", 64),
		base64Line, hexLine, textLine,
		base64Line + "\r\n# old\r\n\r\n" + hexLine + "\r\n",
		" " + base64Line + " \n\t# c\n" + textLine + " # no comment",
		base64Line + "\n" + base64Line,
		base64Line + "\r" + hexLine, "\ufeff" + base64Line, "\x00" + base64Line,
		strings.Repeat(base64Line[:22], 2), base64Line + "==",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var lines []string
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.Trim(line, " \t\r"); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
		secret, err := site.ParseSecret(text)
		if err != nil {
			for _, line := range lines {
				if len(line) >= 32 {
					assert.NotContains(t, err.Error(), line)
				}
			}
			return
		}
		keys := secret.Derive("fuzz")
		require.Len(t, keys, len(lines))
		for _, line := range lines {
			assert.GreaterOrEqual(t, len(line), 32)
		}
		plain, err := site.ParseSecret(strings.Join(lines, "\n"))
		require.NoError(t, err)
		assert.Equal(t, keys, plain.Derive("fuzz"))
	})
}
