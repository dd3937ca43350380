package oidclogin_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// Unknown keys have the keys fetched now and then, not each time, and do not stand in the way of
// those that are known.
func TestUnknownKeysAreFetchedForAtALimitedRate(t *testing.T) {
	w := newBadWorld(t, nil)
	w.logIn(t, webauth.Request{})
	for i := range 50 {
		w.fake.Always(oidctest.Outcome{Fault: oidctest.FaultKidRandom})
		location, err := w.begin(webauth.Request{})
		require.NoError(t, err)
		_, err = w.answer(w.comeBack(t, location, "test0002", oidctest.Types))
		require.Equal(t, webauth.ReasonUnknownKey, webauth.ReasonOf(err))
		if i%10 == 0 {
			w.fake.Always(oidctest.Outcome{})
			w.logIn(t, webauth.Request{})
		}
	}
	assert.LessOrEqual(t, len(w.fake.Requests(oidctest.EndpointKeys)), 3, "in one moment")

	w.fake.Advance(time.Minute)
	w.fake.RotateKey(false)
	w.fake.Always(oidctest.Outcome{})
	w.logIn(t, webauth.Request{})
}

// A provider that is down is asked now and then.
func TestDeadProviderIsLeftAlone(t *testing.T) {
	w := newBadWorld(t, nil)
	w.fake.Always(oidctest.Outcome{Fault: oidctest.FaultDiscoveryDown})
	for range 50 {
		_, err := w.begin(webauth.Request{})
		require.Equal(t, webauth.ReasonProvider, webauth.ReasonOf(err))
	}
	assert.Len(t, w.fake.Requests(oidctest.EndpointDiscovery), 1)
	w.behaves(t)
}

// Codes that somebody makes up leave room for those of logins, and are refused as what cannot be
// marked once they have filled theirs.
func TestMadeUpCodesLeaveRoomForLogins(t *testing.T) {
	w := newBadWorld(t, nil)
	w.place.OneUse = webauth.NewMemoryOneUse(1000, w.fake.Now)
	w.fake.Advance(time.Second)
	w.login = w.at(t, w.provider, w.place)
	reasons := map[webauth.Reason]int{}
	for i := range 1000 {
		_, err := w.answer(url.Values{"state": {"x"}, "code": {fmt.Sprint("made-up-", i)}}.Encode())
		reasons[webauth.ReasonOf(err)]++
	}
	assert.Positive(t, reasons[webauth.ReasonStore])
	assert.Equal(t, 1000, reasons[webauth.ReasonStore]+reasons[webauth.ReasonToken])
	for range 20 {
		w.logIn(t, webauth.Request{})
	}
}

// No change of a state is accepted, and none has the provider asked.
func TestStatesCannotBeChanged(t *testing.T) {
	w := newBadWorld(t, nil)
	location, err := w.begin(webauth.Request{})
	require.NoError(t, err)
	q, err := url.ParseQuery(w.comeBack(t, location, "test0001", oidctest.Types))
	require.NoError(t, err)
	n := 0
	for mutant := range webauthtest.Mutations(q.Get("state")) {
		n++
		arrival := webauth.Arrival{
			Path: callback, Secret: w.secret,
			Query: url.Values{"state": {mutant}, "code": {"a-code"}, "iss": {w.fake.Issuer()}}.Encode(),
		}
		proof, err := w.login.Answer(context.Background(), arrival)
		require.Nil(t, proof)
		require.Contains(t, []webauth.Reason{webauth.ReasonToken, webauth.ReasonMalformed, webauth.ReasonReplay}, webauth.ReasonOf(err), "%q", mutant)
	}
	assert.Greater(t, n, 1000)
	assert.Equal(t, [2]int{0, 0}, w.counts())
	_, err = w.answer(q.Encode())
	require.NoError(t, err, "the right one is as good as before")
}
