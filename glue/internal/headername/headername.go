// Package headername classifies the names of headers that mean something to more than the
// application: where a message ends, which path, method, scheme or host is requested, where
// a request comes from, and who sends it. Clients can send any of them, in any spelling
// that some program takes for it.
package headername

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Class says what a header means to the programs that believe it. It is a set of bits, so
// that several can be asked about at once.
type Class uint8

// The classes. A header may have several.
const (
	// Frames say where a message ends and what becomes of its connection. Under their very
	// names they are for HTTP itself, which net/http sees to.
	Frames Class = 1 << iota
	// Judged are checked before a request is passed on. Under their very names they are
	// passed on as they were checked; in another spelling they were not checked.
	Judged
	// Identifies say who sends a request.
	Identifies
	// Routes say which path, scheme or host a request is for, or what is done for it.
	Routes
	// Methods say that the method is another.
	Methods
	// Peers say where a request comes from: what front servers write as a matter of course.
	Peers
	// Suspects are the rest of families of names some of which identify.
	Suspects
)

var classNames = [...]string{"frames", "judged", "identifies", "routes", "methods", "peers", "suspects"}

// String returns the name of the first class that c has; it is for labels.
func (c Class) String() string {
	for i, name := range classNames {
		if c&(1<<i) != 0 {
			return name
		}
	}
	return "none"
}

// Entry describes a name, or all names with a prefix.
type Entry struct {
	// Name is in the form that Fold returns; a prefix ends where the rest may begin.
	Name   string
	Prefix bool
	// Class is zero for names that mean something to the application alone.
	Class Class
	// Reason says which programs take the header for what.
	Reason string
}

// free is the entry of all other names.
var free = &Entry{}

// Lookup returns the entry for a header's name, in any spelling. The longest entry that
// fits counts; a name that fits none is free for applications to use.
func Lookup(name string) *Entry {
	name = trimHTTP(name)
	for _, e := range table[bucket(name)] {
		if e.fits(name) {
			return e
		}
	}
	return free
}

// IsOwn reports whether a name is the usual spelling of the header itself: letter case
// apart, the form of [Fold].
func IsOwn(name string) bool { return IsPlain(name) && len(trimHTTP(name)) == len(name) }

// MayPass returns nil if a configuration may let headers of a name through that would be
// removed, else the reason why it may not. Headers that frame a message, are judged or
// identify the sender may never come from a client in any spelling, and those that route,
// under their own names alone.
func MayPass(name string) error {
	e := Lookup(name)
	switch {
	case name == "" || len(name) > MaxName || strings.Trim(name, tokenBytes) != "":
		return fmt.Errorf("want a header's name of %d characters at most", MaxName)
	case e.Class&Identifies != 0:
		return fmt.Errorf("nobody outside may say who somebody is: %s", e.Reason)
	case e.Class&(Frames|Judged) != 0 && IsOwn(name), e.Class == 0 && IsPlain(name):
		return errors.New("it is passed on anyway, where that is right: leave it out")
	case e.Class != 0 && !IsOwn(name):
		return fmt.Errorf("it is another spelling of what some programs read as %s: %s", e.Name, e.Reason)
	}
	return nil
}

// tokenBytes are what a name may be made of (RFC 9110 section 5.6.2).
const tokenBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (e *Entry) fits(name string) bool {
	if len(name) < len(e.Name) || len(name) > len(e.Name) && !e.Prefix {
		return false
	}
	for i := range len(e.Name) {
		if foldByte(name[i]) != e.Name[i] {
			return false
		}
	}
	return true
}

// table has the entries by the two most telling bytes of a name, the longest first.
var table = func() (table [2 * buckets][]*Entry) {
	for _, group := range groups {
		for name := range strings.FieldsSeq(group.names) {
			name, prefix := strings.CutSuffix(name, "*")
			b := bucket(name)
			table[b] = append(table[b], &Entry{name, prefix, group.class, group.reason})
		}
	}
	for _, entries := range table {
		slices.SortStableFunc(entries, func(a, b *Entry) int { return cmp.Compare(len(b.Name), len(a.Name)) })
	}
	return table
}()

const buckets = 512

// bucket is where the table has a name: by its first two bytes, or the two after "x-".
func bucket(name string) int {
	start := 0
	if len(name) > 2 && name[0]|0x20 == 'x' && foldByte(name[1]) == '-' {
		name, start = name[2:], buckets
	}
	if len(name) < 2 {
		return start
	}
	return start + (int(foldByte(name[0]))*33+int(foldByte(name[1])))%buckets
}

// Entries is an iterator over all entries, for tests.
func Entries(yield func(*Entry) bool) {
	for _, entries := range table {
		for _, e := range entries {
			if !yield(e) {
				return
			}
		}
	}
}
