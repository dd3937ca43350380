package redisstore

import (
	"html/template"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValuesRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name   string
		values map[any]any
		text   string
	}{
		{"nothing", map[any]any{}, "1"},
		{"of every type", map[any]any{"s": "x", "b": true, "f": false, "i": -1, "l": int64(7)}, "11:bb1:11:fb1:01:ii2:-11:ll1:71:ss1:x"},
		{"empty key and value", map[any]any{"": ""}, "10:s0:"},
		{"extremes", map[any]any{"a": int64(math.MinInt64), "b": int64(math.MaxInt64)}, "11:al20:-92233720368547758081:bl19:9223372036854775807"},
		{"any bytes", map[any]any{"\x00:\n": "1:\xff\"\\{}"}, "13:\x00:\ns7:1:\xff\"\\{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := encodeValues(c.values)
			require.NoError(t, err)
			assert.Equal(t, c.text, text)
			back, err := decodeValues(text)
			require.NoError(t, err)
			assert.Equal(t, c.values, back)
		})
	}
}

func TestValuesThatCannotBeStored(t *testing.T) {
	for _, c := range []struct {
		name   string
		values map[any]any
		says   string
	}{
		{"slice", map[any]any{"a": []string{"x"}}, `Session.Values["a"]: a []string cannot be stored`},
		{"flashes", map[any]any{"_flash": []any{"x"}}, "cannot be stored; use string, bool, int or int64"},
		{"float", map[any]any{"a": 1.5}, "float64"},
		{"uint64", map[any]any{"a": uint64(1)}, "uint64"},
		{"nil", map[any]any{"a": nil}, "<nil>"},
		{"struct", map[any]any{"a": struct{}{}}, "struct {}"},
		{"string of another type", map[any]any{"a": template.HTML("x")}, "template.HTML"},
		{"key that is no string", map[any]any{1: "a"}, "a key of Session.Values is a int"},
		{"too much", map[any]any{"a": strings.Repeat("x", maxValues)}, "the most is 65536"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := encodeValues(c.values)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

// hostileValues is what somebody could put into Redis.
var hostileValues = map[string]string{
	"empty":                  "",
	"other version":          "2",
	"trailing bytes":         "11:as1:xz",
	"key only":               "11:a",
	"no value":               "11:as",
	"unknown type":           "11:ax1:x",
	"count too large":        "11:as9:x",
	"huge count":             "199999999999999999999:a",
	"negative count":         "1-1:as1:x",
	"count with a zero":      "101:as1:x",
	"count with a plus":      "1+1:as1:x",
	"count missing":          "1:as1:x",
	"no colon":               "11as1:x",
	"key twice":              "11:as1:x1:as1:y",
	"keys out of order":      "11:bs1:x1:as1:y",
	"bool of another kind":   "11:ab4:true",
	"int with a plus":        "11:ai2:+1",
	"int with a zero":        "11:ai2:01",
	"minus zero":             "11:ai2:-0",
	"int64 too large":        "11:al20:99999999999999999999",
	"int with a blank":       "11:al2: 1",
	"gob":                    "\x0e\xff\x81\x04\x01\x02\xff\x82",
	"JSON":                   `{"principal":"spqr1"}`,
	"longer than is written": "11:as70000:" + strings.Repeat("x", 70000),
}

func TestValuesHostile(t *testing.T) {
	for name, text := range hostileValues {
		t.Run(name, func(t *testing.T) {
			_, err := decodeValues(text)
			assert.ErrorIs(t, err, errValues)
		})
	}
}

// FuzzValues holds that what can be read is written in one way only.
func FuzzValues(f *testing.F) {
	for _, text := range hostileValues {
		f.Add(text)
	}
	f.Add("1")
	f.Add("11:bb1:11:fb1:01:ii2:-11:ll1:71:ss1:x")
	f.Add("19:principals5:spqr17:expiresl10:1795305600")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := decodeValues(text)
		if err != nil {
			return
		}
		again, err := encodeValues(values)
		require.NoError(t, err)
		require.Equal(t, text, again)
		back, err := decodeValues(again)
		require.NoError(t, err)
		require.True(t, maps.Equal(values, back))
	})
}
