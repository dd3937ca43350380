package webauth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// browserMemory is what a caller keeps of the requests that failed in one browser.
type browserMemory map[string]bool

func (m browserMemory) failed(token webauth.Token) bool { return m[token.Nonce] }

// note does as a caller must: only a refusal for the status that comes with its token
// counts.
func (m browserMemory) note(err error) {
	e, ok := err.(*webauth.Error)
	if !ok || e.Reason != webauth.ReasonStatus {
		return
	}
	if token, ours := e.Token(); ours {
		m[token.Nonce] = true
	}
}

// TestVerifyAfterFailure answers one request several times in one browser.
func TestVerifyAfterFailure(t *testing.T) {
	unsigned := func(_ *testing.T, p string) string { return failure(1, 410, p).Fields().Unsigned() }
	cancelled := func(t *testing.T, p string) string { return signed(t, failure(1, 410, p)) }
	declined := func(t *testing.T, p string) string { return signed(t, failure(3, 570, p)) }
	forged := func(t *testing.T, p string) string { return signedBy(t, failure(3, 410, p), otherKey(), testKid) }
	stale := func(t *testing.T, p string) string {
		r := failure(3, 410, p)
		r.Issue = testNow.Add(-time.Minute)
		return signed(t, r)
	}
	succeeds := func(id string) func(*testing.T, string) string {
		return changed(func(r *wls.Response) { r.ID = id })
	}
	badSuccess := func(t *testing.T, p string) string { return signedBy(t, success(p), otherKey(), testKid) }
	const confirm = "confirm" // a success that must be confirmed
	for _, row := range []struct {
		name   string
		values []func(*testing.T, string) string
		want   []string // the reason of each, "" for a plain success
	}{
		{"a success", []func(*testing.T, string) string{succeeds("a")}, []string{""}},
		{"cancel, then log in", []func(*testing.T, string) string{cancelled, succeeds("a")}, []string{"status", confirm}},
		{"cancel unsigned, then log in", []func(*testing.T, string) string{unsigned, succeeds("a")}, []string{"status", confirm}},
		{"cancel twice", []func(*testing.T, string) string{cancelled, declined}, []string{"status", "status"}},
		{"the page of a failure reloaded", []func(*testing.T, string) string{cancelled, cancelled}, []string{"status", "status"}},
		{"cancel twice, then log in", []func(*testing.T, string) string{cancelled, declined, succeeds("a")}, []string{"status", "status", confirm}},
		{"logged in twice after it", []func(*testing.T, string) string{cancelled, succeeds("a"), succeeds("b")}, []string{"status", confirm, "token"}},
		{"logged in with the same response", []func(*testing.T, string) string{cancelled, succeeds("a"), succeeds("a")}, []string{"status", confirm, "replay"}},
		{"cancel after logging in after it", []func(*testing.T, string) string{cancelled, succeeds("a"), declined, succeeds("b")}, []string{"status", confirm, "status", "token"}},
		{"a failure after a success opens nothing", []func(*testing.T, string) string{succeeds("a"), unsigned, succeeds("b")}, []string{"", "token", "token"}},
		{"nor one that is signed", []func(*testing.T, string) string{succeeds("a"), cancelled, succeeds("b")}, []string{"", "token", "token"}},
		{"a forged failure opens nothing", []func(*testing.T, string) string{forged, succeeds("a")}, []string{"signature", "token"}},
		{"a stale failure opens nothing", []func(*testing.T, string) string{stale, succeeds("a")}, []string{"stale", "token"}},
		{"a refused success opens nothing", []func(*testing.T, string) string{badSuccess, succeeds("a")}, []string{"signature", "token"}},
		{"a forged success in between spends nothing", []func(*testing.T, string) string{cancelled, badSuccess, succeeds("a")}, []string{"status", "signature", confirm}},
		{"a stale failure afterwards says what it says", []func(*testing.T, string) string{cancelled, stale}, []string{"status", "status"}},
		{"a forged failure afterwards says nothing", []func(*testing.T, string) string{cancelled, forged}, []string{"status", "signature"}},
	} {
		onEachStore(t, row.name, func(t *testing.T, s *site) {
			memory := browserMemory{}
			params := s.params(t, nil)
			v, want := s.verifier(t, nil), s.here()
			want.Failed = memory.failed
			for i, value := range row.values {
				resp, err := v.Verify(t.Context(), value(t, params), want)
				memory.note(err)
				got := string(webauth.ReasonOf(err))
				if err == nil && resp.Confirm() {
					got = confirm
				}
				require.Equal(t, row.want[i], got, "answer %d: %v", i, err)
			}
		})
	}
}

// TestVerifyAfterFailureElsewhere: a failure opens nothing to those who do not keep it.
func TestVerifyAfterFailureElsewhere(t *testing.T) {
	for _, row := range []struct {
		name   string
		failed func(webauth.Token) bool
	}{
		{"nothing is remembered", nil},
		{"by another browser", func(webauth.Token) bool { return false }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			params := s.params(t, nil)
			v, want := s.verifier(t, nil), s.here()
			want.Failed = row.failed
			_, err := v.Verify(t.Context(), signed(t, failure(1, 410, params)), want)
			wantReason(t, webauth.ReasonStatus, err)
			_, err = v.Verify(t.Context(), signed(t, success(params)), want)
			e := wantReason(t, webauth.ReasonToken, err)
			assert.Equal(t, pageURL, e.OwnURL(), "it is still a URL that we signed")
			_, ours := e.Token()
			assert.False(t, ours)
		})
	}
}

// TestVerifyAfterFailureChecksAllElse: what follows a failure is judged like any other.
func TestVerifyAfterFailureChecksAllElse(t *testing.T) {
	for _, row := range []struct {
		name  string
		sign  func(*webauth.Request)
		edit  func(*wls.Response)
		want  func(*webauth.Expect)
		later time.Duration
		first webauth.Reason
	}{
		{name: "iact", sign: func(r *webauth.Request) { r.IAct = webauth.IActYes }, first: webauth.ReasonInteract,
			edit: func(r *wls.Response) { r.Auth, r.SSO = "", []string{"pwd"} }},
		{name: "aauth", first: webauth.ReasonAuthType, edit: func(r *wls.Response) { r.Auth = "x-otp" }},
		{name: "url", first: webauth.ReasonURL, want: func(e *webauth.Expect) { e.URL = siteOrigin + "/other" }},
		{name: "browser", first: webauth.ReasonToken, want: func(e *webauth.Expect) { e.Secret = webauth.NewBrowserSecret() }},
		{name: "time", first: webauth.ReasonStale, edit: func(r *wls.Response) { r.Issue = testNow.Add(-time.Minute) }},
		{name: "life of the token", first: webauth.ReasonToken, later: time.Hour + time.Second,
			edit: func(r *wls.Response) { r.Issue = testNow.Add(time.Hour + time.Second) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, memory := newSite(t), browserMemory{}
			params := s.params(t, row.sign)
			want := s.here()
			want.Failed = memory.failed
			_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, failure(1, 410, params)), want)
			memory.note(err)
			require.Len(t, memory, 1)
			r := success(params)
			if row.edit != nil {
				row.edit(&r)
			}
			if row.want != nil {
				row.want(&want)
			}
			now := clock(testNow.Add(row.later))
			signer := newSigner(t, func(c *webauth.SignerConfig) { c.Now = now })
			v := s.verifier(t, func(c *webauth.VerifierConfig) { c.Now, c.Signer = now, signer })
			_, err = v.Verify(t.Context(), signed(t, r), want)
			wantReason(t, row.first, err)
		})
	}
}

// TestVerifyFailureRetold: a failure is told again, however old, but not at another page.
func TestVerifyFailureRetold(t *testing.T) {
	s, memory := newSite(t), browserMemory{}
	r := failure(3, 410, s.params(t, nil))
	want := s.here()
	want.Failed = memory.failed
	v := s.verifier(t, nil)
	_, err := v.Verify(t.Context(), signed(t, r), want)
	memory.note(err)
	r.Issue, r.ID = testNow.Add(-time.Minute), "another"
	_, err = v.Verify(t.Context(), signed(t, r), want)
	wantReason(t, webauth.ReasonStatus, err)
	want.URL = siteOrigin + "/other"
	_, err = v.Verify(t.Context(), signed(t, r), want)
	wantReason(t, webauth.ReasonStale, err)
}

// TestErrorOwnURL: the URL is known as ours for as long as its MAC can be checked.
func TestErrorOwnURL(t *testing.T) {
	for _, row := range []struct {
		name   string
		later  time.Duration
		secret func(s *site) webauth.BrowserSecret
		params string
		own    string
	}{
		{name: "at once", own: pageURL},
		{name: "when the token has expired", later: time.Hour + time.Second, own: pageURL},
		{name: "in another browser", secret: func(*site) webauth.BrowserSecret { return webauth.NewBrowserSecret() }},
		{name: "without a secret", secret: func(*site) webauth.BrowserSecret { return "" }},
		{name: "without a token", params: "x"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			r := failure(1, 410, s.params(t, nil))
			r.Issue = testNow.Add(row.later)
			if row.params != "" {
				r.Params = row.params
			}
			want, now := s.here(), clock(testNow.Add(row.later))
			if row.secret != nil {
				want.Secret = row.secret(s)
			}
			signer := newSigner(t, func(c *webauth.SignerConfig) { c.Now = now })
			v := s.verifier(t, func(c *webauth.VerifierConfig) { c.Now, c.Signer = now, signer })
			_, err := v.Verify(t.Context(), signed(t, r), want)
			var e *webauth.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, row.own, e.OwnURL())
			assert.Equal(t, pageURL, e.ReturnURL(), "the service signed it")
		})
	}
}
