package webauthtest

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// password is the one authentication type that the fake has.
const password = "pwd"

// authRequest is an authentication request as a browser brought it, or the login form that
// the browser sent for it.
type authRequest struct {
	wls.Request
	refusal   *wls.RequestError // why the request is unusable, nil if it is not
	login     *session          // who is logged in, nil for nobody
	submitted bool              // whether the browser sent the login form
	typed     bool              // whether login is from a password typed just now
	cancelled bool              // whether the person pressed Cancel
}

func newAuthRequest(rawQuery string) authRequest {
	var a authRequest
	request, err := wls.ParseRequest(rawQuery)
	errors.As(err, &a.refusal)
	a.Request = *request
	return a
}

// user returns the id of who is logged in, or "" for nobody.
func (a authRequest) user() string {
	if a.login == nil {
		return ""
	}
	return a.login.user
}

// decide is the protocol: it returns the kind of answer at the time now, and the response
// that is sent or explained unless the person is asked. The response still lacks issue, id
// and ptags.
func (a authRequest) decide(o Outcome, now time.Time) (Reply, wls.Response) {
	asksPassword := a.IAct == "yes" && o.Fault != FaultIgnoreIAct
	switch {
	case a.refusal != nil:
		return a.fail(a.refusal.Status, a.refusal.Msg)
	case o.failure() != 0:
		return a.fail(o.failure(), o.Msg)
	case a.cancelled:
		return a.fail(wls.StatusCancelled, o.Msg)
	case a.AAuth != nil && !slices.Contains(a.AAuth, password):
		return a.fail(wls.StatusNoAuthType, o.Msg)
	case a.IAct == "no" && (a.login == nil || a.typed):
		return a.fail(wls.StatusInteraction, o.Msg)
	case a.login == nil, asksPassword && !a.typed:
		return ReplyForm, wls.Response{}
	}
	r := a.response(wls.StatusSuccess)
	r.Principal = a.login.user
	r.Life = new(int(a.login.expires.Sub(now) / time.Second))
	if a.typed && o.Fault != FaultIgnoreIAct {
		r.Auth = password
	} else {
		r.SSO = []string{password}
	}
	return ReplyReturn, r
}

// fail answers with status, on a page of the service's own where the site asked for
// that or cannot be reached. An empty msg is the usual one.
func (a authRequest) fail(status int, msg string) (Reply, wls.Response) {
	r := a.response(status)
	r.Msg = cmp.Or(msg, usualMsg[status], "failed")
	if a.Fail || a.URL == "" {
		return ReplyPage, r
	}
	return ReplyReturn, r
}

func (a authRequest) response(status int) wls.Response {
	r := wls.Response{Ver: a.Ver, Status: status, URL: a.URL, Params: a.Params}
	if r.Ver == 0 || status == wls.StatusVersion {
		r.Ver = 1 // the one version that every site can read
	}
	return r
}

// usualMsg is the msg of a failure.
var usualMsg = map[int]string{
	wls.StatusCancelled:     "cancelled by the user",
	wls.StatusNoAuthType:    "no mutually acceptable authentication type",
	wls.StatusVersion:       "unsupported protocol version",
	wls.StatusRequest:       "request parameter error",
	wls.StatusInteraction:   "interaction with the user would be required",
	wls.StatusNotAuthorised: "this web site may not use this service",
	wls.StatusDeclined:      "authentication declined",
}
