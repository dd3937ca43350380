package webauth

import (
	"slices"
	"time"
)

// Response is a verified success: every check of Verify held.
type Response struct {
	f       fields
	token   Token
	confirm bool
}

// Version is 3, unless VerifierConfig.Versions says otherwise.
func (r *Response) Version() int { return r.f.ver }

// Principal is the person's identifier; at Cambridge a CRSid.
func (r *Response) Principal() string { return r.f.principal }

// Ptags are the person's tags, such as "current"; ignore unknown ones. Versions 1 and 2
// have no room for any: they imply "current", unless the service is one with NoPtags.
func (r *Response) Ptags() []string { return slices.Clone(r.f.ptags) }

// Auth is the authentication type used just now, or empty for single sign-on.
func (r *Response) Auth() string { return r.f.auth }

// SSO lists the types used earlier.
func (r *Response) SSO() []string { return slices.Clone(r.f.sso) }

// Life is what is left of the WLS's session, if it said; it may be zero or negative.
func (r *Response) Life() (time.Duration, bool) { return r.f.lifetime() }

// Issue is when the response was made, in UTC.
func (r *Response) Issue() time.Time { return r.f.issue }

// ID is the response's identifier, unique together with Issue.
func (r *Response) ID() string { return r.f.id }

// URL is the url that the request asked to come back to; send the browser there.
func (r *Response) URL() string { return r.f.url }

// Params is the request's params.
func (r *Response) Params() string { return r.f.params }

// Kid names the key that signed.
func (r *Response) Kid() string { return r.f.kid }

// Msg is text for the person, signed by the WLS.
func (r *Response) Msg() string { return r.f.msg }

// Token is the token of the request that this answers; zero with InsecureNoToken.
func (r *Response) Token() Token { return r.token }

// Confirm reports whether the person must be asked before they are logged in, by a page
// that names the principal: the request failed in this browser before, see Expect.Failed.
// It is never true where Expect.Failed is nil.
func (r *Response) Confirm() bool { return r.confirm }
