package webauth

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // the protocol's hash (WAA2WLS, "Signatures")
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"
)

// VerifierConfig configures a Verifier.
type VerifierConfig struct {
	// Service whose responses are accepted. Required.
	Service Service
	// Versions a success may have; nil means 3 alone. The version is not under our
	// token's MAC and older ones imply ptag "current", so leave it alone except for
	// diagnosis and for services that know no better.
	Versions []int
	// MaxAge is how old a response may be; zero means 30 s. At most 10 minutes where a
	// Signer is set, else 100 years. Skew is how far the clocks may disagree; zero means 5 s.
	MaxAge, Skew time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Signer knows our tokens again. Required, but see InsecureNoToken.
	Signer *RequestSigner
	// OneUse remembers what was used. Required, but see InsecureNoReplayCheck.
	OneUse OneUse
	// Origins are further origins of the same site: a response for one of them that
	// turns up here is refused, and spent.
	Origins []string

	// InsecureNoToken lets responses in that answer no request of ours: anybody can
	// log a visitor in as somebody else, or with less proof than was asked for.
	InsecureNoToken bool
	// InsecureNoReplayCheck lets the same response in again and again while it is
	// fresh, for whoever can read an access log.
	InsecureNoReplayCheck bool
	// InsecurePublishedKeys trusts keys whose private half is public on any site:
	// anybody can log in as anybody. For looking at old responses only.
	InsecurePublishedKeys bool
}

// Verifier turns the value of WLS-Response into a verified Response or an *Error. It
// is immutable and safe for concurrent use.
type Verifier struct {
	cfg     VerifierConfig
	origins []string // ours, in normal form
}

// Expect is what a response must match.
type Expect struct {
	// URL is the absolute URL being asked for now: the origin from configuration,
	// path and query as the browser sent them. With a Signer the query is not
	// compared, because services rewrite it: the signed url as a whole is under our
	// token's MAC. Without one all of it must be equal.
	URL string
	// Secret is the browser's secret; empty where the browser brought none.
	Secret BrowserSecret
	// IAct and AAuth are used without a Signer only: with one, the token says what was
	// asked for.
	IAct  Interact
	AAuth []string
	// InsecureAnyURL skips the url check: a response for any site is accepted.
	// The ReturnURL and SamePrincipal of an Error then tell nothing.
	InsecureAnyURL bool
}

// longestWindow keeps the sum of MaxAge and Skew from overflowing a Duration.
const longestWindow = 100 * 365 * 24 * time.Hour

// NewVerifier checks the configuration.
func NewVerifier(cfg VerifierConfig) (*Verifier, error) {
	if err := cfg.Service.Check(); err != nil {
		return nil, err
	}
	if cfg.Versions == nil {
		cfg.Versions = []int{3}
	}
	cfg.Versions = slices.Clone(cfg.Versions)
	for _, n := range cfg.Versions {
		if n < 1 || n > 3 {
			return nil, fmt.Errorf("webauth: VerifierConfig.Versions: there is no version %d", n)
		}
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = 30 * time.Second
	}
	if cfg.Skew == 0 {
		cfg.Skew = 5 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case len(cfg.Versions) == 0:
		return nil, errors.New("webauth: VerifierConfig.Versions: an empty list accepts nothing; leave it nil for version 3")
	case cfg.MaxAge < 0 || cfg.Skew < 0:
		return nil, errors.New("webauth: VerifierConfig: MaxAge and Skew must not be negative")
	case cfg.MaxAge > longestWindow || cfg.Skew > longestWindow:
		return nil, errors.New("webauth: VerifierConfig: MaxAge and Skew of more than 100 years")
	case cfg.Signer != nil && (cfg.MaxAge > 10*time.Minute || cfg.Skew > 10*time.Minute):
		return nil, errors.New("webauth: VerifierConfig: MaxAge and Skew above 10 minutes hide a wrong clock: set it by NTP")
	case cfg.Signer == nil && !cfg.InsecureNoToken:
		return nil, errors.New("webauth: VerifierConfig.Signer is missing (NewRequestSigner makes one)")
	case cfg.Signer != nil && cfg.Signer.service != cfg.Service.ID():
		return nil, fmt.Errorf("webauth: VerifierConfig.Signer was made for another service than %q", cfg.Service.Name)
	case cfg.OneUse == nil && !cfg.InsecureNoReplayCheck:
		return nil, errors.New("webauth: VerifierConfig.OneUse is missing (NewMemoryOneUse makes one)")
	}
	v := &Verifier{cfg: cfg}
	if cfg.Signer != nil {
		v.origins = append(v.origins, cfg.Signer.origin)
	}
	for _, o := range cfg.Origins {
		origin, err := Origin(o)
		if err != nil {
			return nil, fmt.Errorf("webauth: VerifierConfig.Origins: %q: %v", o, err)
		}
		v.origins = append(v.origins, origin)
	}
	if !cfg.InsecurePublishedKeys && cfg.Service.HasPublishedKey() {
		for _, o := range v.origins {
			if !IsLoopback(o) {
				return nil, fmt.Errorf("webauth: service %q trusts a key whose private half is public: good for loopback sites, not for %s", cfg.Service.Name, o)
			}
		}
	}
	return v, nil
}

// Verify checks a response (the decoded value, see ResponseFrom), in this order:
// shape; a key of this service; signature; version; time; url; one use of the
// response; the token, spent as soon as its MAC holds; then the status, or iact and
// aauth. The first check that fails makes the *Error; marking as used goes on all the
// same, so that whatever was refused cannot be tried again elsewhere.
func (v *Verifier) Verify(ctx context.Context, value string, want Expect) (*Response, error) {
	u, e := parseResponse(value)
	if e != nil {
		return nil, e
	}
	a := &attempt{v: v, u: u, want: want, now: v.cfg.Now()}
	if e := a.judge(ctx); e != nil {
		a.describe(e)
		return nil, e
	}
	return &Response{f: u.f, token: a.token}, nil
}

// attempt is one response on its way through the checks.
type attempt struct {
	v    *Verifier
	u    *Unverified
	want Expect
	now  time.Time

	signed   bool // the signature held
	originOK bool // the signed url is of the origin asked for
	urlOK    bool // the signed url is the one asked for
	token    Token
	ours     bool // the token's MAC held and it was not used before
}

func (a *attempt) judge(ctx context.Context) *Error {
	refusal := cmp.Or(a.checkSignature(), a.checkVersion(), a.checkTime(), a.checkURL()) // the first; all are made
	// Marking the response comes before judging the token: otherwise whoever owns the
	// token could replay, from a log, what is refused here. For the same reason what
	// was refused for its time or url is marked too.
	for _, e := range [...]*Error{a.useResponse(ctx), a.useToken(ctx)} {
		if e != nil && (refusal == nil || e.Reason == ReasonStore) {
			refusal = e
		}
	}
	if refusal != nil {
		return refusal
	}
	return a.checkOutcome()
}

// describe adds to a refusal what its reader may rely on.
func (a *attempt) describe(e *Error) {
	f := &a.u.f
	e.Status, e.Signed, e.msg = f.status, a.signed, f.msg
	if a.ours {
		token := a.token
		e.token = &token
	}
	if a.urlOK && (a.signed || a.ours) {
		e.returnURL = f.url
	}
	if a.urlOK && a.signed {
		e.principal = f.principal
	}
}

func (a *attempt) checkSignature() *Error {
	u := a.u
	if !u.Signed() {
		if u.f.status == 200 {
			return refuse(ReasonUnsigned, "a success must be signed")
		}
		return nil // failures may be unsigned (WAA2WLS, "Authentication response")
	}
	key, ok := a.v.cfg.Service.Keys.Lookup(u.f.kid)
	if !ok {
		return refuse(ReasonUnknownKey, "kid %s is no key of service %q", u.f.kid, a.v.cfg.Service.Name)
	}
	if key.Published() && !a.v.cfg.InsecurePublishedKeys && !u.f.addr.loopback() {
		return refuse(ReasonUnknownKey, "the private half of the key under kid %s is public: it proves nothing to a site that is not on loopback", u.f.kid)
	}
	if err := key.VerifySHA1(sha1.Sum([]byte(u.signed)), u.sig); err != nil {
		return refuse(ReasonSignature, "the signature does not verify under kid %s", u.f.kid)
	}
	a.signed = true
	return nil
}

func (a *attempt) checkVersion() *Error {
	ver, asked := a.u.f.ver, slices.Max(a.v.cfg.Versions)
	switch {
	case slices.Contains(a.v.cfg.Versions, ver):
		return nil
	case a.u.f.status != 200 && ver < asked:
		return nil // live services answer failures as version 1
	}
	return refuse(ReasonVersion, "version %d is not accepted", ver)
}

func (a *attempt) checkTime() *Error {
	age := a.now.Sub(a.u.f.issue)
	max, skew := a.v.cfg.MaxAge, a.v.cfg.Skew
	switch {
	case age > max+skew:
		return refuse(ReasonStale, "issued %v ago, %v more than the %v (and %v skew) allowed; if this is not an old link, check that both clocks are set by NTP",
			age.Truncate(time.Second), (age - max - skew).Truncate(time.Millisecond), max, skew)
	case age < -skew: // not -age > skew: the least Duration has no positive counterpart
		return refuse(ReasonFuture, "issued %v in the future, the skew allowed is %v; check that both clocks are set by NTP",
			-age.Truncate(time.Millisecond), skew)
	}
	return nil
}

func (a *attempt) checkURL() *Error {
	switch {
	case a.want.InsecureAnyURL:
		return nil
	case a.want.URL == a.u.f.url: // ParseResponse has looked at it
		a.originOK, a.urlOK = true, true
		return nil
	}
	here, err := parseAddress(a.want.URL)
	if err != nil {
		return refuse(ReasonURL, "the URL being asked for: %v", err)
	}
	signed := a.u.f.addr
	a.originOK = signed.origin() == here.origin()
	switch {
	case !a.originOK:
		return refuse(ReasonURL, "made for %s, this is %s", signed.origin(), here.origin())
	case signed.path != here.path:
		return refuse(ReasonURL, "made for another path of this site")
	case a.v.cfg.Signer == nil && signed.query != here.query:
		return refuse(ReasonURL, "made for another query of this path")
	}
	a.urlOK = true
	return nil
}

// useResponse marks a response that the WLS signed for this site and that is not too
// old to be used. Others cannot get in, so they need no mark, and must have none: the
// store would fill with what anybody can send.
func (a *attempt) useResponse(ctx context.Context) *Error {
	cfg := &a.v.cfg
	expires := a.u.f.issue.Add(cfg.MaxAge + cfg.Skew)
	if cfg.OneUse == nil || !a.signed || a.now.After(expires) || !a.forUs() {
		return nil
	}
	h := sha256.Sum256([]byte(cfg.Service.ID() + "\x00" + a.u.signed))
	err := cfg.OneUse.Once(ctx, Item{
		ID:     "response:" + base64.RawURLEncoding.EncodeToString(h[:]),
		Issued: a.u.f.issue, Expires: expires,
	})
	return onceError(err, ReasonReplay, "this response was used before")
}

func (a *attempt) forUs() bool {
	return a.originOK || a.want.InsecureAnyURL || slices.Contains(a.v.origins, a.u.f.addr.origin())
}

// useToken spends the token of any response that carries one made for this browser.
func (a *attempt) useToken(ctx context.Context) *Error {
	cfg := &a.v.cfg
	if cfg.Signer == nil {
		return nil
	}
	var err error
	if a.token, err = cfg.Signer.Check(a.want.Secret, a.u.f.url, a.u.f.params); err != nil {
		return refuse(ReasonToken, "%v", err)
	}
	if cfg.OneUse != nil {
		err = cfg.OneUse.Once(ctx, cfg.Signer.item(a.token, a.signed))
	}
	if e := onceError(err, ReasonToken, "the token was used before"); e != nil {
		return e
	}
	a.ours = true
	return nil
}

func onceError(err error, used Reason, detail string) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUsed):
		return refuse(used, "%s", detail)
	}
	e := refuse(ReasonStore, "cannot tell whether it was used before")
	e.cause = err
	return e
}

func (a *attempt) checkOutcome() *Error {
	f := &a.u.f
	if f.status != 200 {
		text := statusText[f.status]
		if text == "" {
			text = "a status that the protocol does not define"
		}
		signed := "unsigned"
		if a.signed {
			signed = "signed"
		}
		return refuse(ReasonStatus, "status %d (%s), %s", f.status, text, signed)
	}
	iact, aauth := a.want.IAct, a.want.AAuth
	if a.v.cfg.Signer != nil {
		iact, aauth = a.token.IAct, a.token.AAuth
	}
	switch reason := CheckStrength(iact, aauth, f.auth, f.sso); reason {
	case "":
		return nil
	case ReasonInteract:
		return refuse(reason, "iact %q was asked for, the response says auth %q", string(iact), f.auth)
	default:
		return refuse(reason, "no accepted type in auth %q and sso %q", f.auth, f.sso)
	}
}

// Response is a verified success: every check of Verify held.
type Response struct {
	f     fields
	token Token
}

// Version is 3, unless VerifierConfig.Versions says otherwise.
func (r *Response) Version() int { return r.f.ver }

// Principal is the person's identifier; at Cambridge a CRSid.
func (r *Response) Principal() string { return r.f.principal }

// Ptags are the person's tags, such as "current"; ignore unknown ones.
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
