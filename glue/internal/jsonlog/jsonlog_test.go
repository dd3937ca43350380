package jsonlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/jsonlog"
)

// line logs a value under a key, and returns what was written.
func line(t *testing.T, key, value string) string {
	t.Helper()
	var b bytes.Buffer
	h := jsonlog.NewHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}})
	slog.New(h).Info("", key, value)
	return b.String()
}

func TestNewHandler(t *testing.T) {
	for _, row := range []struct{ name, value, want string }{
		{"plain", "Mozilla/5.0", `Mozilla/5.0`},
		{"letters of other scripts", "Ørsted, 漢字, עברית", `Ørsted, 漢字, עברית`},
		{"an emoji", "🙂", `🙂`},
		{"C0", "a\x1b[2Jb", `a\u001b[2Jb`},
		{"DEL", "a\x7fb", `a\u007fb`},
		{"the first C1", "a\u0080b", `a\u0080b`},
		{"CSI in one character", "a\u009b2Jb", `a\u009b2Jb`},
		{"the last C1", "a\u009fb", `a\u009fb`},
		{"Arabic letter mark", "a\u061cb", `a\u061cb`},
		{"left-to-right mark", "a\u200eb", `a\u200eb`},
		{"right-to-left override", "a\u202eb", `a\u202eb`},
		{"isolate", "a\u2066b\u2069c", `a\u2066b\u2069c`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"paragraph separator", "a\u2029b", `a\u2029b`},
		{"no width", "a\u200bb\ufeffc", `a\u200bb\ufeffc`},
		{"soft hyphen", "a\u00adb", `a\u00adb`},
		{"blank that is none", "a\u00a0b", `a\u00a0b`},
		{"Hangul filler", "a\u3164b", `a\u3164b`},
		{"variation selector", "a\ufe0fb", `a\ufe0fb`},
		{"tags, beyond the first plane", "a\U000e0041b", `a\udb40\udc41b`},
		{"for private use", "a\ue000b", `a\ue000b`},
		{"not UTF-8", "a\x9bb", `a\ufffdb`},
		{"what looks like an escape", `a\u009bb`, `a\\u009bb`},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, `{"value":"`+row.want+"\"}\n", line(t, "value", row.value))
			assert.Equal(t, `{"`+row.want+"\":\"v\"}\n", line(t, row.value, "v"), "as a key")
		})
	}
}

// TestNewHandler_raw: what marshals itself may bring bytes that are not UTF-8.
func TestNewHandler_raw(t *testing.T) {
	var b bytes.Buffer
	slog.New(jsonlog.NewHandler(&b, nil)).Info("", "value", json.RawMessage("\"a\x9bb\ufffd\""))
	assert.Contains(t, b.String(), "\"a\\ufffdb\ufffd\"")
}

// TestNothingHidden logs every character there is, many at a time.
func TestNothingHidden(t *testing.T) {
	const many = 1 << 12
	for first := rune(0); first <= unicode.MaxRune; first += many {
		var b strings.Builder
		for r := first; r < first+many; r++ {
			if utf8.ValidRune(r) {
				b.WriteRune(r)
			}
		}
		text := line(t, "v", b.String())
		hidden := strings.IndexFunc(text[:len(text)-1], func(r rune) bool { return !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) })
		require.Negative(t, hidden, "%U and following", first)
		var back map[string]string
		require.NoError(t, json.Unmarshal([]byte(text), &back), "%U", first)
		require.Equal(t, b.String(), back["v"], "%U and following", first)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestErrorsAreTold(t *testing.T) {
	for _, value := range []string{"plain", "\u202e"} {
		h := jsonlog.NewHandler(broken{}, nil)
		record := slog.Record{}
		record.AddAttrs(slog.String("v", value))
		assert.EqualError(t, h.Handle(t.Context(), record), "disk full")
	}
}
