package oidclogin_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// logoutKind is one way in which a logout token is wrong, or odd.
type logoutKind struct {
	name  string
	fault oidctest.Fault
	twist func(t *testing.T, w *badWorld, token string) string

	want             webauth.Reason // empty where it logs somebody out
	subject, session bool           // whom it names then
}

func logoutFaults(want webauth.Reason, faults ...oidctest.Fault) (all []logoutKind) {
	for _, f := range faults {
		all = append(all, logoutKind{fault: f, want: want})
	}
	return all
}

func logoutKinds() []logoutKind {
	return slices.Concat(
		logoutFaults(webauth.ReasonMalformed, oidctest.FaultLogoutNonce, oidctest.FaultLogoutNoEvents, oidctest.FaultLogoutEvents, oidctest.FaultLogoutEventList,
			oidctest.FaultLogoutNobody, oidctest.FaultLogoutNoJti, oidctest.FaultLogoutNoIat, oidctest.FaultLogoutTyp),
		logoutFaults(webauth.ReasonURL, oidctest.FaultLogoutAud, oidctest.FaultLogoutNoAud, oidctest.FaultLogoutIss),
		logoutFaults(webauth.ReasonStale, oidctest.FaultLogoutOld, oidctest.FaultLogoutOldNoExp),
		logoutFaults(webauth.ReasonFuture, oidctest.FaultLogoutFuture),
		// How it is signed, as for ID tokens.
		logoutFaults(webauth.ReasonMalformed, oidctest.FaultAlgNone, oidctest.FaultAlgHS256Key, oidctest.FaultAlgHS256Secret, oidctest.FaultAlgRS512,
			oidctest.FaultJWE, oidctest.FaultJWSJSON, oidctest.FaultTypAccessToken),
		logoutFaults(webauth.ReasonSignature, oidctest.FaultForeignKey, oidctest.FaultSignatureAltered, oidctest.FaultPayloadAltered, oidctest.FaultJWKHeader),
		logoutFaults(webauth.ReasonUnknownKey, oidctest.FaultKidUnknown),
		[]logoutKind{
			{name: "as it should be", subject: true, session: true},
			{fault: oidctest.FaultLogoutSidOnly, session: true},
			{fault: oidctest.FaultLogoutSubOnly, subject: true},
			{fault: oidctest.FaultLogoutTypJWT, subject: true, session: true},
			{name: "none", want: webauth.ReasonMalformed, twist: func(*testing.T, *badWorld, string) string { return "" }},
			{name: "huge", want: webauth.ReasonMalformed, twist: func(_ *testing.T, _ *badWorld, _ string) string { return strings.Repeat("x.", 1<<20) }},
			{name: "a second time: a site that failed may be told again", subject: true, session: true, twist: func(t *testing.T, w *badWorld, token string) string {
				_, _, err := w.logOut(t, token)
				require.NoError(t, err)
				return token
			}},
			{name: "an ID token", want: webauth.ReasonMalformed, twist: func(t *testing.T, w *badWorld, _ string) string {
				all := w.fake.Requests(oidctest.EndpointToken)
				return all[len(all)-1].Token
			}},
			{name: "of another site", want: webauth.ReasonURL, twist: func(t *testing.T, w *badWorld, _ string) string {
				return w.fake.LogoutToken("another", "test0001")
			}},
			{name: "of another provider", want: webauth.ReasonUnknownKey, twist: func(t *testing.T, w *badWorld, _ string) string {
				other := oidctest.New(t, oidctest.WithNow(w.fake.Now))
				other.RotateKey(false)
				return other.LogoutToken(clientID, "test0001")
			}},
		},
	)
}

func (w *badWorld) logOut(t *testing.T, token string) (subject, session string, err error) {
	t.Helper()
	v, ok := w.login.(webauth.BackChannel)
	require.True(t, ok)
	out, err := v.VerifyLogout(t.Context(), token)
	return out.Subject, out.Session, err
}

// TestMisbehavingLogoutTokens plays each kind against the verifier of logout tokens. What is
// wrong logs nobody out, and does not stand in the way of a token that is right.
func TestMisbehavingLogoutTokens(t *testing.T) {
	played := map[oidctest.Fault]bool{oidctest.FaultLogoutOther: true} // see below
	for _, k := range logoutKinds() {
		played[k.fault] = true
		t.Run(strings.TrimSpace(string(k.fault)+" "+k.name), func(t *testing.T) {
			w := newBadWorld(t, nil)
			proof := w.logIn(t, webauth.Request{})
			w.fake.Always(oidctest.Outcome{Fault: k.fault})
			token := w.fake.LogoutToken(clientID, "test0001")
			if k.twist != nil {
				token = k.twist(t, w, token)
			}
			subject, session, err := w.logOut(t, token)
			if k.want == "" {
				require.NoError(t, err)
				assert.Equal(t, k.subject, subject == proof.Subject)
				assert.Equal(t, k.session, session == proof.Session)
				return
			}
			require.Equal(t, k.want, webauth.ReasonOf(err), "%v", err)
			assert.Empty(t, subject+session)
			assert.Less(t, len(err.Error()), 1<<10)
			if token != "" {
				assert.NotContains(t, err.Error(), token)
			}

			w.fake.Always(oidctest.Outcome{})
			w.fake.Advance(time.Minute)
			subject, session, err = w.logOut(t, w.fake.LogoutToken(clientID, "test0001"))
			require.NoError(t, err)
			assert.Equal(t, []string{proof.Subject, proof.Session}, []string{subject, session})
		})
	}
	for _, f := range oidctest.Faults() {
		assert.True(t, played[f] || !strings.HasPrefix(string(f), "logout-"), "fault %q has no row", f)
	}
	t.Logf("%d kinds", len(logoutKinds()))
}

// A logout token about nobody whom the site knows is right, and ends nothing.
func TestLogoutTokenOfOthers(t *testing.T) {
	w := newBadWorld(t, nil)
	w.fake.Always(oidctest.Outcome{Fault: oidctest.FaultLogoutOther})
	subject, session, err := w.logOut(t, w.fake.LogoutToken(clientID, "test0001"))
	require.NoError(t, err)
	assert.Equal(t, []string{"nobody", "none"}, []string{subject, session})
}

// An answer in the fragment is none: the site never sees it.
func TestAnswerInTheFragment(t *testing.T) {
	w := newBadWorld(t, nil)
	w.fake.Always(oidctest.Outcome{Fault: oidctest.FaultAnswerFragment})
	location, err := w.begin(webauth.Request{})
	require.NoError(t, err)
	assert.False(t, w.login.Brings(callback, w.comeBack(t, location, "test0001", oidctest.Types)))
}
