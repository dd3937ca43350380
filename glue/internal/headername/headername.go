// Package headername knows the names of headers that mean something to more than the
// application: where a message ends, which path, method, scheme or host is asked for, where
// a request comes from, and who sends it. Clients can write any of them, in any spelling
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
	// Judged are looked at before a request goes on. Under their very names they go on as
	// they were judged; in another spelling nobody has judged them.
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

// Entry is what is known about a name, or all names with a prefix.
type Entry struct {
	// Name is in the form that Fold returns; a prefix ends where the rest may begin.
	Name   string
	Prefix bool
	// Class is zero for names that mean something to the application alone.
	Class Class
	// Reason says who takes the header for what.
	Reason string
}

// free is what is known about all other names.
var free = &Entry{}

// Lookup returns what is known about a header's name, in whatever spelling. The longest
// entry that fits counts; what fits none is free for applications to use.
func Lookup(name string) *Entry {
	name = trimHTTP(name)
	for _, e := range table[bucket(name)] {
		if e.fits(name) {
			return e
		}
	}
	return free
}

// IsOwn reports whether a name is spelled as programs spell it that mean the header itself:
// letter case apart, the form that names are compared in.
func IsOwn(name string) bool { return IsPlain(name) && len(trimHTTP(name)) == len(name) }

// MayPass returns why no configuration may let headers of a name through that would be
// removed; nil if one may. What frames a message, was judged or says who somebody is may
// never come from a client in any spelling, and what routes under its own name alone.
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

// table has the entries by two bytes that tell most about a name, the longest first.
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

// Entries calls yield for each entry; it is for tests and for what is made of the table.
func Entries(yield func(*Entry) bool) {
	for _, entries := range table {
		for _, e := range entries {
			if !yield(e) {
				return
			}
		}
	}
}
