package site_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Lines that pass every rule.
const (
	base64Line = "q0Yb7mJ2xN-4rTgV1sKpZ8eWc5uHdLfA9oXiB3nE6Q_"
	hexLine    = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210"
	textLine   = "Trinity, Jesus, Clare & Magdalene"
)

func TestParseSecretLines(t *testing.T) {
	want := func(lines ...string) [][]byte {
		var keys [][]byte
		for _, line := range lines {
			secret, err := site.ParseSecret(line)
			require.NoError(t, err)
			keys = append(keys, secret.Derive("test")...)
		}
		return keys
	}
	tests := []struct {
		name, text string
		lines      []string
	}{
		{"base64url", base64Line, []string{base64Line}},
		{"base64 with padding", "q0Yb7mJ2xN+4rTgV1sKpZ8eWc5uHdLfA9oXiB3nE6Q8=", []string{"q0Yb7mJ2xN+4rTgV1sKpZ8eWc5uHdLfA9oXiB3nE6Q8="}},
		{"hexadecimal", hexLine, []string{hexLine}},
		{"upper-case hexadecimal", strings.ToUpper(hexLine), []string{strings.ToUpper(hexLine)}},
		{"text", textLine, []string{textLine}},
		{"32 characters of text", textLine[:32], []string{textLine[:32]}},
		{"newline at the end", base64Line + "\n", []string{base64Line}},
		{"the first line is first", hexLine + "\n" + base64Line + "\n" + textLine, []string{hexLine, base64Line, textLine}},
		{"lines of Windows", hexLine + "\r\n" + base64Line + "\r\n", []string{hexLine, base64Line}},
		{"blanks around a line", " \t" + textLine + " \t\n", []string{textLine}},
		{"comments and blank lines", "# ours, été 2026\n\n" + base64Line + "\n \n  # the old one\n" + hexLine + "\n\n", []string{base64Line, hexLine}},
		{"a # inside is no comment", textLine + " # 2026", []string{textLine + " # 2026"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secret, err := site.ParseSecret(tt.text)
			require.NoError(t, err)
			assert.Equal(t, want(tt.lines...), secret.Derive("test"))
		})
	}
}

func TestParseSecretRefuses(t *testing.T) {
	const makeOne = "make one with: openssl rand -base64 48"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{"holds no secret", makeOne}},
		{"only comments", "# the secret:\n\n# none\n", []string{"holds no secret", makeOne}},
		{"change me", "change me", []string{"line 1", "placeholder", makeOne}},
		{"changeme", "changeme", []string{"placeholder"}},
		{"CHANGE_ME", "CHANGE_ME", []string{"placeholder"}},
		{"secret", "secret", []string{"placeholder"}},
		{"password", "password", []string{"placeholder"}},
		{"a long placeholder", "please-change-me-to-something-long-and-random-4711", []string{"placeholder"}},
		{"a placeholder around randomness", "secret:" + base64Line, []string{"placeholder"}},
		{"one character repeated", strings.Repeat("x", 64), []string{"only 1 different characters, fewer than 10"}},
		{"nine different characters", strings.Repeat("abc", 10) + "defdef ghghgh", []string{"only 9 different characters, fewer than 10"}},
		{"a short text repeated", strings.Repeat("Trinity Lane 7! ", 4), []string{"a shorter text repeated"}},
		{"repeated in part", strings.Repeat(base64Line[:20], 3)[:55], []string{"a shorter text repeated"}},
		{"31 characters of text", textLine[:31], []string{"too short: 31 characters, fewer than 32"}},
		{"240 bits of base64", base64Line[:40], []string{"too short: 40 base64 characters, fewer than the 43 of 256 bits"}},
		{"padding is not counted", base64Line[:42] + "==", []string{"too short: 42 base64 characters"}},
		{"252 bits of hexadecimal", hexLine[:63], []string{"too short: 63 hexadecimal digits, fewer than the 64 of 256 bits"}},
		{"a bad line after a good one", base64Line + "\n# old:\nchangeme\n", []string{"line 3", "placeholder"}},
		{"the same line twice", base64Line + "\n\n" + base64Line, []string{"line 3 repeats line 1", "remove one of them"}},
		{"raw bytes", "\x00\x8f\x1e" + base64Line, []string{"other than printable ASCII"}},
		{"letters outside ASCII", "é" + base64Line, []string{"other than printable ASCII"}},
		{"a byte order mark", "\ufeff" + base64Line, []string{"other than printable ASCII"}},
		{"a delete character", textLine + "\x7f", []string{"other than printable ASCII"}},
		{"a tab inside", textLine + "\tCaius", []string{"other than printable ASCII"}},
		{"lines of an old Macintosh", base64Line + "\r" + hexLine, []string{"other than printable ASCII"}},
		{"the wrong file", base64Line + strings.Repeat("\n", 16<<10), []string{"larger than 16 KiB"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secret, err := site.ParseSecret(tt.text)
			require.Error(t, err)
			assert.Nil(t, secret)
			assert.True(t, strings.HasPrefix(err.Error(), "site: secret: "), err)
			for _, part := range tt.want {
				assert.Contains(t, err.Error(), part)
			}
			assert.NotContains(t, err.Error(), base64Line)
		})
	}
}

// The keys were computed with Python's hmac and hashlib, and the first also
// with `openssl kdf`.
func TestDeriveVector(t *testing.T) {
	secret, err := site.ParseSecret(base64Line + "\n" + hexLine)
	require.NoError(t, err)
	tests := []struct {
		name    string
		purpose string
		context []string
		want    []string
	}{
		{"purpose alone", "session cookie", nil, []string{
			"30f28e65a5d256c45111324dcc9bdec0a8a73eed4818668fe939bc1b41be5063",
			"70866a777cb3742225abba7a236d2ad8f9249d0dad2c0acd96a3549c9a0c9061",
		}},
		{"with context", "session cookie", []string{"Raven https://raven.cam.ac.uk/auth/authenticate.html", "https://soc.example"}, []string{
			"a0779c1b3dfe2ea9a447ddcdec894d3149cb07cbbbbd8ea0d88550931ab42f46",
			"ea74e48a6b3af815527892dba7468ebb4dfe67103213e2784abbe10abf7bfa87",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, key := range secret.Derive(tt.purpose, tt.context...) {
				got = append(got, hex.EncodeToString(key))
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestDeriveKeepsListsApart(t *testing.T) {
	secret, err := site.ParseSecret(base64Line)
	require.NoError(t, err)
	lists := [][]string{
		{""}, {"", ""}, {"", "", ""},
		{"ab"}, {"a", "b"}, {"ab", ""}, {"", "ab"}, {"b", "a"}, {"a", "b", ""},
		{"a\x00\x00\x00\x00\x00\x00\x00\x01b"}, {"a\x00b"}, {"a", "\x00b"},
	}
	seen := make(map[string][]string)
	for _, list := range lists {
		keys := secret.Derive(list[0], list[1:]...)
		require.Len(t, keys, 1)
		assert.Len(t, keys[0], 32)
		assert.NotContains(t, seen, string(keys[0]), "%q and %q", list, seen[string(keys[0])])
		seen[string(keys[0])] = list
	}
}

func TestDerivedKeysAreTheCallers(t *testing.T) {
	secret, err := site.ParseSecret(base64Line)
	require.NoError(t, err)
	keys := secret.Derive("test")
	before := bytes.Clone(keys[0])
	clear(keys[0])
	assert.Equal(t, before, secret.Derive("test")[0])
}

func TestZeroSecretDerivesNothing(t *testing.T) {
	assert.Empty(t, new(site.Secret).Derive("test"))
}

func TestDeriveConcurrently(t *testing.T) {
	secret, err := site.ParseSecret(base64Line)
	require.NoError(t, err)
	want := secret.Derive("test", "context")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { assert.Equal(t, want, secret.Derive("test", "context")) })
	}
	wg.Wait()
}

func TestSecretRedactsItself(t *testing.T) {
	secret, err := site.ParseSecret(base64Line)
	require.NoError(t, err)
	type config struct {
		Public  *site.Secret
		Value   site.Secret
		private site.Secret
	}
	cfg := config{secret, *secret, *secret}

	asJSON, err := json.Marshal(cfg)
	require.NoError(t, err)
	asText, err := secret.MarshalText()
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "pointer", secret, "value", *secret, "config", cfg)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "pointer", secret, "value", *secret, "config", cfg)

	shown := map[string]string{
		"String":   secret.String(),
		"GoString": secret.GoString(),
		"JSON":     string(asJSON),
		"text":     string(asText),
		"log":      log.String(),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		shown[verb] = fmt.Sprintf(verb, secret)
		shown[verb+" of a value"] = fmt.Sprintf(verb, *secret)
		shown[verb+" of a struct"] = fmt.Sprintf(verb, cfg)
		shown[verb+" of a pointer to a struct"] = fmt.Sprintf(verb, &cfg)
	}
	inDecimal := strings.Trim(fmt.Sprint([]byte(base64Line)), "[]")
	for how, text := range shown {
		assert.NotContains(t, text, base64Line, how)
		assert.NotContains(t, strings.ToLower(text), hex.EncodeToString([]byte(base64Line)), how)
		assert.NotContains(t, text, inDecimal, how)
	}
	assert.Equal(t, "[redacted site secret]", shown["%v"])
	assert.Equal(t, "[redacted site secret]", shown["%x of a value"])
	assert.Equal(t, 8, strings.Count(log.String(), "[redacted site secret]"), log.String())
}
