package observe

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// What follows keeps answers of login services out of the access log: for half a minute one
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
	if i := strings.IndexByte(path, '%'); i >= 0 && isOwn(path) && strings.Contains(unescapeAll(path), "?") {
		return path[:i] + "..." // what some software takes for the query
	}
	if !found {
		return path
	}
	clean := StripAnswer(path, query)
	switch {
	case ResponseIn(clean) >= 0:
		return path + "?..."
	case clean == "" && query != "":
		return path
	}
	return path + "?" + clean
}

// StripAnswer returns the query of a request for a path, which may be a URL, without what
// login services send people back with. A provider's code comes to a program's own paths alone:
// elsewhere "code" is the application's own.
func StripAnswer(path, query string) string {
	query = webauth.StripResponse(query)
	if isOwn(path) {
		query = oidclogin.StripAnswer(query)
	}
	return query
}

// isOwn reports whether some software may take a path for one that is a program's own.
func isOwn(path string) bool { return indexFold(unescapeAll(path), ".wls") >= 0 }

// unescapeAll undoes percent-encoding as often as anybody encodes.
func unescapeAll(s string) string {
	for i := 0; i < maxUnescape && strings.Contains(s, "%"); i++ {
		s = unescapeLoosely(s)
	}
	return s
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
