package paths

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Why a path is refused.
var (
	errPathForm    = errors.New("the target is not a path")
	errPathEscape  = errors.New("a percent sign is not followed by two hexadecimal digits")
	errPathByte    = errors.New("the path has a byte that URLs cannot have")
	errPathControl = errors.New("the path has a control character")
	errPathTwice   = errors.New("the path is percent-encoded twice")
	errPathSlash   = errors.New("the path has an encoded slash, a backslash, a semicolon or what some programs take for one of them")
	errPathUTF8    = errors.New("the path is not UTF-8")
	errPathAbove   = errors.New("the path leads above the root")
	errQuery       = errors.New("the query has a byte that URLs cannot have")
)

// Normalise returns the one form of a path, as it stands in a request, that rules are
// matched with and that goes to the backend. Paths that differ by percent-encoding, dot
// segments and repeated slashes alone have the same form; what programs are known to cut,
// decode or resolve in different ways is refused, here or by Interpretations. What a backend
// takes for the same by customs of its own (suffixes, short names, look-alike letters) is
// not known here: see Rule.Path.
//
//   - Percent-encoding is undone once and put back where it is needed, and only there. A
//     plus sign stays as it was sent, encoded or not: some programs take the one for a
//     blank. Rules take the two for the same: see FoldPlus.
//   - "." and ".." are resolved, and slashes in a row are one.
//   - Refused are bad encoding and text that could be decoded again, control characters,
//     encoded slashes, backslashes and semicolons and their lookalikes, what is not UTF-8
//     (overlong forms are not), and paths that lead above the root or begin with no '/'.
//
// The form of a form is itself.
func Normalise(escaped string) (string, error) {
	if escaped == "" || escaped[0] != '/' {
		return "", errPathForm
	}
	if isNormal(escaped) {
		return escaped, nil
	}
	decoded, err := Decode(escaped)
	if err != nil {
		return "", err
	}
	marked := markPlus.Replace(escaped)
	if len(marked) < len(escaped) {
		decoded, _ = url.PathUnescape(marked) // as Decode did
	}
	clean, err := resolveDots(decoded)
	if err != nil {
		return "", err
	}
	if clean = Escape(clean); len(marked) < len(escaped) {
		clean = strings.ReplaceAll(clean, "%00", "%2B")
	}
	return clean, nil
}

// markPlus puts in place of an encoded plus sign what no path has that was decoded.
var markPlus = strings.NewReplacer("%2B", "\x00", "%2b", "\x00")

// FoldPlus returns a normal path with all plus signs as they are, in the form in which
// rules are compared.
func FoldPlus(path string) string { return strings.ReplaceAll(path, "%2B", "+") }

// isPlain reports whether a byte stands for itself in the normal form: all of RFC 3986's
// pchar but for ';', which some programs cut paths at.
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("-._~!$&'()*+,=:@/", c) >= 0
}

// isNormal is quick about paths that need nothing. Paths with percent signs, and with
// segments that begin with a dot, are left to the long way.
func isNormal(path string) bool {
	previous := byte(0)
	for i := range len(path) {
		c := path[i]
		if !isPlain(c) || previous == '/' && (c == '/' || c == '.') {
			return false
		}
		previous = c
	}
	return true
}

// Decode undoes percent-encoding and refuses what is not one plain text.
func Decode(escaped string) (string, error) {
	if strings.ContainsFunc(escaped, func(c rune) bool { return c <= ' ' || c == '#' || c == '?' || c == 0x7f }) {
		return "", errPathByte
	}
	text, err := url.PathUnescape(escaped)
	switch {
	case err != nil:
		return "", errPathEscape
	case strings.Count(text, "/") > strings.Count(escaped, "/"), strings.ContainsAny(text, `\;`):
		return "", errPathSlash
	}
	return text, checkDecoded(text)
}

func checkDecoded(text string) error {
	if err := checkText(text); err != nil {
		return err
	}
	for i := range len(text) {
		if rest := text[i:]; rest[0] == '%' && len(rest) > 2 && isHex(rest[1]) && isHex(rest[2]) || isUnicodeEscape(rest) {
			return errPathTwice
		}
	}
	return nil
}

// checkText refuses characters that no path may have, encoded or not.
func checkText(text string) error {
	if !utf8.ValidString(text) {
		return errPathUTF8
	}
	for _, r := range text {
		switch {
		case r < ' ' || 0x7f <= r && r <= 0x9f:
			return errPathControl
		case isLookalike(r):
			return errPathSlash
		}
	}
	return nil
}

// isUnicodeEscape reports whether a text begins with one as some servers decode, such as
// %u002f.
func isUnicodeEscape(s string) bool {
	return len(s) > 5 && s[0] == '%' && (s[1]|0x20) == 'u' && isHex(s[2]) && isHex(s[3])
}

// isLookalike reports whether a character becomes a slash, a backslash, a dot, a semicolon
// or a percent sign where a program normalises Unicode (NFKC) or fits a path to an
// 8-bit code page.
func isLookalike(r rune) bool {
	switch r {
	case '\u2044', '\u2215', '\u29f8', '\uff0f', // slashes
		'\u2216', '\u29f5', '\u29f9', '\ufe68', '\uff3c', // backslashes
		'\u2024', '\u2025', '\ufe30', '\ufe52', '\uff0e', // dots, one or two
		'\u037e', '\ufe14', '\ufe54', '\uff1b', // semicolons
		'\ufe6a', '\uff05': // percent signs
		return true
	}
	return false
}

// resolveDots removes empty and dot segments (RFC 3986 section 5.2.4), but refuses to go
// above the root. A final slash stays, or comes from a final dot segment.
func resolveDots(path string) (string, error) {
	segments := strings.Split(path, "/")
	depth := 0
	for _, segment := range segments {
		switch segment {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return "", errPathAbove
		}
	}
	return resolved(segments), nil
}

// Escape puts the percent-encoding back.
func Escape(path string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(path))
	for i := range len(path) {
		if c := path[i]; isPlain(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// IsResolved reports whether a path differs from its normal form by percent-encoding
// at most. What the gateway passes on itself, it passes on in that form; a front server
// passes on what it got, and a backend may take "/private/../public" for something
// below /private.
func IsResolved(path, normal string) bool {
	decoded, err := Decode(path)
	return err == nil && Escape(decoded) == FoldPlus(normal)
}

// TrimSlash returns a path without its final slash.
func TrimSlash(path string) string { return strings.TrimSuffix(path, "/") }

// Covers reports whether a path is prefix or below it.
func Covers(prefix, path string) bool {
	return strings.HasPrefix(path, prefix) && (len(path) == len(prefix) || path[len(prefix)] == '/')
}
