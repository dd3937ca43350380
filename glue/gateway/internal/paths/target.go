package paths

import "strings"

// SplitTarget takes a request's target apart, as it came, in origin or absolute form
// (RFC 9112 section 3.2).
func SplitTarget(uri string) (path, query string, err error) {
	if !strings.HasPrefix(uri, "/") {
		scheme, rest, found := strings.Cut(uri, "://")
		if !found || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return "", "", errPathForm
		}
		end := strings.IndexAny(rest, "/?#\\")
		if end < 0 {
			end = len(rest)
		}
		if strings.Contains(rest[:end], "@") {
			return "", "", errPathForm // "http://ours@theirs/" is for confusing people
		}
		if uri = rest[end:]; uri == "" || uri[0] == '?' {
			uri = "/" + uri
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	return path, query, checkQuery(query)
}

// checkQuery refuses what would end the target, or the line, for a program that reads
// on after it. HTTP/2 can carry such bytes.
func checkQuery(query string) error {
	if strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c == '#' || c == 0x7f }) {
		return errQuery
	}
	return nil
}
