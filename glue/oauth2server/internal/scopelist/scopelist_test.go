package scopelist

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseScopes(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
		bad        bool
	}{
		{name: "none"},
		{name: "one", text: "a", want: []string{"a"}},
		{name: "sorted, each once", text: "b a b", want: []string{"a", "b"}},
		{name: "all that is allowed", text: "!#[]~:/.", want: []string{"!#[]~:/."}},
		{name: "a blank", text: " ", bad: true},
		{name: "a blank before", text: " a", bad: true},
		{name: "a blank after", text: "a ", bad: true},
		{name: "two blanks", text: "a  b", bad: true},
		{name: "a tab", text: "a\tb", bad: true},
		{name: "a quote", text: `a"`, bad: true},
		{name: "a backslash", text: `a\`, bad: true},
		{name: "a letter beyond ASCII", text: "é", bad: true},
		{name: "a NUL", text: "a\x00", bad: true},
		{name: "a DEL", text: "a\x7f", bad: true},
		{name: "the longest name", text: strings.Repeat("a", 64), want: []string{strings.Repeat("a", 64)}},
		{name: "a longer name", text: strings.Repeat("a", 65), bad: true},
		{name: "too much", text: strings.Repeat("a ", 1100) + "a", bad: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Parse(tc.text)
			assert.Equal(t, tc.bad, err != nil)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		have, want []string
		ok         bool
	}{
		{nil, nil, true},
		{[]string{"a"}, nil, true},
		{[]string{"a", "b"}, []string{"b"}, true},
		{nil, []string{"a"}, false},
		{[]string{"a"}, []string{"a", "b"}, false},
		{[]string{"ab"}, []string{"a"}, false},
		{[]string{"A"}, []string{"a"}, false},
	} {
		assert.Equal(t, tc.ok, Covers(tc.have, tc.want), "%v %v", tc.have, tc.want)
	}
}

func FuzzParseScopes(f *testing.F) {
	for _, text := range []string{"", "a", "b a", "a  b", `a"`, "records:read records:write"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, err := Parse(text)
		if err != nil {
			return
		}
		require.True(t, slices.IsSorted(names))
		again, err := Parse(Join(names))
		require.NoError(t, err)
		require.Equal(t, names, again)
	})
}
