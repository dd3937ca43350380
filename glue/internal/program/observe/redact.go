package observe

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// What follows keeps responses of the WLS out of the access log: for half a minute one
// may be as good as a password to whoever reads it there.

// maxUnescape is how often percent-encoding is undone in search of a response: a URL
// in a parameter of a URL in a parameter, and one to spare.
const maxUnescape = 4

// withoutResponse returns a request target or a URL, for a log, without any response in
// it. Parameters of that name are left out, however it is spelled; should one still
// show, in another parameter or in what only some software reads as one, all of the
// query is left out, and of a path what follows.
func withoutResponse(target string) string {
	path, query, found := strings.Cut(target, "?")
	if i := ResponseIn(path); i >= 0 {
		return path[:i] + "..."
	}
	if !found {
		return path
	}
	clean := webauth.StripResponse(query)
	switch {
	case ResponseIn(clean) >= 0:
		return path + "?..."
	case clean == "" && query != "":
		return path
	}
	return path + "?" + clean
}

// ResponseIn returns where a response may begin in s: -1 if there can be none. It is 0 if
// it cannot be told where.
func ResponseIn(s string) int {
	if i := indexFold(s, webauth.ResponseParam); i >= 0 {
		return i
	}
	for range maxUnescape {
		if !strings.Contains(s, "%") {
			return -1
		}
		plain := unescapeLoosely(s)
		if plain == s {
			return -1
		}
		if indexFold(plain, webauth.ResponseParam) >= 0 {
			return 0
		}
		s = plain
	}
	return 0 // deeper than anybody encodes
}

// indexFold is strings.Index without regard to the case of ASCII letters.
func indexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i]|0x20 == part[0]|0x20 && strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// unescapeLoosely undoes the percent-encoding that is right and leaves the rest.
func unescapeLoosely(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(escape string) string {
		plain, _ := url.PathUnescape(escape) // which is right
		return plain
	})
}
