package webauth_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// pairLedger is a ledger that marks a response and its token in one step.
type pairLedger struct {
	*ledger
	mu sync.Mutex // held for a step
}

func (p *pairLedger) Once(ctx context.Context, it webauth.Item) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ledger.Once(ctx, it)
}

func (p *pairLedger) OncePair(ctx context.Context, response, token webauth.Item) (responseErr, tokenErr error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ledger.Once(ctx, response), p.ledger.Once(ctx, token)
}

// stores are the two kinds of OneUse, over the same ledger.
var stores = map[string]func(*ledger) webauth.OneUse{
	"one item at a time": func(l *ledger) webauth.OneUse { return l },
	"pairs":              func(l *ledger) webauth.OneUse { return &pairLedger{ledger: l} },
}

// interrupted calls between once, before the step with that number.
type interrupted struct {
	webauth.OneUse
	step, at int
	between  func()
}

func (i *interrupted) count() {
	if i.step++; i.step-1 == i.at {
		i.between()
	}
}

func (i *interrupted) Once(ctx context.Context, it webauth.Item) error {
	i.count()
	return i.OneUse.Once(ctx, it)
}

// interruptedPair is the same for a store of pairs.
type interruptedPair struct{ *interrupted }

func (i interruptedPair) OncePair(ctx context.Context, response, token webauth.Item) (responseErr, tokenErr error) {
	i.count()
	return i.OneUse.(webauth.PairOneUse).OncePair(ctx, response, token)
}

func interrupt(store webauth.OneUse, at int, between func()) webauth.OneUse {
	i := &interrupted{OneUse: store, at: at, between: between}
	if _, ok := store.(webauth.PairOneUse); ok {
		return interruptedPair{i}
	}
	return i
}

// TestVerifyTwoAtOnce has a second response arrive at another machine at each moment while
// the first is on its way through the store. Whichever it is: one of the two gets through.
func TestVerifyTwoAtOnce(t *testing.T) {
	succeeds := func(id string) func(*testing.T, string) string {
		return changed(func(r *wls.Response) { r.ID = id })
	}
	fails := func(t *testing.T, p string) string { return signed(t, failure(3, 410, p)) }
	failsUnsigned := func(_ *testing.T, p string) string { return failure(3, 410, p).Fields().Unsigned() }
	for _, row := range []struct {
		name   string
		a, b   func(*testing.T, string) string
		failed bool // the token has failed in this browser before
		loser  webauth.Reason
	}{
		{"one success", succeeds("a"), succeeds("a"), false, webauth.ReasonReplay},
		{"two successes for one token", succeeds("a"), succeeds("b"), false, webauth.ReasonToken},
		{"one success after a failure", succeeds("a"), succeeds("a"), true, webauth.ReasonReplay},
		{"two successes after a failure", succeeds("a"), succeeds("b"), true, webauth.ReasonToken},
		{"one failure", fails, fails, false, webauth.ReasonReplay},
		{"one unsigned failure", failsUnsigned, failsUnsigned, false, webauth.ReasonToken},
		{"a success and an unsigned failure", succeeds("a"), failsUnsigned, false, webauth.ReasonToken},
	} {
		for step := range 4 { // the last is never reached: one after the other
			onEachStore(t, fmt.Sprintf("%s/%d", row.name, step), func(t *testing.T, s *site) {
				params, want, used := s.params(t, nil), s.here(), s.once
				if row.failed {
					_, err := s.verifier(t, nil).Verify(t.Context(), failsUnsigned(t, params), want)
					wantReason(t, webauth.ReasonStatus, err)
					want.Failed = func(webauth.Token) bool { return true }
				}
				var got []webauth.Reason
				verify := func(value string, once webauth.OneUse) {
					_, err := s.verifier(t, func(c *webauth.VerifierConfig) { c.OneUse = once }).Verify(t.Context(), value, want)
					reason := webauth.ReasonOf(err)
					if reason == webauth.ReasonStatus { // a failure that was told
						reason = ""
					}
					got = append(got, reason)
				}
				a, b := row.a(t, params), row.b(t, params)
				came := false
				second := func() { came = true; verify(b, used) }
				verify(a, interrupt(used, step, second))
				if !came {
					second()
				}
				assert.ElementsMatch(t, []webauth.Reason{"", row.loser}, got)
			})
		}
	}
}

func TestVerifyConcurrently(t *testing.T) {
	type onceOnly struct{ webauth.OneUse } // hides OncePair
	for _, row := range []struct {
		name   string
		loser  webauth.Reason
		values func(t *testing.T, params string, i int) string
	}{
		{"one response 64 times", webauth.ReasonReplay, func(t *testing.T, p string, _ int) string { return signed(t, success(p)) }},
		{"64 responses to one request", webauth.ReasonToken, func(t *testing.T, p string, i int) string {
			r := success(p)
			r.ID = string(rune('0' + i))
			return signed(t, r)
		}},
	} {
		for name, store := range map[string]webauth.OneUse{"pairs": inUse(0), "one item at a time": onceOnly{inUse(0)}} {
			t.Run(row.name+"/"+name, func(t *testing.T) {
				s := newSite(t)
				v := s.verifier(t, func(c *webauth.VerifierConfig) { c.OneUse = store })
				params := s.params(t, nil)
				values := make([]string, 64)
				for i := range values {
					values[i] = row.values(t, params, i)
				}
				var won, lost atomic.Int32
				var wg sync.WaitGroup
				start := make(chan struct{})
				for _, value := range values {
					wg.Go(func() {
						<-start
						_, err := v.Verify(t.Context(), value, s.here())
						switch {
						case err == nil:
							won.Add(1)
						case webauth.ReasonOf(err) == row.loser:
							lost.Add(1)
						}
					})
				}
				close(start)
				wg.Wait()
				assert.EqualValues(t, 1, won.Load())
				assert.EqualValues(t, 63, lost.Load())
			})
		}
	}
}

// TestVerifySteps counts the steps of a login, each of which may be a round trip.
func TestVerifySteps(t *testing.T) {
	for name, want := range map[string]int{"one item at a time": 2, "pairs": 1} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			steps := 0
			once := stores[name](s.used)
			for at := range 4 {
				once = interrupt(once, at, func() { steps++ })
			}
			_, err := s.verifier(t, func(c *webauth.VerifierConfig) { c.OneUse = once }).
				Verify(t.Context(), signed(t, success(s.params(t, nil))), s.here())
			require.NoError(t, err)
			assert.Equal(t, want, steps)
			assert.Equal(t, both, s.used.marks())
		})
	}
}

// TestVerifyGroup brings one response in all ways: a store that is spread over machines
// must look for its mark on the same one each time, and find that of its token there.
func TestVerifyGroup(t *testing.T) {
	s := newSite(t)
	params := s.params(t, nil)
	otherKeys := newSigner(t, func(c *webauth.SignerConfig) { c.Keys = [][]byte{secretBytes("o")} })
	const second = "https://www.soc.example"
	for _, row := range []struct {
		name string
		want func(*webauth.Expect)
		edit func(*webauth.VerifierConfig)
	}{
		{name: "as it should be"},
		{name: "without a cookie", want: func(e *webauth.Expect) { e.Secret = "" }},
		{name: "in another browser", want: func(e *webauth.Expect) { e.Secret = webauth.NewBrowserSecret() }},
		{name: "at another path", want: func(e *webauth.Expect) { e.URL = siteOrigin + "/other" }},
		{name: "at another origin of ours", want: func(e *webauth.Expect) { e.URL = second + "/private/page?n=1&m=" },
			edit: func(c *webauth.VerifierConfig) { c.Origins = []string{second} }},
		{name: "at another origin of ours, with a signer of its own", want: func(e *webauth.Expect) { e.URL = second + "/" },
			edit: func(c *webauth.VerifierConfig) {
				c.Origins = []string{siteOrigin}
				c.Signer = newSigner(t, func(c *webauth.SignerConfig) { c.Origin = second })
			}},
		{name: "at a machine with other keys", edit: func(c *webauth.VerifierConfig) { c.Signer = otherKeys }},
		{name: "at one without a signer", edit: func(c *webauth.VerifierConfig) { c.Signer, c.InsecureNoToken = nil, true }},
		{name: "too early", edit: func(c *webauth.VerifierConfig) { c.Now = clock(testNow.Add(-time.Minute)) }},
		{name: "where its version is not accepted", edit: func(c *webauth.VerifierConfig) { c.Versions = []int{2} }},
		{name: "after a failure", want: func(e *webauth.Expect) { e.Failed = func(webauth.Token) bool { return true } }},
		{name: "when the token has expired", edit: func(c *webauth.VerifierConfig) {
			c.Signer = newSigner(t, func(c *webauth.SignerConfig) { c.Now = clock(testNow.Add(2 * time.Hour)) })
		}},
		{name: "for another url than the token's", want: func(e *webauth.Expect) { e.URL = siteOrigin + "/private/page" }},
	} {
		for _, value := range []struct {
			name   string
			params string
		}{
			{"token", params},
			{"token with a note", s.params(t, func(r *webauth.Request) { r.Note = "x" })},
			{"somebody else's token", "1.1772366400.a.nonce again.MAC"},
			{"no token", "x"},
			{"no params", ""},
		} {
			t.Run(row.name+"/"+value.name, func(t *testing.T) {
				group := func(want func(*webauth.Expect), edit func(*webauth.VerifierConfig)) string {
					used, e := &ledger{}, s.here()
					if want != nil {
						want(&e)
					}
					v := s.verifier(t, func(c *webauth.VerifierConfig) {
						c.OneUse = used
						if edit != nil {
							edit(c)
						}
					})
					for range 2 { // as a response that was used, too
						_, _ = v.Verify(t.Context(), signed(t, success(value.params)), e)
					}
					groups := map[string]bool{}
					var of string
					for id, it := range used.items {
						groups[it.Group] = true
						if id[:6] == "respon" {
							of = it.Group
						}
					}
					require.Len(t, groups, 1, "the items of one response are in one group")
					return of
				}
				got := group(row.want, row.edit)
				assert.Equal(t, group(nil, nil), got)
				assert.Equal(t, len(value.params) > 1, got != "")
			})
		}
	}
}

// TestVerifyGroupsDiffer: what has nothing to do with one another need not be together.
func TestVerifyGroupsDiffer(t *testing.T) {
	s := newSite(t)
	seen := map[string]bool{}
	for range 3 {
		_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, success(s.params(t, nil))), s.here())
		require.NoError(t, err)
	}
	for _, it := range s.used.items {
		seen[it.Group] = true
	}
	assert.Len(t, seen, 3)
	assert.Len(t, s.used.items, 6)
}

// TestVerifyOnceAgainGroup: the success after a failure is marked beside its token.
func TestVerifyOnceAgainGroup(t *testing.T) {
	s := newSite(t)
	params, want := s.params(t, nil), s.here()
	v := s.verifier(t, nil)
	_, err := v.Verify(t.Context(), failure(3, 410, params).Fields().Unsigned(), want)
	wantReason(t, webauth.ReasonStatus, err)
	want.Failed = func(webauth.Token) bool { return true }
	_, err = v.Verify(t.Context(), signed(t, success(params)), want)
	require.NoError(t, err)
	groups := map[string]bool{}
	for _, it := range s.used.items {
		groups[it.Group] = true
	}
	assert.Len(t, s.used.items, 3)
	assert.Len(t, groups, 1)
}

func TestMemoryOneUsePair(t *testing.T) {
	old := func(id string) webauth.Item {
		it := item(id, time.Minute)
		it.Issued = testNow.Add(-time.Second)
		return it
	}
	r, tok := item("response:a", time.Minute), item("token:a", time.Hour)
	for _, row := range []struct {
		name            string
		before          []webauth.Item
		response, token webauth.Item
		want            [2]error
	}{
		{"both for the first time", nil, r, tok, [2]error{}},
		{"the response was used", []webauth.Item{r}, r, tok, [2]error{webauth.ErrUsed, nil}},
		{"the token was used", []webauth.Item{tok}, r, tok, [2]error{nil, webauth.ErrUsed}},
		{"both were used", []webauth.Item{r, tok}, r, tok, [2]error{webauth.ErrUsed, webauth.ErrUsed}},
		{"the response is older than the memory", nil, old("response:a"), tok, [2]error{webauth.ErrForgotten, nil}},
		{"the token is older than the memory", nil, r, old("token:a"), [2]error{nil, webauth.ErrForgotten}},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := webauth.NewMemoryOneUse(0, clock(testNow))
			for _, it := range row.before {
				require.NoError(t, m.Once(t.Context(), it))
			}
			responseErr, tokenErr := m.OncePair(t.Context(), row.response, row.token)
			assert.Equal(t, row.want, [2]error{responseErr, tokenErr})
			if row.want == [2]error{} || row.want[0] == webauth.ErrUsed {
				require.ErrorIs(t, m.Once(t.Context(), row.token), webauth.ErrUsed, "it is marked whatever became of the response")
			}
			if row.want[1] == webauth.ErrUsed {
				require.ErrorIs(t, m.Once(t.Context(), row.response), webauth.ErrUsed, "and the other way round")
			}
		})
	}
}
