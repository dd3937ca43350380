package wls

import (
	"net/url"
	"strings"
)

// isPrintable reports whether s is printable ASCII, blanks included: the alphabet of
// desc and msg (WAA2WLS, "Authentication request").
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// isName reports whether s is printable ASCII without blanks, and not empty.
func isName(s string) bool {
	return s != "" && isPrintable(s) && !strings.Contains(s, " ")
}

// hasControl reports whether s holds a byte below 0x20, which Raven refuses in params.
func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' {
			return true
		}
	}
	return false
}

// escapeQuery writes s as the value of a query parameter, blanks as %20 or as +.
func escapeQuery(s string, plus bool) string {
	s = url.QueryEscape(s)
	if plus {
		return s
	}
	return strings.ReplaceAll(s, "+", "%20") // a + that was in s is %2B by now
}
