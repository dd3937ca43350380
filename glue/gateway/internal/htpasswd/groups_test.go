package htpasswd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/textfile"
)

func TestGroups(t *testing.T) {
	g, err := LoadGroups(writeFile(t, "groups", strings.Join([]string{
		"# who may edit", "", "editors: spqr1 abc99  spqr1\r", "  readers :\tspqr2", "nobody:", "editors: zz9", "",
	}, "\n")))
	require.NoError(t, err)
	for _, row := range []struct {
		name, group, user string
		want              bool
	}{
		{"first of a line", "editors", "spqr1", true},
		{"in another order", "editors", "abc99", true},
		{"of the second line", "editors", "zz9", true},
		{"of another group", "editors", "spqr2", false},
		{"after a tab", "readers", "spqr2", true},
		{"empty group", "nobody", "spqr1", false},
		{"no such group", "owners", "spqr1", false},
		{"no user", "editors", "", false},
		{"no user in an empty group", "nobody", "", false},
		{"other case", "editors", "SPQR1", false},
		{"part of a name", "editors", "spqr", false},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, g.Has(row.group, row.user)) })
	}
}

func TestGroupsRefuses(t *testing.T) {
	for _, row := range []struct{ name, line, want string }{
		{"no colon", "editors spqr1", "no colon"},
		{"no name", ": spqr1", "the group's name is missing"},
		{"blank in the name", "my editors: spqr1", "the group's name has a character that is not allowed"},
		{"a second colon", "editors: spqr1: spqr2", "the member's name has a character"},
		{"commas", "editors: spqr1, spqr2", "the member's name has a character"},
		{"a comment behind", "editors: spqr1 # the boss", "begins with #"},
		{"not ASCII", "editors: spqr\u00b9", "the member's name has a character"},
		{"control character", "editors: spqr1\x00", "the member's name has a character"},
		{"byte order mark", "\ufeffeditors: spqr1", "the group's name has a character"},
		{"long", "editors: " + strings.Repeat("x", longestName+1), "longer than 255 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := LoadGroups(writeFile(t, "groups", "a: b\n"+row.line+"\n"))
			require.ErrorContains(t, err, row.want)
			assert.ErrorContains(t, err, "groups:2: ")
		})
	}
}

// What is read can be written and read again as the same.
func FuzzGroups(f *testing.F) {
	for _, seed := range []string{"editors: spqr1 spqr2\n", "# x\n\na:b\r\na: c", "a:", ":", "a: b #c", "a b: c", "\x00:\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g := Groups{}
		if textfile.EachLineOf("groups", text, g.add) != nil {
			return
		}
		g.sort()
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(g)) {
			for _, m := range g[name] {
				require.True(t, g.Has(name, m))
			}
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(g[name], " "))
		}
		again := Groups{}
		require.NoError(t, textfile.EachLineOf("groups", b.String(), again.add))
		again.sort()
		require.Equal(t, len(g), len(again))
		for name := range g {
			require.True(t, slices.Equal(g[name], again[name]))
		}
	})
}
