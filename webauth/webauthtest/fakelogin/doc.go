// Package fakelogin is what the login services for tests and demos have in common,
// whatever protocol they speak: browsers for tests, a clock that tests can move, and the
// look of the pages. It is for this module: what it exports may change at any time.
package fakelogin

import "net/url"

// Must panics on a mistake in a test.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Origin returns scheme, host and port of a URL that parses.
func Origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// HostOf returns host and port of a URL, empty if it does not parse.
func HostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
