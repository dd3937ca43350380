package webauth

import "slices"

// Response is a verified success: every check of [Verifier.Verify] held.
type Response struct {
	fields
	token   Token
	confirm bool
}

// Principal returns the person's identifier; at Cambridge a CRSid.
func (r *Response) Principal() string { return r.principal }

// Ptags returns the person's tags, such as "current"; ignore unknown ones. Versions 1 and 2
// have none: they imply "current", unless the service is one with [Service.NoPtags].
func (r *Response) Ptags() []string { return slices.Clone(r.ptags) }

// Auth returns the authentication type used just now, or "" for single sign-on.
func (r *Response) Auth() string { return r.auth }

// SSO returns the types used earlier.
func (r *Response) SSO() []string { return slices.Clone(r.sso) }

// Token returns the token of the request that this answers; zero with
// [VerifierConfig.InsecureNoToken].
func (r *Response) Token() Token { return r.token }

// Confirm reports whether the person must be asked before they are logged in, by a page
// that names the principal: the request failed in this browser before, see [Expect.Failed].
// It is never true where Expect.Failed is nil.
func (r *Response) Confirm() bool { return r.confirm }
