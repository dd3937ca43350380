// Package scopelist reads and writes lists of scopes (RFC 6749 section 3.3).
package scopelist

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Bounds of what clients send as a scope.
const (
	// MaxName is how long a scope's name can be, in bytes.
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

var valid = regexp.MustCompile(`^[!#-\[\]-~]+$`)

// Valid reports whether a text can be the name of a scope.
func Valid(name string) bool { return len(name) <= MaxName && valid.MatchString(name) }

// Join returns the text of a list: sorted, each name once.
func Join(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// Covers reports whether everything in want is in have.
func Covers(have, want []string) bool {
	return !slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(have, name) })
}
