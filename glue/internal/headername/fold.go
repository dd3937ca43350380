package headername

import "strings"

// MaxName is longer than any name in the table, in bytes: the rest of a name does not
// matter.
const MaxName = 64

// IsPlain reports whether a name is made of letters, digits and hyphens alone. All
// programs read such a name alike but for letter case; every other is another program's
// spelling of one: CGI and its heirs take '_' for '-', PHP takes '.' too, and lighttpd
// each of ". ! # $ % &".
func IsPlain(name string) bool {
	for i := range len(name) {
		if !plain[name[i]] {
			return false
		}
	}
	return name != ""
}

// Fold returns the one form that names are compared in, in buf, cut to its length. CGI and
// its heirs pass headers on as variables, in which Remote_User and Remote.User are
// Remote-User; and some take Http-Remote-User for a variable that they made themselves.
// So all that is neither letter nor digit counts as '-', case does not count, and "http-"
// in front is dropped.
func Fold(buf *[MaxName]byte, name string) []byte {
	name = trimHTTP(name)
	n := min(len(name), len(buf))
	for i := range n {
		buf[i] = foldByte(name[i])
	}
	return buf[:n]
}

// FoldString is [Fold] without a buffer, for names that are folded once.
func FoldString(name string) string {
	var buf [MaxName]byte
	return string(Fold(&buf, name))
}

// trimHTTP removes the prefix "http-" of variables made of headers.
func trimHTTP(name string) string {
	for len(name) > len("http-") && name[0]|0x20 == 'h' && strings.EqualFold(name[:4], "http") && foldByte(name[4]) == '-' {
		name = name[len("http-"):]
	}
	return name
}

func foldByte(c byte) byte { return folded[c] }

// folded is the form of each byte.
var folded = func() (table [256]byte) {
	for i := range table {
		switch c := byte(i); {
		case c >= 'A' && c <= 'Z':
			table[i] = c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			table[i] = c
		default:
			table[i] = '-'
		}
	}
	return table
}()

// plain are the bytes that IsPlain lets pass.
var plain = func() (table [256]bool) {
	for i := range table {
		table[i] = byte(i) == '-' || folded[i] != '-'
	}
	return table
}()
