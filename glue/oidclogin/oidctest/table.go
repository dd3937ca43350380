package oidctest

import (
	"maps"
	"slices"
	"sync"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// entry is what a table holds.
type entry interface {
	id() string
	check() error
}

// table holds users or apps by their id. It is safe for concurrent use.
type table[T entry] struct {
	mu   sync.RWMutex
	byID map[string]T
}

// put adds an entry that its check does not refuse, or replaces the one of that id.
func (t *table[T]) put(e T) error {
	if err := e.check(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[string]T)
	}
	t.byID[e.id()] = e
	return nil
}

func (t *table[T]) get(id string) (T, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.byID[id]
	return e, ok
}

func (t *table[T]) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

// list returns all entries by id.
func (t *table[T]) list() []T {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []T
	for _, id := range slices.Sorted(maps.Keys(t.byID)) {
		all = append(all, t.byID[id])
	}
	return all
}

// must panics on a mistake in a test.
func must(err error) { fakelogin.Must(err) }
