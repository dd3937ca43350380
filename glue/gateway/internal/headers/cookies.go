package headers

import (
	"net/http"
	"slices"
	"strings"
)

// WithoutCookies removes our cookies from a Cookie header's lines. Quotes mean nothing here,
// whatever a backend takes them for: a cookie of ours is found wherever it stands.
func WithoutCookies(lines []string, own func(name string) bool) []string {
	kept := lines[:0]
	for _, line := range lines {
		if line = withoutIn(line, own); line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}

func withoutIn(line string, own func(name string) bool) string {
	var b strings.Builder // mostly nothing is left, and nothing is made
	for more := true; more; {
		var part string
		part, line, more = strings.Cut(line, ";")
		part = strings.Trim(part, " \t")
		name, _, _ := strings.Cut(part, "=")
		if part == "" || own(strings.Trim(name, " \t")) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(part)
	}
	return b.String()
}

// DropSetCookies removes what a backend would set under our cookies' names.
func DropSetCookies(h http.Header, own func(name string) bool) {
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return own(setCookieName(line)) })
	if len(h["Set-Cookie"]) == 0 {
		delete(h, "Set-Cookie")
	}
}

// setCookieName is the name under which a browser would send a cookie back. One without
// a name comes back as its value alone, which can look like a name and a value.
func setCookieName(line string) string {
	pair, _, _ := strings.Cut(line, ";")
	pair = strings.TrimLeft(pair, " \t=")
	name, _, _ := strings.Cut(pair, "=")
	return strings.Trim(name, " \t")
}
