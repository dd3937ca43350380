package oauth2server

import (
	"errors"
	"slices"
	"strings"
)

// Bounds of what clients send as a scope.
const (
	maxScopeName = 64
	maxScopeText = 2048
)

// parseScopes reads a scope parameter (RFC 6749 section 3.3): names, each once, with
// one blank between them. The order has no meaning; the result is sorted. An empty text
// is an empty list.
func parseScopes(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxScopeText {
		return nil, errors.New("the scope is too long")
	}
	names := strings.Split(text, " ")
	for _, name := range names {
		if !validScope(name) {
			return nil, errors.New("the scope is malformed")
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func validScope(name string) bool {
	if name == "" || len(name) > maxScopeName {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// joinScopes is the text of a list: sorted, each name once.
func joinScopes(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// covers reports whether everything in want is in have.
func covers(have, want []string) bool {
	for _, name := range want {
		if !slices.Contains(have, name) {
			return false
		}
	}
	return true
}
