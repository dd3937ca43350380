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

func TestIsTarget(t *testing.T) {
	query := "/?" + strings.Repeat("a", 8<<10)
	for name, tt := range map[string]struct {
		target string
		want   bool
	}{
		"the longest query":   {query, true},
		"the longest":         {"/" + strings.Repeat("a", maxPath-2) + query, true},
		"too long":            {"/" + strings.Repeat("a", maxPath-1) + query, false},
		"too long a path":     {"/" + strings.Repeat("a", maxPath), false},
		"and with a query":    {"/" + strings.Repeat("a", maxPath) + "?a", false},
		"another host":        {"/" + query, false},
		"a line break":        {query[:4<<10] + "\r\n", false},
		"a fragment":          {query[:4<<10] + "#", false},
		"a path in the query": {query[:4<<10] + "//evil.example", true},
	} {
		assert.Equal(t, tt.want, IsTarget(tt.target), name)
	}
}
