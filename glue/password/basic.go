package password

import (
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// HasBasic reports whether a request brings anything for [Checker.Basic].
func HasBasic(r *http.Request) bool {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return len(values) > 1
	}
	scheme, _, _ := strings.Cut(values[0], " ")
	return strings.EqualFold(scheme, "Basic")
}

// Basic verifies the name and the password that a request brings by HTTP Basic (RFC 7617),
// and returns the name; or the refusal, which asks for them in the realm's name where that
// may help.
func (c *Checker) Basic(r *http.Request, realm string) (user string, no *Refusal) {
	user, password, ok := r.BasicAuth()
	switch {
	case !HasBasic(r):
		return "", challenge(realm, event(glue.EventRefused, ReasonNobody, nil))
	case !ok || len(r.Header["Authorization"]) > 1:
		return "", challenge(realm, event(glue.EventRefused, ReasonMalformed, nil))
	}
	switch v := c.Verify(r, user, password); {
	case v.Right:
		return user, nil
	case v.Err != nil || v.Wait > 0:
		return "", v.refusal()
	default:
		return "", challenge(realm, event(EventWrong, ReasonWrong, nil))
	}
}

// challenge has the browser ask for name and password.
func challenge(realm string, e site.Event) *Refusal {
	p := pageNobody
	p.Text = []string{"This page is for people with an account on this site. Reload it to be asked for your user name and password."}
	if e.Name == EventWrong {
		p.Text = []string{"The user name or the password is wrong."}
	}
	return &Refusal{Event: e, Page: p, Header: http.Header{
		"Www-Authenticate": {`Basic realm="` + quotable(realm) + `", charset="UTF-8"`},
	}}
}

// quotable leaves out what would need an escape in a quoted string.
func quotable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, s)
}
