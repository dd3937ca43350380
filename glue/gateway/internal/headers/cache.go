// Package headers edits those of requests and answers on their way through a proxy.
package headers

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// protectedCaching is for protected answers of backends that say nothing themselves.
const protectedCaching = "private, no-cache"

// SharedCaching are headers that tell caches between us and the browser, and only them,
// to keep an answer, whatever Cache-Control says.
var SharedCaching = []string{"Surrogate-Control", "Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "X-Accel-Expires", "Edge-Control"}

// KeepPrivate keeps the answer of a backend out of shared caches: it is for the person
// who got it.
func KeepPrivate(h http.Header) {
	caching := protectedCaching
	if lines := h["Cache-Control"]; len(lines) > 0 {
		caching = privately(lines)
	}
	h["Cache-Control"] = []string{caching}
	for _, name := range SharedCaching {
		delete(h, name)
	}
	if vary := h["Vary"]; !httpguts.HeaderValuesContainsToken(vary, "Cookie") && !httpguts.HeaderValuesContainsToken(vary, "*") {
		h["Vary"] = append(h["Vary"], "Cookie")
	}
}

// privately returns Cache-Control with "private", which stands for the whole answer, and
// without what shared caches would go by.
func privately(lines []string) string {
	var b strings.Builder
	b.Grow(64)
	b.WriteString("private")
	for _, line := range lines {
		for directive := range splitQuoted(line) {
			name, _, _ := strings.Cut(directive, "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "", "public", "private", "s-maxage", "proxy-revalidate":
			default:
				b.WriteString(", ")
				b.WriteString(directive)
			}
		}
	}
	return b.String()
}

// splitQuoted returns the elements of a list, in which commas in quotes separate nothing.
func splitQuoted(list string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i <= len(list); i++ {
			switch {
			case i < len(list) && list[i] == '\\' && quoted:
				i++
			case i < len(list) && list[i] == '"':
				quoted = !quoted
			case i >= len(list) || list[i] == ',' && !quoted:
				if !yield(strings.TrimSpace(list[start:min(i, len(list))])) {
					return
				}
				start = i + 1
			}
		}
	}
}
