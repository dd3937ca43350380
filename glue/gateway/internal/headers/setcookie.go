package headers

import "strings"

// MapSetCookie returns a Set-Cookie header's line with another Path, and without a Domain
// that is foreign, which makes the cookie one of the host alone. A cookie whose name begins
// with __Host- keeps its path, as browsers refuse it with another than "/".
func MapSetCookie(line string, path func(string) string, foreign func(domain string) bool) string {
	parts := strings.Split(line, ";")
	const prefix = "__Host-"
	name := setCookieName(line)
	isHost := len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
	kept := parts[:1]
	for _, part := range parts[1:] {
		attribute, value, _ := strings.Cut(part, "=")
		attribute, value = strings.Trim(attribute, " \t"), strings.Trim(value, " \t")
		switch {
		case strings.EqualFold(attribute, "Domain") && foreign(value):
			continue
		case strings.EqualFold(attribute, "Path") && !isHost && strings.HasPrefix(value, "/"):
			part = " Path=" + path(value)
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, ";")
}
