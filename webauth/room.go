package webauth

import "strings"

// Room is one of the rooms into which a bounded OneUse divides its memory, so that those
// who can fill one of them shut nobody out of another.
type Room int

// The rooms, by what somebody must have to put an item there.
const (
	// RoomLogin is for successes that the WLS signed, the tokens they spend, and logins that
	// the person was asked about: it takes an account. A token that came without its browser's secret counts here as well, although
	// its MAC cannot be checked then: real ones cost whoever has an account no more than one
	// request each, and in a smaller room it could be left unspent while people log in.
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
	// RoomVisitor is for those of people who are not: anybody.
	RoomVisitor

	roomCount
)

// String returns a short name: "login", "failure", "unsigned", "form", "xsrf" or "visitor".
func (r Room) String() string {
	switch r {
	case RoomLogin:
		return "login"
	case RoomFailure:
		return "failure"
	case RoomUnsigned:
		return "unsigned"
	case RoomForm:
		return "form"
	case RoomXSRF:
		return "xsrf"
	case RoomVisitor:
		return "visitor"
	}
	return "unknown"
}

// Room returns the room that the item is kept in: by its kind, or else by its flags.
func (i Item) Room() Room {
	switch kindOf(i.ID) {
	case kindForm:
		return RoomForm
	case kindXSRF:
		return RoomXSRF
	case kindVisitor:
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

// itemKind is what an Item is.
type itemKind uint8

const (
	kindOther itemKind = iota
	kindResponse
	kindToken
	kindForm
	kindXSRF
	kindVisitor
	kindConfirm

	kindCount
)

// kindOf reads the kind from an Item's ID.
func kindOf(id string) itemKind {
	name, _, _ := strings.Cut(id, ":")
	switch name {
	case "response":
		return kindResponse
	case "token":
		return kindToken
	case "form":
		return kindForm
	case "xsrf":
		return kindXSRF
	case "xsrf-visitor":
		return kindVisitor
	case "confirm":
		return kindConfirm
	}
	return kindOther
}
