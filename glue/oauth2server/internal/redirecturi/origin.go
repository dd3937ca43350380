package redirecturi

import (
	"slices"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Origin returns the origin of the page that a redirect URI leads to, or of a page, in the
// form in which the two are compared: without the port where [Matches] takes any. It is
// empty where there is no page, as with a private-use scheme.
func Origin(uri string) string {
	if kind := KindOf(uri); kind != HTTPS && kind != Loopback {
		return ""
	}
	origin, err := webauth.Origin(uri)
	if err != nil {
		return ""
	}
	if bare, ok := cutLoopbackPort(origin); ok {
		return bare
	}
	return origin
}

// Origins returns the origins of redirect URIs, each once.
func Origins(uris []string) []string {
	var all []string
	for _, uri := range uris {
		if origin := Origin(uri); origin != "" && !slices.Contains(all, origin) {
			all = append(all, origin)
		}
	}
	return all
}
