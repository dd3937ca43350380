package remoteuser

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// apacheUnset is what "RequestHeader set Remote-User %{REMOTE_USER}e" makes of a variable
// that is not set.
const apacheUnset = "(null)"

// maxValue bounds what is looked at; a list of ptags is the longest value there is.
const maxValue = 4 << 10

// opened checks the signature of a value, where there must be one, and returns the value
// inside. A header that did not come claims nothing.
func (u *RemoteUser) opened(value string) (string, error) {
	if !u.key.IsSet() || value == "" || value == apacheUnset {
		return value, nil
	}
	if len(value) > maxValue {
		return "", &refusal{reasonMalformed, "the value of an identity header is too long"}
	}
	plain, err := u.key.Open(value)
	switch {
	case errors.Is(err, aaheader.ErrUnsigned):
		return "", &refusal{reasonUnsigned, "the value of an identity header is not signed: look at AAHeaderKey of the front server"}
	case err != nil:
		return "", &refusal{reasonSignature, "the signature of an identity header is wrong: is the key that of the front server, to the newline at the end of its file?"}
	}
	return plain, nil
}

// fill reads what the X-AA headers tell beside the principal.
func fill(id *glue.Identity, c *claim) bool {
	var ok [5]bool
	id.Ptags, ok[0] = splitList(c.value[fieldPtags])
	id.SSO, ok[1] = splitList(c.value[fieldSSO])
	id.Issue, ok[2] = parseTime(c.value[fieldIssue])
	var life time.Duration
	life, ok[3] = parseLife(c.value[fieldLife])
	id.Accepted = id.Issue // as far as the front server tells
	id.Auth, id.SessionID, id.ResponseID = c.value[fieldAuth], c.value[fieldID], c.value[fieldID]
	ok[4] = (id.Auth == "" || password.ValidName(id.Auth)) && (id.SessionID == "" || webauth.IsName(id.SessionID))
	if ok != [5]bool{true, true, true, true, true} {
		return false
	}
	if !id.Issue.IsZero() && life != 0 {
		id.Expires = id.Issue.Add(life)
	}
	if id.Auth != "" { // the person typed it for this very login
		id.Password = id.Issue
	}
	return true
}

// splitList reads a comma-separated list without blanks or empty entries; empty is no
// list at all.
func splitList(s string) ([]string, bool) {
	if s == "" {
		return nil, true
	}
	if len(s) > maxValue {
		return nil, false
	}
	list := strings.Split(s, ",")
	for _, entry := range list {
		if !webauth.IsName(entry) {
			return nil, false
		}
	}
	return list, true
}

// parseTime reads a time in that form and no other; empty is the zero time.
func parseTime(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(aaheader.TimeLayout, s)
	return t, err == nil && t.Format(aaheader.TimeLayout) == s
}

// parseLife reads a number of seconds of at most 9 digits, perhaps negative, as the WLS
// may say it; empty is none.
func parseLife(s string) (time.Duration, bool) {
	if s == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(s, 10, 32)
	ok := err == nil && len(strings.TrimPrefix(s, "-")) <= 9 && strconv.FormatInt(n, 10) == s
	return time.Duration(n) * time.Second, ok
}
