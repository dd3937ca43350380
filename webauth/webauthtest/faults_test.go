package webauthtest_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// ordinary are the fields that Respond gives test0001 at noon, without the id and sig
// that are random; version 3.
var ordinary = []string{"3", "200", "", "20260102T120000Z", "ID", target, "test0001", "current", "pwd", "", "36000", "p", "501", "SIG"}

// fieldsOf takes a value apart, with id and sig masked unless they are empty.
func fieldsOf(value string) []string {
	f := strings.Split(value, "!")
	for i := range f {
		f[i] = strings.NewReplacer("%21", "!", "%25", "%").Replace(f[i])
	}
	f[4] = "ID"
	if f[len(f)-1] != "" {
		f[len(f)-1] = "SIG"
	}
	return f
}

// with changes some of the ordinary fields.
func with(changes map[int]string) []string {
	f := append([]string(nil), ordinary...)
	for i, v := range changes {
		f[i] = v
	}
	return f
}

// TestAnswerFaults asserts for every fault that spoils an answer exactly what is sent,
// and which check of a site that takes all versions refuses it. Replay and ignore-iact
// have tests of their own.
func TestAnswerFaults(t *testing.T) {
	old := func(ver string) []string { // versions 1 and 2 have no ptags
		f := with(map[int]string{0: ver})
		return append(f[:7], f[8:]...)
	}
	tests := []struct {
		fault  webauthtest.Fault
		want   []string
		reason webauth.Reason // empty: accepted where versions 1 and 2 are
		base   string         // what the return URL begins with
	}{
		{webauthtest.FaultWrongKey, ordinary, webauth.ReasonSignature, target + "&"},
		{webauthtest.FaultUnknownKid, with(map[int]string{12: "99999999"}), webauth.ReasonUnknownKey, target + "&"},
		{webauthtest.FaultBadSignature, ordinary, webauth.ReasonSignature, target + "&"},
		{webauthtest.FaultUnsigned, with(map[int]string{12: "", 13: ""}), webauth.ReasonUnsigned, target + "&"},
		{webauthtest.FaultAlteredPrincipal, with(map[int]string{6: "test0001x"}), webauth.ReasonSignature, target + "&"},
		{webauthtest.FaultStale, with(map[int]string{3: "20260102T110000Z"}), webauth.ReasonStale, target + "&"},
		{webauthtest.FaultFuture, with(map[int]string{3: "20260102T130000Z"}), webauth.ReasonFuture, target + "&"},
		{webauthtest.FaultWrongParams, with(map[int]string{11: "px"}), "", target + "&"}, // the token check's business
		{webauthtest.FaultVersion1, old("1"), "", "http://localhost:8080/private/?"},
		{webauthtest.FaultVersion2, old("2"), "", target + "&"},
	}
	tested := map[webauthtest.Fault]bool{
		webauthtest.FaultAlteredURL: true, webauthtest.FaultReplay: true, webauthtest.FaultIgnoreIAct: true,
		webauthtest.FaultCancel: true, webauthtest.FaultSlow: true, webauthtest.FaultDown: true, webauthtest.FaultClosed: true,
	}
	for _, tt := range tests {
		tested[tt.fault] = true
		t.Run(string(tt.fault), func(t *testing.T) {
			w := webauthtest.New(t, atNoon())
			w.Next(webauthtest.Outcome{Fault: tt.fault})
			got, err := w.Respond(loginURL(w, nil), "test0001")
			require.NoError(t, err)
			assert.Equal(t, tt.want, fieldsOf(responseIn(t, got)))
			assert.True(t, strings.HasPrefix(got, tt.base+"WLS-Response="), got)
			assert.Equal(t, tt.fault, last(t, w).Fault)
			_, err = verify(t, w, got, target)
			assert.Equal(t, tt.reason, reasonOf(err))

			got, err = w.Respond(loginURL(w, nil), "test0001")
			require.NoError(t, err)
			assert.Equal(t, ordinary, fieldsOf(responseIn(t, got)), "the next one is good again")
			_, err = verify(t, w, got, target)
			require.NoError(t, err)
		})
	}
	for _, f := range webauthtest.Faults() {
		assert.True(t, tested[f], "fault %q has no test", f)
	}
}

func reasonOf(err error) webauth.Reason {
	var refused *webauth.Error
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return ""
}

// TestFaultAlteredURL stands apart because a published key is not believed for other
// hosts: with a key of its own the response verifies and is for somebody else.
func TestFaultAlteredURL(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	w.RotateKey(false)
	w.Next(webauthtest.Outcome{Fault: webauthtest.FaultAlteredURL})
	got, err := w.Respond(loginURL(w, nil), "test0001")
	require.NoError(t, err)
	assert.Equal(t, with(map[int]string{5: "http://other.example/private/?a=b", 12: "502"}), fieldsOf(responseIn(t, got)))
	assert.True(t, strings.HasPrefix(got, target+"&"), got)
	_, err = verify(t, w, got, target)
	assert.Equal(t, webauth.ReasonURL, reasonOf(err))
}

// TestFaultsOnFailures: what spoils a success spoils a scripted failure too.
func TestFaultsOnFailures(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	for fault, want := range map[webauthtest.Fault]webauth.Reason{
		webauthtest.FaultWrongKey:         webauth.ReasonSignature,
		webauthtest.FaultBadSignature:     webauth.ReasonSignature,
		webauthtest.FaultAlteredPrincipal: webauth.ReasonMalformed,
		webauthtest.FaultStale:            webauth.ReasonStale,
		webauthtest.FaultUnsigned:         webauth.ReasonStatus,
	} {
		w.Next(webauthtest.Outcome{Status: 410, Fault: fault})
		got, err := w.Respond(loginURL(w, nil), "test0001")
		require.NoError(t, err)
		_, err = verify(t, w, got, target)
		assert.Equal(t, want, reasonOf(err), fault)
	}
}

func TestFaultReplay(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	w.Always(webauthtest.Outcome{Fault: webauthtest.FaultReplay})
	first, err := w.Respond(loginURL(w, nil), "test0001")
	require.NoError(t, err)
	assert.Equal(t, webauthtest.FaultNone, last(t, w).Fault, "there was nothing to replay")
	second, err := w.Respond(loginURL(w, func(r *wls.Request) { r.URL = "http://localhost:8080/other" }), "test0002")
	require.NoError(t, err)
	assert.Equal(t, responseIn(t, first), responseIn(t, second))
	assert.True(t, strings.HasPrefix(second, "http://localhost:8080/other?"), second)
	assert.Equal(t, webauthtest.FaultReplay, last(t, w).Fault)
}

func TestFaultIgnoreIAct(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	w.Always(webauthtest.Outcome{Fault: webauthtest.FaultIgnoreIAct})
	ask := loginURL(w, func(r *wls.Request) { r.IAct = "yes" })
	sso := with(map[int]string{8: "", 9: "pwd"})
	for _, doing := range []webauthtest.Person{webauthtest.SignedOn, webauthtest.Types} {
		got, err := w.Respond(ask, "test0001", doing)
		require.NoError(t, err)
		assert.Equal(t, sso, fieldsOf(responseIn(t, got)))
	}
	resp, page := get(t, noWait(w), ask)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, page, `name="pwd"`, "where nobody is logged in it has to ask")
}

func TestFaultCancel(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	w.Next(webauthtest.Outcome{Fault: webauthtest.FaultCancel})
	resp, _ := get(t, noWait(w), loginURL(w, nil))
	assert.Equal(t, 410, parse(t, resp.Header.Get("Location")).Status())
}

func TestFaultDown(t *testing.T) {
	w := webauthtest.New(t)
	w.Next(webauthtest.Outcome{Fault: webauthtest.FaultDown})
	resp, page := get(t, w.Client("test0001"), loginURL(w, nil))
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	assert.Contains(t, page, "Out of service")
	assert.Equal(t, webauthtest.ReplyDown, last(t, w).Reply)
	resp, _ = get(t, noWaitFilled(w), loginURL(w, nil))
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode, "up again")
}

func TestFaultClosed(t *testing.T) {
	w := webauthtest.New(t)
	w.Always(webauthtest.Outcome{Fault: webauthtest.FaultClosed})
	_, err := w.Client("test0001").Get(loginURL(w, nil))
	require.ErrorIs(t, err, io.EOF)
	assert.Equal(t, webauthtest.ReplyClosed, last(t, w).Reply)
}

// TestFaultSlow uses a delay that no test would sit out: what ends it is what is tested.
func TestFaultSlow(t *testing.T) {
	forever := func(c *webauthtest.Config) { c.SlowFor = time.Duration(math.MaxInt64) }

	t.Run("until the browser leaves", func(t *testing.T) {
		gone := make(chan webauthtest.Exchange, 1)
		ctx, leave := context.WithCancel(context.Background())
		defer leave()
		w := webauthtest.New(t, forever, func(c *webauthtest.Config) {
			c.OnExchange = func(e webauthtest.Exchange) { gone <- e }
			c.Now = func() time.Time { leave(); return time.Now() } // the fake looks at it before it waits
		})
		w.Next(webauthtest.Outcome{Fault: webauthtest.FaultSlow})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, loginURL(w, nil), nil)
		require.NoError(t, err)
		_, err = w.Client("test0001").Do(req)
		require.ErrorIs(t, err, context.Canceled)
		e := <-gone
		assert.Equal(t, webauthtest.ReplyClosed, e.Reply)
		assert.Equal(t, webauthtest.FaultSlow, e.Fault)
	})

	t.Run("until the fake is closed", func(t *testing.T) {
		w := webauthtest.New(t, forever)
		w.Always(webauthtest.Outcome{Fault: webauthtest.FaultSlow})
		w.Close()
		_, err := w.Client("test0001").Get(loginURL(w, nil))
		require.ErrorIs(t, err, io.EOF)
	})

	t.Run("once, and then it answers", func(t *testing.T) {
		w := webauthtest.New(t, func(c *webauthtest.Config) { c.SlowFor = time.Nanosecond })
		w.Next(webauthtest.Outcome{Fault: webauthtest.FaultSlow})
		resp, _ := get(t, noWaitFilled(w), loginURL(w, nil))
		assert.Equal(t, 200, parse(t, resp.Header.Get("Location")).Status())
		all := w.Requests()
		require.Len(t, all, 2)
		assert.Equal(t, webauthtest.FaultSlow, all[0].Fault, "the form was slow")
		assert.Equal(t, webauthtest.FaultNone, all[1].Fault, "the answer was not")
	})

	t.Run("nobody waits in Respond", func(t *testing.T) {
		w := webauthtest.New(t, forever)
		w.Next(webauthtest.Outcome{Fault: webauthtest.FaultSlow, Delay: math.MaxInt64})
		got, err := w.Respond(loginURL(w, nil), "test0001")
		require.NoError(t, err)
		assert.Equal(t, 200, parse(t, got).Status())
	})
}
