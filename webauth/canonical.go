package webauth

import (
	"errors"
	"fmt"
	"strings"
)

// CanonicalTarget returns the path and raw query of a request in the form in which a
// browser requests them when it opens a URL that has them (WHATWG URL Standard, "URL
// parsing"): what it would percent-encode is encoded, and so is a backslash in the query;
// all else stays as it is, including escapes and repeated slashes. The result is its own
// canonical form.
//
// It is an error where a browser would request another target: where the path has dot
// segments ("." and "..", encoded or not) or a backslash, or where path or query have a
// control character, which browsers may drop, or a "#", where they end. No such target may
// be signed: the response would go to a page that never asked for it.
func CanonicalTarget(path, query string) (canonicalPath, canonicalQuery string, err error) {
	if !strings.HasPrefix(path, "/") {
		return "", "", errors.New("the path does not begin with a slash")
	}
	if strings.IndexByte(path, '\\') >= 0 {
		return "", "", errors.New("the path has a backslash, which browsers take for a slash")
	}
	if canonicalPath, err = encodeTarget(path, encodedInPath); err != nil {
		return "", "", fmt.Errorf("the path has %v", err)
	}
	if canonicalQuery, err = encodeTarget(query, encodedInQuery); err != nil {
		return "", "", fmt.Errorf("the query has %v", err)
	}
	if hasDotSegment(path) {
		return "", "", errors.New("the path has a dot segment, which browsers resolve: they would ask for another page")
	}
	return canonicalPath, canonicalQuery, nil
}

// CanonicalURL returns an absolute http or https URL in the form in which a browser
// requests it: its origin in the form of [Origin], path and query in that of
// [CanonicalTarget]. [Request.URL] must have this form, and so must [Expect.URL].
func CanonicalURL(rawURL string) (string, error) {
	origin, target := rawURL, ""
	if i := strings.Index(rawURL, "://"); i >= 0 {
		i += len("://")
		if j := strings.IndexAny(rawURL[i:], `/?#\`); j >= 0 {
			origin, target = rawURL[:i+j], rawURL[i+j:]
		}
	}
	origin, err := Origin(origin)
	if err != nil {
		return "", err
	}
	path, query, _ := strings.Cut(target, "?")
	if path == "" {
		path = "/"
	}
	if path, query, err = CanonicalTarget(path, query); err != nil {
		return "", err
	}
	if query != "" {
		path += "?" + query
	}
	return origin + path, nil
}

// checkCanonical returns an error if a browser that opens the address would not request
// its path and query as they are written.
func (a address) checkCanonical() error {
	path, query, err := CanonicalTarget(a.path, a.query)
	switch {
	case err != nil:
		return err
	case path != a.path || query != a.query:
		return errors.New("path or query hold what browsers percent-encode: bring it to their form with CanonicalURL")
	}
	return nil
}

// encodedInPath reports whether a browser encodes a printable byte of a path: the "path
// percent-encode set" of the WHATWG URL Standard, and the bar, which Chromium encodes and
// the standard does not. Escapes are not encoded again.
func encodedInPath(c byte) bool {
	switch c {
	case ' ', '"', '<', '>', '?', '^', '`', '{', '|', '}':
		return true
	}
	return false
}

// encodedInQuery reports the same for a query: the "special-query percent-encode set", and the
// backslash, which browsers leave alone there, but which no URL may have (RFC 3986).
func encodedInQuery(c byte) bool {
	switch c {
	case ' ', '"', '<', '>', '\'', '\\':
		return true
	}
	return false
}

// encodeTarget percent-encodes the bytes that encoded reports, whether they are UTF-8 or not.
func encodeTarget(s string, encoded func(c byte) bool) (string, error) {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	from := 0 // what comes before is in b already
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '-' <= c && c <= '9', 'A' <= c && c <= 'Z', c == '%', c == '&', c == '=', c == '_':
			// What addresses are made of, each request's: not worth a call.
		case c < ' ' || c == 0x7f:
			return "", errors.New("a control character")
		case c == '#':
			return "", errors.New("a '#', where browsers end it")
		case c > 0x7f || encoded(c):
			b.WriteString(s[from:i])
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			from = i + 1
		}
	}
	if from == 0 {
		return s, nil
	}
	b.WriteString(s[from:])
	return b.String(), nil
}

// hasDotSegment reports whether a path has a segment that browsers resolve: one or two
// dots, each of them written as it is or percent-encoded.
func hasDotSegment(path string) bool {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "/%2") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		dots := 0
		for segment != "" {
			rest, found := strings.CutPrefix(segment, ".")
			if !found && len(segment) >= 3 && strings.EqualFold(segment[:3], "%2e") {
				rest, found = segment[3:], true
			}
			if !found {
				dots = 0
				break
			}
			segment = rest
			dots++
		}
		if dots == 1 || dots == 2 {
			return true
		}
	}
	return false
}
