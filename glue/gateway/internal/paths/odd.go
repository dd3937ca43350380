package paths

import (
	"net/url"
	"slices"
	"strings"
)

// Some applications have slashes, semicolons and percent signs in what their paths name: a
// queue or a project (%2F), parameters (;jsessionid=1), a file (%2525). Programs read such a
// path in different ways, so that it has no normal form. It can go on as it was sent where
// all of them are known and make no difference.

const (
	maxOdd      = 4 << 10 // bytes of an odd path
	maxReadings = 64      // of one path; honest ones have a handful
)

// IsOdd reports whether a path that is in its normal form, or [Sent] returned it, is the
// latter only.
func IsOdd(path string) bool {
	if !strings.ContainsAny(path, "%;") {
		return false
	}
	_, err := Decode(path)
	return err != nil
}

// Sent returns a path, as it stands in a request, as it may go on to a backend if its rule
// lets odd ones pass: as it is, but for bytes that URLs cannot have, which are encoded. It is
// refused if a slash follows another one; [Readings] refuses more.
func Sent(escaped string) (string, error) {
	if escaped == "" || escaped[0] != '/' {
		return "", errPathForm
	}
	if len(escaped) > maxOdd || strings.Contains(escaped, "//") {
		return "", errPathSlash
	}
	for i := range len(escaped) {
		switch c := escaped[i]; {
		case c <= ' ' || c == '#' || c == '?' || c == 0x7f:
			return "", errPathByte
		case c == '\\':
			return "", errPathSlash
		case c == '%' && (i+2 >= len(escaped) || !isHex(escaped[i+1]) || !isHex(escaped[i+2])):
			return "", errPathEscape
		}
	}
	var b strings.Builder
	for i := range len(escaped) {
		if c := escaped[i]; isPlain(c) || strings.IndexByte(";%[]", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString(url.PathEscape(string([]byte{c})))
		}
	}
	return b.String(), nil
}

// Readings returns what programs may take an odd path for, beside the ways of
// [Interpretations]: each one in the form in which rules are compared. A program may decode
// once or again and again, slashes or all but these; cut parameters off each segment, or the
// path at the first; take what follows two slashes for a host; and do so in any order. It is
// an error if one of them makes a dot segment of it, or what [Normalise] refuses in any path,
// or if there are too many.
func Readings(sent string) ([]string, error) {
	var texts, readings []string
	add := func(all ...string) error {
		for _, text := range all {
			if slices.Contains(texts, text) {
				continue
			}
			if err := checkReading(text); err != nil {
				return err
			}
			if texts = append(texts, text); len(texts) > maxReadings {
				return errPathTwice
			}
		}
		return nil
	}
	for _, s := range []string{sent, cutParameters(sent), cutAtParameter(sent)} {
		if err := add(unescape(s, ""), unescape(s, "/")); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(texts); i++ {
		s := texts[i]
		if err := add(unescape(s, ""), unescape(s, "/"), cutParameters(s), cutAtParameter(s)); err != nil {
			return nil, err
		}
		if err := add(withoutHosts(s)...); err != nil {
			return nil, err
		}
	}
	for _, s := range texts {
		if r := Escape(resolved(strings.Split(s, "/"))); !slices.Contains(readings, r) {
			readings = append(readings, r)
		}
	}
	return readings, nil
}

// unescape undoes percent-encoding once, where it is one, and not of the bytes in keep.
func unescape(s, keep string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			if c := unhex(s[i+1])<<4 | unhex(s[i+2]); strings.IndexByte(keep, c) < 0 {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// cutParameters cuts each segment at a semicolon.
func cutParameters(s string) string {
	segments := strings.Split(s, "/")
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	return strings.Join(segments, "/")
}

// cutAtParameter cuts a path at its first semicolon.
func cutAtParameter(s string) string {
	before, _, _ := strings.Cut(s, ";")
	return before
}

// withoutHosts returns a path as those read it that take what follows slashes in a row for a
// host, as in a URL: at its beginning, or where that is once another part is stripped.
func withoutHosts(s string) []string {
	var found []string
	for i := 0; ; {
		next := strings.Index(s[i:], "//")
		if next < 0 {
			return found
		}
		i += next
		rest := strings.TrimLeft(s[i:], "/")
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			found = append(found, s[:i]+rest[slash:])
		} else {
			found = append(found, s[:i]+"/")
		}
		i = len(s) - len(rest)
	}
}

// checkReading refuses what no path may be read as.
func checkReading(text string) error {
	if strings.Contains(text, `\`) {
		return errPathSlash
	}
	for segment := range strings.SplitSeq(text, "/") {
		if strings.Contains(segment, ".") && strings.Trim(segment, ".+ ") == "" {
			return errPathAbove // dots, and blanks that some programs drop
		}
	}
	if err := checkText(text); err != nil {
		return err
	}
	for i := range len(text) {
		if isUnicodeEscape(text[i:]) {
			return errPathTwice
		}
	}
	return nil
}
