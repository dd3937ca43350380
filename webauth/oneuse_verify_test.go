package webauth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// TestVerifyRefusedIsSpent sends what was refused again, where all would be well. The first
// attempt has spent response and token, so that the second, which leaves the token alone if
// the store has no pairs, need not.
func TestVerifyRefusedIsSpent(t *testing.T) {
	for _, row := range []struct {
		name  string
		edit  func(*wls.Response)
		want  func(*webauth.Expect) // the first time
		later time.Duration         // until the second time
		first webauth.Reason
		now   webauth.Reason // the second time
		only  []int          // versions accepted the second time
	}{
		{name: "for its token, then by the token's owner", first: webauth.ReasonToken, now: webauth.ReasonReplay,
			want: func(e *webauth.Expect) { e.Secret = webauth.NewBrowserSecret() }},
		{name: "for want of a cookie", first: webauth.ReasonToken, now: webauth.ReasonReplay,
			want: func(e *webauth.Expect) { e.Secret = "" }},
		{name: "for its path", first: webauth.ReasonURL, now: webauth.ReasonReplay,
			want: func(e *webauth.Expect) { e.URL = siteOrigin + "/other" }},
		{name: "for its path, by another browser", first: webauth.ReasonURL, now: webauth.ReasonReplay,
			want: func(e *webauth.Expect) { e.URL, e.Secret = siteOrigin+"/other", "" }},
		{name: "at another origin of ours, by another browser", first: webauth.ReasonURL, now: webauth.ReasonReplay,
			want: func(e *webauth.Expect) { e.URL, e.Secret = "https://www.soc.example/private/page", "" }},
		{name: "as too early, then in time", first: webauth.ReasonFuture, now: webauth.ReasonReplay, later: 10 * time.Second,
			edit: func(r *wls.Response) { r.Issue = testNow.Add(10 * time.Second) }},
		{name: "for its version, then where that is accepted", first: webauth.ReasonVersion, now: webauth.ReasonReplay, only: []int{2},
			edit: func(r *wls.Response) { r.Ver = 2 }},
		{name: "for its type", first: webauth.ReasonAuthType, now: webauth.ReasonReplay,
			edit: func(r *wls.Response) { r.Auth = "x-new" }},
	} {
		onEachStore(t, row.name, func(t *testing.T, s *site) {
			r := success(s.params(t, nil))
			if row.edit != nil {
				row.edit(&r)
			}
			value := signed(t, r)
			want := s.here()
			if row.want != nil {
				row.want(&want)
			}
			origins := func(c *webauth.VerifierConfig) { c.Origins = []string{"https://www.soc.example"} }
			_, err := s.verifier(t, origins).Verify(t.Context(), value, want)
			wantReason(t, row.first, err)
			assert.Equal(t, both, s.used.marks())
			_, err = s.verifier(t, func(c *webauth.VerifierConfig) {
				c.Now, c.Versions = clock(testNow.Add(row.later)), row.only
			}).Verify(t.Context(), value, s.here())
			wantReason(t, row.now, err)
		})
	}
}

// TestVerifyTokenIsSpent answers one request with something that is refused, and then
// again with a fresh success, as somebody could who reads an access log.
func TestVerifyTokenIsSpent(t *testing.T) {
	for _, row := range refusals {
		wasSpent := len(row.marks) > 0 && strings.HasSuffix(row.marks[len(row.marks)-1], "token")
		onEachStore(t, row.name, func(t *testing.T, s *site) {
			params := s.params(t, nil)
			value := row.value
			if value == nil {
				value = changed(func(*wls.Response) {})
			}
			want := s.here()
			if row.want != nil {
				row.want(&want)
			}
			_, err := s.verifier(t, row.edit).Verify(t.Context(), value(t, params), want)
			require.Error(t, err)

			fresh := success(params)
			fresh.ID, fresh.Principal = "another", "test0666"
			resp, err := s.verifier(t, nil).Verify(t.Context(), signed(t, fresh), s.here())
			if wasSpent {
				e := wantReason(t, webauth.ReasonToken, err)
				assert.Contains(t, e.Detail, "used before")
				_, ours := e.Token()
				assert.False(t, ours, "a spent token vouches for nothing")
				return
			}
			require.NoError(t, err, "what is not ours, or is malformed, spends nothing")
			assert.Equal(t, "test0666", resp.Principal())
		})
	}
}

func TestVerifyReplay(t *testing.T) {
	s := newSite(t)
	v := s.verifier(t, nil)
	value := signed(t, success(s.params(t, nil)))
	_, err := v.Verify(t.Context(), value, s.here())
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), value, s.here())
	e := wantReason(t, webauth.ReasonReplay, err)
	assert.True(t, e.SamePrincipal("test0001"), "the back button with a live session")
	assert.Equal(t, pageURL, e.ReturnURL())

	// Written in another way it is still the same: the mark is on what is signed.
	other := strings.Replace(value, "!"+testKid+"!", "!502!", 1)
	two := s.service
	key, _ := s.service.Keys.Lookup(testKid)
	two.Keys = staticKeys{testKid: key, "502": key}
	_, err = s.verifier(t, func(c *webauth.VerifierConfig) { c.Service = two }).Verify(t.Context(), other, s.here())
	wantReason(t, webauth.ReasonReplay, err)
}

func TestVerifyReplayWithoutSigner(t *testing.T) {
	v := bareVerifier(t, func(c *webauth.VerifierConfig) { c.OneUse, c.InsecureNoReplayCheck = &ledger{}, false })
	value := signed(t, success(""))
	_, err := v.Verify(t.Context(), value, webauth.Expect{URL: siteOrigin + "/other"})
	wantReason(t, webauth.ReasonURL, err)
	_, err = v.Verify(t.Context(), value, webauth.Expect{URL: pageURL})
	wantReason(t, webauth.ReasonReplay, err)
}

func TestVerifyTwoServicesDoNotShareMarks(t *testing.T) {
	used := &ledger{}
	value := signed(t, success(""))
	for _, name := range []string{"test", "other"} {
		v := bareVerifier(t, func(c *webauth.VerifierConfig) { c.Service.Name, c.OneUse = name, used })
		_, err := v.Verify(t.Context(), value, webauth.Expect{URL: pageURL})
		require.NoError(t, err, name)
	}
}

func TestVerifyStoreFails(t *testing.T) {
	down := errors.New("connection refused")
	for _, row := range []struct {
		name  string
		kind  string // of the item that the store fails on
		value func(*testing.T, string) string
	}{
		{"on the response", "response:", changed(func(*wls.Response) {})},
		{"on the token", "token:", changed(func(*wls.Response) {})},
		{"on the token of a cancel", "token:", func(_ *testing.T, p string) string { return failure(1, 410, p).Fields().Unsigned() }},
		{"on a response that is refused anyway", "response:", changed(func(r *wls.Response) { r.Auth = "x-new" })},
		{"on a response of another version", "response:", changed(func(r *wls.Response) { r.Ver = 1 })},
	} {
		onEachStore(t, row.name, func(t *testing.T, s *site) {
			s.used.fail = func(it webauth.Item) error {
				if strings.HasPrefix(it.ID, row.kind) {
					return down
				}
				return nil
			}
			_, err := s.verifier(t, nil).Verify(t.Context(), row.value(t, s.params(t, nil)), s.here())
			e := wantReason(t, webauth.ReasonStore, err)
			assert.ErrorIs(t, err, down, "so that operators see why")
			assert.ErrorContains(t, err, "connection refused")
			if row.kind == "token:" {
				_, ours := e.Token()
				assert.False(t, ours, "it may have been used before")
			}
		})
	}
}

// A store that has lost its memory knows of no replay, and its Error says so, so that people
// are not told that the login was used, or too old.
func TestVerifyStoreHasForgotten(t *testing.T) {
	for _, row := range []struct {
		name string
		kind string // of the item that is older than the memory
		err  error
		want webauth.Reason
	}{
		{"the response", "response:", webauth.ErrForgotten, webauth.ReasonForgotten},
		{"the response, wrapped", "response:", fmt.Errorf("redis: %w", webauth.ErrForgotten), webauth.ReasonForgotten},
		{"the token", "token:", webauth.ErrForgotten, webauth.ReasonForgotten},
		{"both", "", webauth.ErrForgotten, webauth.ReasonForgotten},
		{"the response was used, for comparison", "response:", webauth.ErrUsed, webauth.ReasonReplay},
	} {
		onEachStore(t, row.name, func(t *testing.T, s *site) {
			s.used.fail = func(it webauth.Item) error {
				if strings.HasPrefix(it.ID, row.kind) {
					return row.err
				}
				return nil
			}
			_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, success(s.params(t, nil))), s.here())
			e := wantReason(t, row.want, err)
			if errors.Is(row.err, webauth.ErrForgotten) {
				assert.Contains(t, e.Detail, "restarted")
				_, ours := e.Token()
				assert.Equal(t, row.kind == "response:", ours, "a token that may have been used vouches for nothing")
			}
			assert.NotErrorIs(t, err, webauth.ErrForgotten, "it is no trouble of the store's")
		})
	}
}

// A token whose MAC cannot be checked is spent while it could be good, and no longer:
// whoever makes up its time must not have it remembered for years.
func TestVerifySeenTokenTimes(t *testing.T) {
	for _, row := range []struct {
		name  string
		time  string
		marks []string
	}{
		{"now", fmt.Sprint(testNow.Unix()), both},
		{"now, to the microsecond", fmt.Sprintf("%d~000001", testNow.Unix()), both},
		{"an hour ago", fmt.Sprint(testNow.Add(-time.Hour).Unix()), both},
		{"more than an hour ago", fmt.Sprint(testNow.Add(-time.Hour - time.Second).Unix()), responseOnly},
		{"as far ahead as another machine's clock may be", fmt.Sprint(testNow.Add(time.Minute).Unix()), both},
		{"a microsecond further ahead", fmt.Sprintf("%d~000001", testNow.Add(time.Minute).Unix()), responseOnly},
		{"years ahead", fmt.Sprint(testNow.AddDate(9, 0, 0).Unix()), responseOnly},
		{"no time", "now", responseOnly},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, success("1."+row.time+".a.nonce.MAC")), s.here())
			wantReason(t, webauth.ReasonToken, err)
			assert.Equal(t, row.marks, s.used.marks())
		})
	}
}

func TestVerifyStoreIsFull(t *testing.T) {
	s := newSite(t)
	v := s.verifier(t, func(c *webauth.VerifierConfig) { c.OneUse = inUse(1) })
	_, err := v.Verify(t.Context(), signed(t, success(s.params(t, nil))), s.here())
	wantReason(t, webauth.ReasonStore, err)
	assert.ErrorIs(t, err, webauth.ErrFull)
}

// TestVerifyStrangersCannotFillTheStore sends what anybody can make up.
func TestVerifyStrangersCannotFillTheStore(t *testing.T) {
	s := newSite(t)
	v := s.verifier(t, nil)
	elsewhere := success("p")
	elsewhere.URL = "https://evil.example/"
	for _, value := range []string{
		signedBy(t, success("p"), otherKey(), testKid),           // made up
		success("p").Fields().Unsigned(),                         // made up
		failure(1, 410, "p").Fields().Unsigned(),                 // made up
		signed(t, elsewhere),                                     // made for somebody else
		signedBy(t, success(s.params(t, nil)), siteKey(), "502"), // of a key we do not know
	} {
		_, err := v.Verify(t.Context(), value, webauth.Expect{URL: pageURL, Secret: webauth.NewBrowserSecret()})
		require.Error(t, err)
	}
	assert.Empty(t, s.used.marks())
}

func TestVerifyMarksSayWhatTheyAre(t *testing.T) {
	s := newSite(t)
	params := s.params(t, nil)
	_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, success(params)), s.here())
	require.NoError(t, err)
	require.Len(t, s.used.items, 2)
	for id, it := range s.used.items {
		assert.Regexp(t, `^(response|token):[A-Za-z0-9_-]{43}$`, id)
		assert.NotContains(t, params, strings.SplitN(id, ":", 2)[1])
		if strings.HasPrefix(id, "response:") {
			assert.Equal(t, testNow.Add(-time.Second), it.Issued)
			assert.Equal(t, testNow.Add(34*time.Second), it.Expires, "as long as it could be accepted")
		} else {
			assert.True(t, testNow.Equal(it.Issued))
			assert.True(t, testNow.Add(time.Hour).Equal(it.Expires))
		}
	}
}

func TestVerifyGivesTheStoreItsContext(t *testing.T) {
	type key struct{}
	s := newSite(t)
	seen := 0
	v := s.verifier(t, func(c *webauth.VerifierConfig) {
		c.OneUse = onceFunc(func(ctx context.Context, _ webauth.Item) error {
			if ctx.Value(key{}) == "here" {
				seen++
			}
			return nil
		})
	})
	_, err := v.Verify(context.WithValue(t.Context(), key{}, "here"), signed(t, success(s.params(t, nil))), s.here())
	require.NoError(t, err)
	assert.Equal(t, 2, seen)
}

type onceFunc func(context.Context, webauth.Item) error

func (f onceFunc) Once(ctx context.Context, item webauth.Item) error { return f(ctx, item) }
