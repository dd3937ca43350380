package webauthtest

import (
	"cmp"
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// password is the one authentication type that the fake has.
const password = "pwd"

// visit is one arrival of a browser at the authenticate URL, or what it sent from the
// login form there.
type visit struct {
	request   wls.Request
	refusal   *wls.RequestError // why the request is unusable, nil if it is not
	login     *session          // who is logged in, nil for nobody
	typed     bool              // whether login is from a password typed just now
	cancelled bool              // whether the person pressed Cancel
}

// decision is what comes of a visit.
type decision int

const (
	showForm decision = iota // ask the person
	sendBack                 // answer by a redirect
	showPage                 // explain a failure on a page of the service's own
)

// decide is the protocol: what the service makes of a visit at the time now, with the
// response to send or explain where it does not ask the person. The response still
// lacks issue, id and ptags.
func decide(v visit, o Outcome, now time.Time) (decision, wls.Response) {
	asksPassword := v.request.IAct == "yes" && o.Fault != FaultIgnoreIAct
	switch {
	case v.refusal != nil:
		return v.fail(v.refusal.Status, v.refusal.Msg)
	case o.failure() != 0:
		return v.fail(o.failure(), o.Msg)
	case v.cancelled:
		return v.fail(wls.StatusCancelled, o.Msg)
	case v.request.AAuth != nil && !slices.Contains(v.request.AAuth, password):
		return v.fail(wls.StatusNoAuthType, o.Msg)
	case v.request.IAct == "no" && (v.login == nil || v.typed):
		return v.fail(wls.StatusInteraction, o.Msg)
	case v.login == nil, asksPassword && !v.typed:
		return showForm, wls.Response{}
	}
	r := v.response(wls.StatusSuccess)
	r.Principal = v.login.user
	r.Life = new(int(v.login.expires.Sub(now) / time.Second))
	if v.typed && o.Fault != FaultIgnoreIAct {
		r.Auth = password
	} else {
		r.SSO = []string{password}
	}
	return sendBack, r
}

// fail answers with status, on a page of the service's own where the site asked for
// that or cannot be reached. An empty msg is the usual one.
func (v visit) fail(status int, msg string) (decision, wls.Response) {
	r := v.response(status)
	r.Msg = cmp.Or(msg, usualMsg[status], "failed")
	if v.request.Fail || v.request.URL == "" {
		return showPage, r
	}
	return sendBack, r
}

func (v visit) response(status int) wls.Response {
	r := wls.Response{Ver: v.request.Ver, Status: status, URL: v.request.URL, Params: v.request.Params}
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
