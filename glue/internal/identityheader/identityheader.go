// Package identityheader knows the headers by which front servers tell who somebody is,
// in every spelling: those that nobody else may send.
package identityheader

import (
	"bytes"
	"strings"
)

// MaxName is longer than any name that matters, in bytes: it is enough to look at as much
// of one.
const MaxName = 64

// prefixes begin the names, as Fold gives them. What begins with x-forwarded and means an
// address is package site's.
var prefixes = [][]byte{
	[]byte("remote-"), []byte("x-remote-"), []byte("x-aa"), []byte("x-auth-request-"), []byte("x-authenticated-"),
	[]byte("x-webauth-"), []byte("x-forwarded-user"), []byte("x-forwarded-email"), []byte("x-forwarded-groups"),
	[]byte("x-forwarded-preferred-username"), []byte("x-forwarded-access-token"),
}

// names are the others.
var names = map[string]bool{"auth-user": true, "x-auth-user": true, "x-user": true, "proxy-user": true}

// Is reports whether a name as Fold gives it is one of those.
func Is(folded []byte) bool {
	if names[string(folded)] {
		return true
	}
	for _, prefix := range prefixes {
		if bytes.HasPrefix(folded, prefix) {
			return true
		}
	}
	return false
}

// Fold gives the one form that names are compared in, in buf, as far as it goes. CGI and
// its heirs pass headers on as variables, in which Remote_User and Remote.User are
// Remote-User; and some take Http-Remote-User for a variable that they made themselves.
// So all that is neither letter nor digit counts as '-', case does not count, and "http-"
// in front is dropped.
func Fold(buf *[MaxName]byte, name string) []byte {
	for len(name) > len("http-") && strings.EqualFold(name[:4], "http") && foldByte(name[4]) == '-' {
		name = name[len("http-"):]
	}
	n := min(len(name), len(buf))
	for i := range n {
		buf[i] = foldByte(name[i])
	}
	return buf[:n]
}

func foldByte(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		return c
	default:
		return '-'
	}
}

// FoldString is Fold for names that are looked at once.
func FoldString(name string) string {
	var buf [MaxName]byte
	return string(Fold(&buf, name))
}
