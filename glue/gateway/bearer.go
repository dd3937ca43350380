package gateway

import (
	"net/http"
	"strings"
)

// bringsBearer reports whether a request has one bearer token and nothing else in
// Authorization (RFC 6750 section 2.1). Tokens of more characters than the RFC has are in
// use, but what one program might take for several credentials is none.
//
// No browser adds a token by itself, and no page of another origin can before a preflight has
// said that it may. Where both a token and a session come, the token counts: a backend that
// got both would have to guess whose request it is.
func bringsBearer(h http.Header) bool {
	lines := h["Authorization"]
	if len(lines) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	return strings.EqualFold(scheme, "Bearer") && token != "" &&
		!strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' || c == ',' || c == '"' })
}
