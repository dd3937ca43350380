// Package scopelist reads and writes lists of scopes (RFC 6749 section 3.3).
package scopelist

import (
	"errors"
	"slices"
	"strings"
)

// Bounds of what clients send as a scope.
const (
	MaxName = 64
	maxText = 2048
)

// Parse reads a scope parameter (RFC 6749 section 3.3): names, each once, with
// one blank between them. The order has no meaning; the result is sorted. An empty text
// is an empty list.
func Parse(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxText {
		return nil, errors.New("the scope is too long")
	}
	names := strings.Split(text, " ")
	for _, name := range names {
		if !Valid(name) {
			return nil, errors.New("the scope is malformed")
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func Valid(name string) bool {
	if name == "" || len(name) > MaxName {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Join is the text of a list: sorted, each name once.
func Join(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// Covers reports whether everything in want is in have.
func Covers(have, want []string) bool {
	for _, name := range want {
		if !slices.Contains(have, name) {
			return false
		}
	}
	return true
}
