package oidclogin

import (
	"errors"
	"net/url"
	"strings"
)

// maxParameter bounds one parameter of an answer, in bytes. Codes of Entra ID have more than a
// thousand.
const maxParameter = 8 << 10

// answer is what the provider sends the browser back with (OpenID Connect Core 1.0, sections
// 3.1.2.5 and 3.1.2.6; RFC 9207).
type answer struct {
	code, state, iss   string
	failure, described string // error and error_description
	hasISS             bool
	err                error // what is wrong with its shape
}

// Parameters of an answer. Those that are "" here are no part of a good one: they are of other
// flows, which nothing here asks for (response is of JARM).
var answerParameters = map[string]bool{
	"code": true, "state": true, "iss": true, "error": true, "error_description": true, "error_uri": true, "session_state": true,
	"id_token": false, "access_token": false, "token_type": false, "expires_in": false, "response": false,
}

// brings reports whether a query has what makes it an answer, good or not.
func brings(query string) bool {
	for part := range strings.SplitSeq(query, "&") {
		switch name, _ := parameter(part); name {
		case "code", "state", "error", "id_token", "access_token", "response":
			return true
		}
	}
	return false
}

// StripAnswer returns the query of a request for the redirect URI without the provider's answer:
// for logs, which must not have it.
func StripAnswer(query string) string { return strip(query) }

// strip returns a query without an answer.
func strip(query string) string {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		name, _ := parameter(part)
		if _, is := answerParameters[name]; !is {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// parameter returns the decoded name of one part of a query, and its value as it is written.
func parameter(part string) (name, raw string) {
	name, raw, _ = strings.Cut(part, "=")
	if strings.Contains(name, "%") {
		name, _ = url.QueryUnescape(name)
	}
	return name, raw
}

// parseAnswer returns the answer in a query. A malformed one has what could be read of it, so
// that its state can be spent.
func parseAnswer(query string) answer {
	var a answer
	seen := map[string]bool{}
	fail := func(text string) {
		if a.err == nil {
			a.err = errors.New(text)
		}
	}
	for part := range strings.SplitSeq(query, "&") {
		name, raw := parameter(part)
		ours, is := answerParameters[name]
		switch {
		case !is:
			continue
		case seen[name]:
			fail(name + " came more than once")
			continue
		case !ours:
			fail(name + " is of a flow that was not asked for")
		}
		seen[name] = true
		value, err := url.QueryUnescape(raw)
		switch {
		case err != nil:
			fail("bad percent-encoding in " + name)
			continue
		case len(value) > maxParameter:
			fail(name + " is too long")
			continue
		}
		switch name {
		case "code":
			a.code = value
		case "state":
			a.state = value
		case "iss":
			a.iss, a.hasISS = value, true
		case "error":
			a.failure = value
		case "error_description":
			a.described = value
		}
	}
	switch {
	case a.state == "":
		fail("there is no state")
	case a.code == "" && a.failure == "":
		fail("there is neither a code nor an error")
	case a.code != "" && a.failure != "":
		fail("there are both a code and an error")
	}
	return a
}
