package credential

import (
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var prefixes = []Prefix{Personal, Access, Refresh, Code, Secret}

// textForm is what scanners for leaked secrets can look for.
var textForm = regexp.MustCompile(`^wls[parcs]_[0-9A-Za-z]{49}$`)

func TestMintedTexts(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range prefixes {
		for range 100 {
			text, h := Mint(p)
			require.Regexp(t, textForm, text)
			require.False(t, seen[text])
			seen[text] = true
			require.Equal(t, sha256.Sum256([]byte(text)), h.Text)
			require.Equal(t, p == Refresh, h.HasLine())
			gotPrefix, gotHash, ok := Parse(text)
			require.True(t, ok)
			require.Equal(t, p, gotPrefix)
			require.Equal(t, h, gotHash)
			for _, other := range prefixes {
				_, ok := ParseAs(other, text)
				require.Equal(t, other == p, ok)
			}
		}
	}
}

// A refresh token shares with the next of its line what names the line, and nothing else.
func TestLinesOfRefreshTokens(t *testing.T) {
	first, h := Mint(Refresh)
	other, hOther := Mint(Refresh)
	assert.NotEqual(t, h.Line, hOther.Line)
	assert.NotEqual(t, first[:prefixLength+lineLength], other[:prefixLength+lineLength])
	seen := map[string]bool{first[prefixLength+lineLength:]: true}
	last := first
	for range 100 {
		next, hNext := Next(last)
		require.Regexp(t, textForm, next)
		p, parsed, ok := Parse(next)
		require.True(t, ok)
		require.Equal(t, Refresh, p)
		require.Equal(t, hNext, parsed)
		require.Equal(t, h.Line, hNext.Line)
		require.NotEqual(t, h.Text, hNext.Text)
		require.Equal(t, first[:prefixLength+lineLength], next[:prefixLength+lineLength])
		require.False(t, seen[next[prefixLength+lineLength:]])
		seen[next[prefixLength+lineLength:]], last = true, next
	}
	assert.False(t, h.Is(nil))
	assert.False(t, h.Is(h.Line[:]))
	assert.True(t, h.Is(h.Text[:]))
}

// The form is fixed: texts that people have must stay good.
func TestKnownTexts(t *testing.T) {
	const text = "wlsp_0000000000000000000000000000000000000000000" // the sum is from another program
	p, _, ok := Parse(text + "0lKSiA")
	assert.True(t, ok)
	assert.Equal(t, Personal, p)
}

func TestParseRefuses(t *testing.T) {
	good, _ := Mint(Personal)
	resum := func(text string) string { return string(appendSum([]byte(text[:textLength-sumLength]))) }
	for _, tc := range []struct{ name, text string }{
		{"nothing", ""},
		{"a prefix", "wlsp_"},
		{"too short", good[:textLength-1]},
		{"too long", good + "0"},
		{"a blank before", " " + good[:textLength-1]},
		{"a line break after", good[:textLength-1] + "\n"},
		{"another prefix, rightly summed", resum("wlsx_" + good[prefixLength:])},
		{"a prefix in capitals", resum("WLSP_" + good[prefixLength:])},
		{"another kind, wrongly summed", "wlsa_" + good[prefixLength:]},
		{"a letter that there is not", resum(good[:10] + "-" + good[11:])},
		{"a NUL", resum(good[:10] + "\x00" + good[11:])},
	} {
		_, _, ok := Parse(tc.text)
		assert.False(t, ok, tc.name)
	}
	for i := range good { // CRC-32 finds every single change
		for _, c := range []byte("0Az_") {
			if good[i] == c {
				continue
			}
			_, _, ok := Parse(good[:i] + string(c) + good[i+1:])
			require.False(t, ok, "%d %c", i, c)
		}
	}
}

// Each of the 62 characters is as likely as the others.
func TestRandomTextIsEven(t *testing.T) {
	const n = 62 * 4000
	text := string(appendRandom(nil, n))
	require.Len(t, text, n)
	chi := 0.0
	for _, c := range Alphabet {
		d := float64(strings.Count(text, string(c))) - 4000
		chi += d * d / 4000
	}
	// 61 degrees of freedom: by chance once in more than 10^9 runs.
	assert.Less(t, chi, 150.0)
}

func FuzzParse(f *testing.F) {
	for _, p := range prefixes {
		text, _ := Mint(p)
		f.Add(text)
		f.Add(text[:textLength-1])
		f.Add(strings.ToUpper(text))
	}
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		p, h, ok := Parse(text)
		if !ok {
			return
		}
		require.Regexp(t, textForm, text)
		require.True(t, strings.HasPrefix(text, string(p)))
		require.Equal(t, text, string(appendSum([]byte(text[:textLength-sumLength]))))
		require.Equal(t, sha256.Sum256([]byte(text)), h.Text)
		require.Equal(t, p == Refresh, h.HasLine())
	})
}
