package wls

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
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
// response"). ver is the response's version, which need not be the request's.
func ReturnURL(target string, ver int, value string, options ...ReturnOption) (string, error) {
	if err := checkURL(target); err != nil {
		return "", fmt.Errorf("wls: the return URL %v", err)
	}
	base, fragment, hasFragment := strings.Cut(target, "#")
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

// checkURL accepts an absolute http or https URL in printable ASCII. The error continues a
// sentence that begins with the name of the field.
func checkURL(raw string) error {
	if !isName(raw) || strings.Contains(raw, `\`) {
		return errors.New("is not a URL in printable ASCII without blanks and backslashes")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "":
		return errors.New("is not an absolute http or https URL")
	case u.User != nil:
		// RFC 9110 section 4.2.4: userinfo misleads people about the host.
		return errors.New("holds a user name or password")
	}
	return nil
}
