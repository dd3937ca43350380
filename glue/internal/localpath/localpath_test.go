package localpath

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIs(t *testing.T) {
	for name, tt := range map[string]struct {
		path string
		want bool
	}{
		"the start":              {"/", true},
		"a path with a query":    {"/a/b?c=d&e=//x", true},
		"dots":                   {"/../a", true},
		"the longest":            {"/" + strings.Repeat("a", 1023), true},
		"too long":               {"/" + strings.Repeat("a", 1024), false},
		"empty":                  {"", false},
		"relative":               {"a", false},
		"another host":           {"//evil.example", false},
		"a URL":                  {"https://evil.example/", false},
		"a backslash":            {`/\evil.example`, false},
		"a tab":                  {"/\t/evil.example", false},
		"a line break":           {"/a\r\nSet-Cookie: b", false},
		"a fragment":             {"/a#b", false},
		"not ASCII":              {"/\u00e9", false},
		"a broken escape":        {"/%zz", false},
		"a script":               {"javascript:alert(1)", false},
		"something before a URL": {" /a", false},
	} {
		assert.Equal(t, tt.want, Is(tt.path), name)
	}
}
