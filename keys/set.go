package keys

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Set is the keys that one service signs with, each under its own kid. It cannot be changed. A nil or zero Set trusts no
// key.
type Set struct {
	keys    []Key // by kid, ascending
	skipped []string
}

// NewSet returns a set of at least one key. It refuses two keys of one kid, and the zero Key.
func NewSet(keys ...Key) (*Set, error) {
	if len(keys) == 0 {
		return nil, errors.New("keys: a set needs at least one key")
	}
	sorted := slices.Clone(keys)
	slices.SortFunc(sorted, func(a, b Key) int { return compareKids(a.kid, b.kid) })
	for i, key := range sorted {
		if key.pub == nil {
			return nil, errors.New("keys: the zero Key cannot be in a set")
		}
		if i > 0 && sorted[i-1].kid == key.kid {
			return nil, fmt.Errorf("keys: two keys have the kid %s", key.kid)
		}
	}
	return &Set{keys: sorted}, nil
}

// compareKids orders kids as numbers: they have no leading zeros.
func compareKids(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// Lookup returns the key with this kid, if the set has it.
func (s *Set) Lookup(kid string) (Key, bool) {
	if s == nil {
		return Key{}, false
	}
	for _, key := range s.keys {
		if key.kid == kid {
			return key, true
		}
	}
	return Key{}, false
}

// Keys returns all keys of the set, by kid as a number, in a slice of the caller's own.
func (s *Set) Keys() []Key {
	if s == nil {
		return nil
	}
	return slices.Clone(s.keys)
}

// Skipped returns the names of files that [LoadDir] saw and did not read, because their names are not those of key files:
// pubkey2.bak, say. Names that begin with a dot are not among them. They help to find out why a key is not
// trusted.
func (s *Set) Skipped() []string {
	if s == nil {
		return nil
	}
	return slices.Clone(s.skipped)
}
