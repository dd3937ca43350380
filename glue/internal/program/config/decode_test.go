package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
)

// Shared is what several programs have.
type Shared struct {
	URL    string `toml:"url"`
	hidden string
}

type whole struct {
	Shared
	Names map[string]string `toml:"names"`
	Parts []struct {
		Path string `toml:"path"`
	} `toml:"part"`
}

// TestRead: keys of embedded structs are keys of the table, and tables of names hold any key.
func TestRead(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       whole
		found      []string
	}{
		{"embedded and named", "url = \"a\"\n[names]\nx = \"y\"\n\"p q.r\" = \"z\"\n",
			whole{Shared: Shared{URL: "a"}, Names: map[string]string{"x": "y", "p q.r": "z"}}, nil},
		{"inline", "names = {x = \"y\"}\n", whole{Names: map[string]string{"x": "y"}}, nil},
		{"no name", "[names]\nx = 1\n", whole{Names: map[string]string{"x": ""}}, []string{"2:5: error: names.x: this is a whole number, but must be a string"}},
		{"no name, quoted", "[names]\n\"p q\" = [\"y\"]\n", whole{Names: map[string]string{"p q": ""}}, []string{`2:1: error: names."p q": this is an array, but must be a string`}},
		{"no table", "names = \"x\"\n", whole{}, []string{"1:9: error: names: this is a string, but must be a table"}},
		{"unknown beside an embedded one", "urls = \"a\"\n", whole{}, []string{`1:1: error: urls: this key is unknown: did you mean "url"?`}},
		{"an embedded one elsewhere", "[[part]]\nurl = \"a\"\n", whole{Parts: make([]struct {
			Path string `toml:"path"`
		}, 1)}, []string{"2:1: error: part[1].url: this key is unknown: it belongs at the top of the file"}},
		{"a struct's own name", "Shared = \"a\"\nhidden = \"a\"\n", whole{}, []string{"1:1: error: Shared: this key is unknown", "2:1: error: hidden: this key is unknown"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "c.toml")
			require.NoError(t, os.WriteFile(file, []byte(row.text), 0o600))
			var got whole
			f, found, err := config.Read(file, &got, nil)
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
			found = f.Placed(found)
			require.Len(t, found, len(row.found), "%v", found)
			for i, want := range row.found {
				assert.True(t, strings.HasPrefix(found[i].String(), file+":"+want), "%v", found[i])
			}
		})
	}
	_ = Shared{}.hidden
}
