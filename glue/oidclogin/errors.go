package oidclogin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func refusef(reason webauth.Reason, format string, args ...any) *webauth.Error {
	return webauth.NewError(reason, fmt.Errorf(format, args...), webauth.Known{})
}

func malformed(err error) *webauth.Error {
	return webauth.NewError(webauth.ReasonMalformed, err, webauth.Known{})
}

// refuse returns a refusal with what is known of the answer.
func (a *attempt) refuse(err error) error {
	reason := webauth.ReasonOf(err)
	if reason == "" {
		return webauth.NewError(webauth.ReasonProvider, err, a.known)
	}
	e, _ := errors.AsType[*webauth.Error](err)
	cause := e.Unwrap()
	switch {
	case cause == nil:
		cause = errors.New(e.Detail)
	case reason == webauth.ReasonStore:
		cause = fmt.Errorf("%s: %w", e.Detail, cause)
	}
	return webauth.NewError(reason, cause, a.known)
}

// Statuses of Ucam-WebAuth that stand for errors of OpenID Connect (WAA2WLS, "Status codes").
const (
	statusCancelled   = 410
	statusInteraction = 540
	statusDeclined    = 570
)

// errAccessDenied is the error of a person who cancels.
const errAccessDenied = "access_denied"

// failure returns the refusal for an error of the authorization endpoint (RFC 6749 section
// 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6).
func (a *attempt) failure() error {
	a.known.Message = printable(a.answer.described)
	reason, status := webauth.ReasonStatus, statusDeclined
	switch a.answer.failure {
	case errAccessDenied:
		status = statusCancelled
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		status = statusInteraction
	case "server_error", "temporarily_unavailable":
		reason, status = webauth.ReasonProvider, 0
	case "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_response_type":
		reason, status = webauth.ReasonSetup, 0
	}
	a.known.Status = status
	return refusef(reason, "the provider says %q", printable(a.answer.failure))
}

// maxMessage bounds what is logged of a text of the provider's, or of whoever wrote it.
const maxMessage = 300

// printable returns a text for logs: bounded, of one line.
func printable(s string) string {
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c > 0x7f {
			return '?'
		}
		return c
	}, s)
}
