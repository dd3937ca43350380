// Package localpath tells paths of a site from what a browser may take for an address
// elsewhere.
package localpath

import (
	"net/url"
	"strings"
)

// Is reports whether s, appended to an origin, is a URL of that origin and
// cannot be read as anything else by a browser that resolves it as a reference.
func Is(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || len(s) > 1024 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' {
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.Host == "" && u.Scheme == "" && u.User == nil
}
