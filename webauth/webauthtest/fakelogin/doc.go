// Package fakelogin is what the login services for tests and demos have in common,
// whatever protocol they speak: browsers for tests, a clock that tests can move, and the
// look of the pages. It is for this module: what it exports may change at any time.
package fakelogin

import (
	"fmt"
	"net/url"
)

// Must panics on a mistake in a test.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Origin returns scheme, host and port of a URL that parses.
func Origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// ParseOrigin parses the configured address of a service: an origin, with or without a final
// slash.
func ParseOrigin(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		(u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q: want an origin such as http://127.0.0.1:8081", raw)
	}
	return u, nil
}

// HostOf returns host and port of a URL, empty if it does not parse.
func HostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
