package webauthtest_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// TestStatuses scripts every status, signed and not, in both ways to answer it.
func TestStatuses(t *testing.T) {
	for _, status := range []int{410, 510, 520, 530, 540, 560, 570, 599} {
		for _, signed := range []bool{true, false} {
			w := webauthtest.New(t, atNoon())
			o := webauthtest.Outcome{Status: status}
			if !signed {
				o.Quirks = []webauthtest.Quirk{webauthtest.QuirkUnsignedFailure}
			}
			w.Always(o)
			for _, doing := range []webauthtest.Person{webauthtest.Types, webauthtest.SignedOn, webauthtest.Cancels} {
				got, err := w.Respond(loginURL(w, nil), "test0001", doing)
				require.NoError(t, err)
				u := parse(t, got)
				assert.Equal(t, status, u.Status())
				assert.Equal(t, signed, u.Signed())
				assert.NotEmpty(t, u.Msg())
				wantVer := 3
				if status == 520 {
					wantVer = 1
				}
				assert.Equal(t, wantVer, u.Version())
			}
			_, err := w.Respond(loginURL(w, func(r *wls.Request) { r.Fail = true }), "test0001")
			assert.ErrorContains(t, err, "a page of its own")
			resp, page := get(t, w.Client("test0001"), loginURL(w, func(r *wls.Request) { r.Fail = true }))
			assert.Equal(t, http.StatusForbidden, resp.StatusCode)
			assert.Contains(t, page, "localhost:8080</strong> asked that failures are explained here")
		}
	}
}

func TestScriptedMsg(t *testing.T) {
	w := webauthtest.New(t)
	w.Next(webauthtest.Outcome{Status: 570, Msg: "50% off!"})
	got, err := w.Respond(loginURL(w, nil), "test0001")
	require.NoError(t, err)
	assert.Equal(t, "50% off!", parse(t, got).Msg())
}

func TestAScriptDoesNotMendABadRequest(t *testing.T) {
	w := webauthtest.New(t)
	w.Always(webauthtest.Outcome{Status: 570})
	got, err := w.Respond(loginURL(w, func(r *wls.Request) { r.IAct = "x" }), "test0001")
	require.NoError(t, err)
	assert.Equal(t, 530, parse(t, got).Status())
}

// TestPrecedence: what is queued goes before what is for a user, and that before the
// rest.
func TestPrecedence(t *testing.T) {
	w := webauthtest.New(t)
	statusOf := func(user string) int {
		got, err := w.Respond(loginURL(w, nil), user)
		require.NoError(t, err)
		return parse(t, got).Status()
	}
	w.Always(webauthtest.Outcome{Status: 570})
	w.ForUser("test0001", webauthtest.Outcome{Status: 560})
	w.ForUser("test0002", webauthtest.Outcome{})
	w.Next(webauthtest.Outcome{Status: 410}, webauthtest.Outcome{})
	assert.Equal(t, 410, statusOf("test0001"))
	assert.Equal(t, 200, statusOf("test0001"))
	assert.Equal(t, 560, statusOf("test0001"))
	assert.Equal(t, 200, statusOf("test0002"))
	assert.Equal(t, 570, statusOf("test0003"))
	w.Always(webauthtest.Outcome{})
	assert.Equal(t, 200, statusOf("test0003"))
	assert.Equal(t, 560, statusOf("test0001"))
}

// TestAQueuedOutcomeWaitsForTheAnswer: neither the form nor a wrong password uses one up.
func TestAQueuedOutcomeWaitsForTheAnswer(t *testing.T) {
	w := webauthtest.New(t)
	w.Next(webauthtest.Outcome{Fault: webauthtest.FaultUnsigned}, webauthtest.Outcome{Status: 560})
	c := noWait(w)
	ask := loginURL(w, func(r *wls.Request) { r.IAct = "yes" })
	for range 2 {
		resp, _ := get(t, c, ask)
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	require.Equal(t, http.StatusForbidden, logIn(t, c, ask, "test0001", "wrong").StatusCode)
	u := parse(t, logIn(t, c, ask, "test0001", "test").Header.Get("Location"))
	assert.Equal(t, 200, u.Status())
	assert.False(t, u.Signed())
	resp, _ := get(t, c, ask)
	assert.Equal(t, 560, parse(t, resp.Header.Get("Location")).Status(), "a failing status needs no form")
}

func TestAUsersOutcomeNeedsTheUser(t *testing.T) {
	w := webauthtest.New(t)
	w.ForUser("test0001", webauthtest.Outcome{Status: 570})
	c := noWait(w)
	resp, _ := get(t, c, loginURL(w, nil))
	require.Equal(t, http.StatusOK, resp.StatusCode, "nobody is known yet")
	u := parse(t, logIn(t, c, loginURL(w, nil), "test0001", "test").Header.Get("Location"))
	assert.Equal(t, 570, u.Status())
	resp, _ = get(t, c, loginURL(w, nil))
	assert.Equal(t, 570, parse(t, resp.Header.Get("Location")).Status(), "known by single sign-on")
}

func TestEdit(t *testing.T) {
	w := webauthtest.New(t)
	w.Next(webauthtest.Outcome{Edit: func(r *wls.Response) { r.Principal = "" }})
	got, err := w.Respond(loginURL(w, nil), "test0001")
	require.NoError(t, err)
	_, err = verify(t, w, got, target)
	assert.ErrorContains(t, err, "malformed")
	assert.Empty(t, last(t, w).Response.Principal)
}

func TestImpossibleScriptsPanic(t *testing.T) {
	w := webauthtest.New(t)
	for name, script := range map[string]func(){
		"fault":           func() { w.Next(webauthtest.Outcome{Fault: "no-such"}) },
		"quirk":           func() { w.Always(webauthtest.Outcome{Quirks: []webauthtest.Quirk{"no-such"}}) },
		"status":          func() { w.ForUser("test0001", webauthtest.Outcome{Status: 20}) },
		"quirk of all":    func() { w.SetQuirks("no-such") },
		"user":            func() { w.AddUser(webauthtest.User{ID: "a b", Password: "x"}) },
		"user's password": func() { w.AddUser(webauthtest.User{ID: "a"}) },
		"user's ptag":     func() { w.AddUser(webauthtest.User{ID: "a", Password: "x", Ptags: []string{"a,b"}}) },
	} {
		assert.Panics(t, script, name)
	}
}

func TestRespondRefuses(t *testing.T) {
	w := webauthtest.New(t)
	_, err := w.Respond("http://localhost:1/auth/authenticate.html?ver=3", "test0001")
	assert.ErrorContains(t, err, "want a URL that begins with "+w.Service().AuthURL)
	_, err = w.Respond(loginURL(w, nil), "nobody")
	assert.ErrorContains(t, err, `no user "nobody"`)
	w.Next(webauthtest.Outcome{Fault: webauthtest.FaultDown}, webauthtest.Outcome{Fault: webauthtest.FaultClosed})
	_, err = w.Respond(loginURL(w, nil), "test0001")
	assert.ErrorContains(t, err, "would be down")
	_, err = w.Respond(loginURL(w, nil), "test0001")
	assert.ErrorContains(t, err, "would be closed")
}

// TestFaultMix draws many times: each fault must come about as often as asked, at
// whichever of the two visits of a login it strikes.
func TestFaultMix(t *testing.T) {
	mix := map[webauthtest.Fault]float64{
		webauthtest.FaultCancel: 0.1, webauthtest.FaultDown: 0.1, webauthtest.FaultStale: 0.2, webauthtest.FaultUnsigned: 0.2,
	}
	run := func(seed uint64, logins int) []webauthtest.Fault {
		w := webauthtest.New(t, webauthtest.WithKey("501", testkeys.RSA1024()), webauthtest.WithFaults(seed, mix))
		var seen []webauthtest.Fault
		for range logins {
			resp, err := noWaitFilled(w).Get(loginURL(w, nil)) // a browser of its own, so with the form
			require.NoError(t, err)
			resp.Body.Close()
			seen = append(seen, last(t, w).Fault)
		}
		return seen
	}
	const logins = 150
	first := run(1, logins)
	share := make(map[webauthtest.Fault]float64)
	for _, f := range first {
		share[f] += 1.0 / logins
	}
	for f, want := range mix {
		if f == webauthtest.FaultStale || f == webauthtest.FaultUnsigned {
			want *= 0.8 // of the logins that neither cancel nor down has ended
		}
		assert.InDelta(t, want, share[f], 0.07, f)
	}
	assert.Equal(t, first[:25], run(1, 25), "the same seed gives the same faults")
	assert.NotEqual(t, first[:25], run(2, 25))
}

// noWaitFilled fills in the form and stops there.
func noWaitFilled(w *webauthtest.WLS) *http.Client {
	c := w.Client("test0001")
	c.CheckRedirect = w.StopAtReturn
	return c
}

func TestRequestsLog(t *testing.T) {
	var observed []webauthtest.Exchange
	w := webauthtest.New(t, atNoon(), func(c *webauthtest.Config) {
		c.LogSize = 3
		c.OnExchange = func(e webauthtest.Exchange) { observed = append(observed, e) }
	})
	for i := range 5 {
		_, err := w.Respond(loginURL(w, func(r *wls.Request) { r.Params = string(rune('a' + i)) }), "test0001")
		require.NoError(t, err)
	}
	var params string
	for _, e := range w.Requests() {
		params += e.Request.Params
		assert.Equal(t, noon, e.At)
		assert.Equal(t, webauthtest.ReplyReturn, e.Reply)
		assert.Equal(t, 200, e.Response.Status)
		assert.Equal(t, "test0001", e.Response.Principal)
		assert.Equal(t, noon, e.Response.Issue)
		u, err := url.Parse(e.ReturnURL)
		require.NoError(t, err)
		assert.Equal(t, e.Value, u.Query().Get("WLS-Response"))
	}
	assert.Equal(t, "cde", params, "the last three, oldest first")
	assert.Len(t, observed, 5)
}
