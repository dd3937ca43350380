package webauth_test

import (
	"iter"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// realResponse is a response that a live service signed once.
type realResponse struct {
	About, Service, Kid, Principal, Value string
	Reason                                webauth.Reason
}

func (r realResponse) parse(t testing.TB) *webauth.Unverified {
	t.Helper()
	u, err := webauth.ParseResponse(r.Value)
	require.NoError(t, err)
	return u
}

func (r realResponse) service() webauth.Service {
	if r.Service == "raven-demo" {
		return webauth.RavenDemo()
	}
	return webauth.Raven()
}

// verifier stands at the time of the response, or so long after it.
func (r realResponse) verifier(t testing.TB, later time.Duration, service webauth.Service) *webauth.Verifier {
	t.Helper()
	return bareVerifier(t, func(c *webauth.VerifierConfig) {
		c.Service, c.Versions, c.Now = service, []int{1, 2, 3}, clock(r.parse(t).Issue().Add(later))
		c.InsecurePublishedKeys = true
	})
}

func TestRealResponses(t *testing.T) {
	for _, r := range loadVectors[realResponse](t, "real_responses.json") {
		t.Run(r.About, func(t *testing.T) {
			u := r.parse(t)
			require.Equal(t, r.Kid, u.Kid())
			here := webauth.Expect{URL: u.URL()}

			resp, err := r.verifier(t, 0, r.service()).Verify(t.Context(), r.Value, here)
			if r.Reason == "" {
				require.NoError(t, err)
				assert.Equal(t, r.Principal, resp.Principal())
				assert.Equal(t, u.Version(), resp.Version())
				assert.Equal(t, u.URL(), resp.URL())
			} else {
				e := wantReason(t, r.Reason, err)
				assert.True(t, e.Signed)
				assert.Equal(t, 530, e.Status)
				assert.Equal(t, "Missing required parameter 'ver'", e.Message())
			}

			for _, refusal := range []struct {
				name   string
				v      *webauth.Verifier
				url    string
				reason webauth.Reason
			}{
				{"another path", r.verifier(t, 0, r.service()), u.URL() + "x", webauth.ReasonURL},
				{"another query", r.verifier(t, 0, r.service()), u.URL() + "?x", webauth.ReasonURL},
				{"another site", r.verifier(t, 0, r.service()), "https://soc.example/debug.html", webauth.ReasonURL},
				{"an hour later", r.verifier(t, time.Hour, r.service()), u.URL(), webauth.ReasonStale},
				{"an hour earlier", r.verifier(t, -time.Hour, r.service()), u.URL(), webauth.ReasonFuture},
				{"the other service", r.verifier(t, 0, otherService(r)), u.URL(), webauth.ReasonUnknownKey},
				{"the other service's key under this kid", r.verifier(t, 0, swappedService(t, r)), u.URL(), webauth.ReasonSignature},
			} {
				_, err := refusal.v.Verify(t.Context(), r.Value, webauth.Expect{URL: refusal.url})
				require.Equal(t, refusal.reason, webauth.ReasonOf(err), "%s: %v", refusal.name, err)
			}
		})
	}
}

func TestRealResponsesOfOldVersionsAreOffByDefault(t *testing.T) {
	for _, r := range loadVectors[realResponse](t, "real_responses.json") {
		u := r.parse(t)
		if u.Version() == 3 || u.Status() != 200 {
			continue
		}
		v := bareVerifier(t, func(c *webauth.VerifierConfig) { c.Service, c.Now = r.service(), clock(u.Issue()) })
		_, err := v.Verify(t.Context(), r.Value, webauth.Expect{URL: u.URL()})
		e := wantReason(t, webauth.ReasonVersion, err)
		assert.True(t, e.Signed)
	}
}

func otherService(r realResponse) webauth.Service {
	if r.Service == "raven-demo" {
		return webauth.Raven()
	}
	return webauth.RavenDemo()
}

// swappedService has the other service's key under this response's kid.
func swappedService(t testing.TB, r realResponse) webauth.Service {
	t.Helper()
	s := r.service()
	s.Keys = keySet(t, r.Kid, otherService(r).Keys.Keys()[0].Public())
	return s
}

// TestRealResponsesEveryByte changes each byte of each response: one bit of it, and
// into what means something to a parser; in the first response into each other byte.
func TestRealResponsesEveryByte(t *testing.T) {
	right := map[webauth.Reason]bool{
		webauth.ReasonMalformed: true, webauth.ReasonUnknownKey: true,
		webauth.ReasonSignature: true, webauth.ReasonVersion: true,
	}
	for n, r := range loadVectors[realResponse](t, "real_responses.json") {
		t.Run(r.About, func(t *testing.T) {
			t.Parallel()
			here := webauth.Expect{URL: r.parse(t).URL()}
			v := r.verifier(t, 0, r.service())
			changed := []byte(r.Value)
			for i, was := range changed {
				for c := range otherBytes(was, n == 0 && !testing.Short()) {
					changed[i] = c
					_, err := v.Verify(t.Context(), string(changed), here)
					if reason := webauth.ReasonOf(err); !right[reason] {
						t.Fatalf("byte %d changed from %q to %q: %v", i, was, c, err)
					}
				}
				changed[i] = was
			}
			_, err := v.Verify(t.Context(), string(changed), here)
			assertOutcome(t, r.Reason, err)
		})
	}
}

func otherBytes(was byte, all bool) iter.Seq[byte] {
	return func(yield func(byte) bool) {
		for c := range 256 {
			oneBit := bits.OnesCount8(byte(c)^was) == 1
			if (all || oneBit || strings.IndexByte("!%&=+,-._ 0Aa\x00", byte(c)) >= 0) && byte(c) != was && !yield(byte(c)) {
				return
			}
		}
	}
}

// TestRealResponsesEveryPrefix cuts bytes off the end, off the beginning, and out.
func TestRealResponsesEveryPrefix(t *testing.T) {
	for _, r := range loadVectors[realResponse](t, "real_responses.json") {
		here := webauth.Expect{URL: r.parse(t).URL()}
		v := r.verifier(t, 0, r.service())
		for i := range len(r.Value) {
			for what, value := range map[string]string{
				"prefix": r.Value[:i], "suffix": r.Value[i+1:], "without one": r.Value[:i] + r.Value[i+1:],
				"one doubled": r.Value[:i+1] + r.Value[i:],
			} {
				_, err := v.Verify(t.Context(), value, here)
				e, ok := err.(*webauth.Error)
				require.True(t, ok, "%s at %d", what, i)
				require.False(t, e.Signed, "%s at %d", what, i)
			}
		}
	}
}

func TestRavenDemoIsRefusedOffLoopback(t *testing.T) {
	for _, r := range loadVectors[realResponse](t, "real_responses.json") {
		if r.Service != "raven-demo" {
			continue
		}
		u := r.parse(t)
		for name, service := range map[string]webauth.Service{
			"the demo service":                webauth.RavenDemo(),
			"its key in Raven's place":        {Name: "raven", AuthURL: webauth.Raven().AuthURL, Keys: keys.RavenDemo()},
			"its key beside Raven's own keys": {Name: "raven", AuthURL: webauth.Raven().AuthURL, Keys: bothKeys(t)},
		} {
			v := bareVerifier(t, func(c *webauth.VerifierConfig) { c.Service, c.Now = service, clock(u.Issue()) })
			_, err := v.Verify(t.Context(), r.Value, webauth.Expect{URL: u.URL()})
			e := wantReason(t, webauth.ReasonUnknownKey, err)
			assert.False(t, e.Signed, name)
			assert.False(t, e.SamePrincipal("test0001"), name)
		}
	}
}

func bothKeys(t testing.TB) *keys.Set {
	t.Helper()
	set, err := keys.NewSet(append(keys.Raven().Keys(), keys.RavenDemo().Keys()...)...)
	require.NoError(t, err)
	return set
}
