package wls

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// responseParam is the name of the query parameter that carries a response.
const responseParam = "WLS-Response"

// ReturnOption changes how ReturnURL writes a response.
type ReturnOption int

// PlusSpaces writes blanks as + (as ucam-wls does) and not as %20 (as Raven does).
const PlusSpaces ReturnOption = 1

// ReturnURL returns the URL that carries a response back to the site: value appended to
// the request's url as WLS-Response, with & if that has a query, else with ?, and
// before a fragment. For ver 1 the query is dropped first (WAA2WLS, "Authentication
// response"). ver is the response's version, which need not be the request's. Characters
// outside ASCII are percent-encoded, as browsers do it: the result fits a Location header.
func ReturnURL(target string, ver int, value string, options ...ReturnOption) (string, error) {
	if err := checkURL(target); err != nil {
		return "", fmt.Errorf("wls: the return URL %v", err)
	}
	base, fragment, hasFragment := strings.Cut(escapeNonASCII(target), "#")
	path, query, _ := strings.Cut(base, "?")
	if ver == 1 || query == "" {
		base = path + "?"
	} else {
		base += "&"
	}
	base += responseParam + "=" + escapeQuery(value, slices.Contains(options, PlusSpaces))
	if hasFragment {
		base += "#" + fragment
	}
	return base, nil
}

// checkURL accepts an absolute http or https URL without blanks, whose path, query and fragment
// may hold characters outside ASCII: see [Request.Complaint]. The error continues a sentence
// that begins with the name of the field.
func checkURL(raw string) error {
	if raw == "" || !utf8.ValidString(raw) || strings.ContainsFunc(raw, isNoURLChar) {
		return errors.New("is not a URL in UTF-8 without blanks, control characters and backslashes")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		return errors.New("is not an absolute http or https URL")
	case u.User != nil:
		// RFC 9110 section 4.2.4: userinfo misleads people about the host.
		return errors.New("holds a user name or password")
	case !isPrintable(u.Host):
		// Programs do not agree on which host that is.
		return errors.New("has a host outside ASCII: write its xn-- form")
	}
	return nil
}

func isNoURLChar(c rune) bool { return c == ' ' || c == '\\' || unicode.IsControl(c) }

// escapeNonASCII percent-encodes the bytes outside ASCII (RFC 3987 section 3.1).
func escapeNonASCII(s string) string {
	if isPrintable(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
