package webauth

import (
	"slices"
	"strings"
)

// Room is one of the rooms into which a bounded [OneUse] divides its memory, so that
// clients who can fill one of them shut nobody out of another.
type Room int

// The rooms, by what a client must have to put an item there.
const (
	// RoomLogin is for successes that the WLS signed, the tokens they spend, and logins that
	// the person was asked about: it takes an account. A token that came without its
	// browser's secret counts here as well, although its MAC cannot be checked then: real
	// ones cost the holder of an account no more than one request each, and in a smaller
	// room it could be left unspent while people log in.
	// An answer of OpenID Connect with a state that was made here counts here too, although
	// anybody can get one and put a code of his own beside it: nothing tells it from what a
	// person brings to log in, before the provider is asked.
	RoomLogin Room = iota
	// RoomFailure is for failures that the WLS signed, and the tokens they spend: anybody.
	RoomFailure
	// RoomUnsigned is for tokens that unsigned failures spend, and for unsigned items of
	// kinds that are not known here: anybody.
	RoomUnsigned
	// RoomForm is for forms kept over a login: a session.
	RoomForm
	// RoomXSRF is for single-use tokens against cross-site request forgery of people who
	// are logged in: a session.
	RoomXSRF
	// RoomVisitor is for such tokens of people who are not logged in: anybody.
	RoomVisitor

	roomCount
)

var roomNames = [roomCount]string{"login", "failure", "unsigned", "form", "xsrf", "visitor"}

// String returns a short name: "login", "failure", "unsigned", "form", "xsrf" or "visitor".
func (r Room) String() string {
	if r < 0 || r >= roomCount {
		return "unknown"
	}
	return roomNames[r]
}

// Room returns the room that the item is kept in: by its kind, or else by its flags.
func (i Item) Room() Room {
	switch kinds[kindOf(i.ID)] {
	case "form":
		return RoomForm
	case "xsrf":
		return RoomXSRF
	case "xsrf-visitor":
		return RoomVisitor
	}
	switch {
	case i.Unsigned:
		return RoomUnsigned
	case i.Failure:
		return RoomFailure
	}
	return RoomLogin
}

// itemKind is an index of kinds.
type itemKind uint8

// kinds are those of Item.ID, all others first.
var kinds = [...]string{"", "response", "token", "form", "confirm", "xsrf", "xsrf-visitor"}

// kindOf returns the kind that an Item's ID begins with.
func kindOf(id string) itemKind {
	name, _, _ := strings.Cut(id, ":")
	return itemKind(max(0, slices.Index(kinds[:], name)))
}
