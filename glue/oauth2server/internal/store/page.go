package store

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// PageSize is how many things a page of a list has. The methods that list something return
// one more, if there are as many: see Cut.
const PageSize = 100

// Place is where a page of a list begins: after the thing with this id, which the list has
// at this key. The zero Place is before all. It holds when things come and go, the one that
// it names included.
type Place struct{ key, id string }

// String returns the place for [ParsePlace].
func (p Place) String() string { return p.key + p.id }

// ParsePlace reads a place. What is none is the zero Place.
func ParsePlace(text string) Place {
	at := len(text) - idLength
	if at < 0 || !validID(text[at:]) || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Place{}
	}
	return Place{text[:at], text[at:]}
}

// seconds returns the key of a list that is ordered by time.
func (p Place) seconds() int64 {
	n, _ := strconv.ParseInt(p.key, 10, 64) // whatever it is: every place is somewhere
	return n
}

func placeInTime(t time.Time, id string) Place { return Place{strconv.FormatInt(t.Unix(), 10), id} }

// Listed is what the methods that list something return. Its Place is the one after it.
type Listed interface{ Place() Place }

// Place implements [Listed].
func (t Token) Place() Place { return placeInTime(t.Created, t.ID) }

// Place implements [Listed].
func (c Client) Place() Place { return placeInTime(c.Created, c.ID) }

// Place implements [Listed].
func (a Authorisation) Place() Place { return Place{a.ClientName, a.ClientID} }

// Cut returns what of a list is on its first page, and where the next page begins; the zero
// Place if there is none.
func Cut[T Listed](list []T) (page []T, next Place) {
	if len(list) <= PageSize {
		return list, Place{}
	}
	return list[:PageSize], list[PageSize-1].Place()
}
