package webauth

import (
	"context"
	"crypto/fips140"
	"errors"
	"fmt"
	"slices"
	"time"
)

// VerifierConfig configures a [Verifier].
type VerifierConfig struct {
	// Service whose responses are accepted. Required.
	Service Service
	// Versions a success may have; nil means 3 alone. The version is not under our
	// token's MAC and older ones imply ptag "current", so leave it alone except for
	// diagnosis and for services that have no version 3.
	Versions []int
	// MaxAge is how old a response may be; zero means 30 s. At most 10 minutes where a
	// Signer is set, else 100 years. Skew is how far the clocks may disagree; zero means 5 s.
	MaxAge, Skew time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Signer checks the tokens of requests. Required, but see InsecureNoToken.
	Signer *RequestSigner
	// OneUse remembers what was used. Required, but see InsecureNoReplayCheck. Verifiers
	// that share one must agree on MaxAge and Skew: marks last just as long.
	OneUse OneUse
	// Origins are further origins of the same site: a response for one of them that
	// turns up here is refused, and spent.
	Origins []string

	// InsecureNoToken lets responses in that answer no request of ours: anybody can
	// log a visitor in as somebody else, or with less proof than was asked for.
	InsecureNoToken bool
	// InsecureNoReplayCheck lets the same response in again and again while it is
	// fresh: anybody who can read an access log can log in with it.
	InsecureNoReplayCheck bool
	// InsecurePublishedKeys trusts keys whose private half is public on any site:
	// anybody can log in as anybody. For looking at old responses only.
	InsecurePublishedKeys bool
}

// Verifier turns the value of WLS-Response into a verified [Response] or an [*Error]. It
// is immutable and safe for concurrent use.
type Verifier struct {
	cfg     VerifierConfig
	origins []string // ours, in normal form
}

// Expect is what a response must match.
type Expect struct {
	// URL is the absolute URL of the current request: the origin from configuration, path
	// and query as the browser sent them (from other clients, in the form of
	// [CanonicalURL]). With a Signer the query is not compared, because services rewrite
	// it: the signed url as a whole is under our token's MAC. Without one the whole URL
	// must be equal.
	URL string
	// Secret is the browser's secret; empty where the browser brought none.
	Secret BrowserSecret
	// Failed reports whether the request with this token failed in this very browser: a
	// Verify gave an Error with ReasonStatus and that Token. The token is spent then, but
	// people cancel, go back and log in after all. Where Failed says so, one success may
	// follow, and Response.Confirm is true: the token has been in a log by then, so a
	// reader of that log can have made the success, to log the person in as somebody else.
	// The caller must ask the person. Nil lets no token be used again.
	Failed func(Token) bool
	// IAct and AAuth are used without a Signer only: with one, the token says what was
	// asked for.
	IAct  Interact
	AAuth []string
	// InsecureAnyURL skips the url check: a response for any site is accepted.
	// ReturnURL and SamePrincipal of an [Error] then mean nothing.
	InsecureAnyURL bool
}

// longestWindow keeps the sum of MaxAge and Skew from overflowing a Duration.
const longestWindow = 100 * 365 * 24 * time.Hour

// NewVerifier returns a verifier for cfg. It is an error in Go's FIPS-only mode, which
// has no SHA-1: the protocol has nothing else.
func NewVerifier(cfg VerifierConfig) (*Verifier, error) {
	if fips140.Enforced() {
		return nil, errors.New("webauth: Ucam-WebAuth signs with SHA-1, which GODEBUG=fips140=only forbids")
	}
	if err := cfg.Service.Check(); err != nil {
		return nil, err
	}
	if err := cfg.complete(); err != nil {
		return nil, err
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

// complete fills in the defaults and checks what does not depend on the service.
func (cfg *VerifierConfig) complete() error {
	if cfg.Versions == nil {
		cfg.Versions = []int{3}
	}
	cfg.Versions = slices.Clone(cfg.Versions)
	for _, n := range cfg.Versions {
		if n < 1 || n > 3 {
			return fmt.Errorf("webauth: VerifierConfig.Versions: there is no version %d", n)
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
		return errors.New("webauth: VerifierConfig.Versions: an empty list accepts nothing; leave it nil for version 3")
	case cfg.MaxAge < 0 || cfg.Skew < 0:
		return errors.New("webauth: VerifierConfig: MaxAge and Skew must not be negative")
	case cfg.MaxAge > longestWindow || cfg.Skew > longestWindow:
		return errors.New("webauth: VerifierConfig: MaxAge and Skew of more than 100 years")
	case cfg.Signer != nil && (cfg.MaxAge > 10*time.Minute || cfg.Skew > 10*time.Minute):
		return errors.New("webauth: VerifierConfig: MaxAge and Skew above 10 minutes hide a wrong clock: set it by NTP")
	case cfg.Signer == nil && !cfg.InsecureNoToken:
		return errors.New("webauth: VerifierConfig.Signer is missing (NewRequestSigner makes one)")
	case cfg.Signer != nil && cfg.Signer.service != cfg.Service.ID():
		return fmt.Errorf("webauth: VerifierConfig.Signer was made for another service than %q", cfg.Service.Name)
	case cfg.OneUse == nil && !cfg.InsecureNoReplayCheck:
		return errors.New("webauth: VerifierConfig.OneUse is missing (NewMemoryOneUse makes one)")
	}
	return nil
}

// Verify checks a response (the decoded value, see [ResponseFrom]), in this order:
// shape; a key of this service; signature; version; time; url, which must be that of
// [Expect.URL], in the form of [CanonicalTarget]; one use of the response; the token; then
// the status, or iact and aauth. The token is spent as soon as its MAC holds, and, where
// that cannot be checked, if the response is signed for this site. The first check that
// fails makes the [*Error]; response and token are marked as used all the same, so that
// what was refused cannot be tried again elsewhere.
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
	return &Response{fields: u.fields, token: a.token, confirm: a.again}, nil
}
