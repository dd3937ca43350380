// Package localpath checks that a path of a site cannot be taken by a browser for a URL
// elsewhere.
package localpath

import (
	"net/url"
	"strings"
)

// maxPath bounds paths in configurations and forms, and the path of a target.
const maxPath = 1 << 10

// MaxTarget is the longest target, in bytes: a path, and a query of the 8 KiB that
// clients and servers let through.
const MaxTarget = maxPath + 1 + 8<<10

// WithQuery returns a path with a query; an empty one is none.
func WithQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// Is reports whether s, appended to an origin, is a URL of that origin and
// cannot be read as anything else by a browser that resolves it as a reference.
func Is(s string) bool { return len(s) <= maxPath && IsTarget(s) }

// IsTarget is [Is] for the targets of requests, whose query may be longer: up to
// [MaxTarget] bytes with the path.
func IsTarget(s string) bool {
	if path, _, _ := strings.Cut(s, "?"); len(path) > maxPath || len(s) > MaxTarget {
		return false
	}
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
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
