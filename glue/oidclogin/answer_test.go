package oidclogin_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Answers of a shape that is refused before the token endpoint is asked. STATE stands for a
// good state, ISSUER for the issuer.
func TestAnswersThatAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		want  webauth.Reason
		spent bool
	}{
		"no state":                   {"code=a", webauth.ReasonMalformed, false},
		"no code":                    {"state=STATE", webauth.ReasonMalformed, true},
		"a state that is none":       {"code=a&state=b", webauth.ReasonToken, false},
		"a state that was altered":   {"code=a&state=ASTATE", webauth.ReasonToken, false},
		"two codes":                  {"code=a&code=b&state=STATE", webauth.ReasonMalformed, true},
		"two codes, one encoded":     {"code=a&c%6Fde=b&state=STATE", webauth.ReasonMalformed, true},
		"two states":                 {"code=a&state=STATE&state=STATE", webauth.ReasonMalformed, true},
		"code and error":             {"code=a&error=access_denied&state=STATE", webauth.ReasonMalformed, true},
		"bad percent-encoding":       {"code=%zz&state=STATE", webauth.ReasonMalformed, true},
		"a code that is too long":    {"code=" + strings.Repeat("a", 9<<10) + "&state=STATE", webauth.ReasonMalformed, true},
		"implicit":                   {"id_token=a.b.c&state=STATE", webauth.ReasonMalformed, true},
		"hybrid":                     {"code=a&id_token=a.b.c&state=STATE", webauth.ReasonMalformed, true},
		"an access token":            {"code=a&access_token=x&state=STATE", webauth.ReasonMalformed, true},
		"JARM":                       {"response=a.b.c", webauth.ReasonMalformed, false},
		"iss of another":             {"code=a&state=STATE&iss=https%3A%2F%2Fother.example", webauth.ReasonURL, true},
		"iss with a slash":           {"code=a&state=STATE&iss=ISSUER/", webauth.ReasonURL, true},
		"iss empty":                  {"code=a&state=STATE&iss=", webauth.ReasonURL, true},
		"an error with iss":          {"error=access_denied&state=STATE&iss=x", webauth.ReasonURL, true},
		"an error in another's name": {"error=access_denied&state=b", webauth.ReasonToken, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			good := s.begin(t, webauth.Request{})
			query := strings.NewReplacer("STATE", s.asked.Get("state"), "ISSUER", s.url).Replace(test.query)
			e := s.refused(t, query, test.want)
			assert.Equal(t, test.spent, e.OwnURL() == page, "who asked goes on from there")
			if test.spent {
				s.refused(t, good, webauth.ReasonReplay)
				assert.Zero(t, s.count("/token"))
				return
			}
			_, err := s.answer(t, good)
			require.NoError(t, err)
		})
	}
}

func TestAnswersNameTheIssuerWhereDiscoverySaysSo(t *testing.T) {
	s := newSite(t)
	s.discovery = func(o object) { o["authorization_response_iss_parameter_supported"] = true }
	s.refused(t, s.begin(t, webauth.Request{}), webauth.ReasonURL)
	assert.Zero(t, s.count("/token"))
	_, err := s.answer(t, s.begin(t, webauth.Request{})+"2&iss="+url.QueryEscape(s.url))
	require.NoError(t, err)
}

func TestBringsAndStrip(t *testing.T) {
	s := newSite(t)
	for _, test := range []struct {
		path, query, kept string
		brings            bool
	}{
		{callback, "", "", false},
		{callback, "next=/a&b", "next=/a&b", false},
		{callback, "next=/a&code=1&state=2&session_state=3&iss=4&x=%41", "next=/a&x=%41", true},
		{callback, "st%61te=1", "", true},
		{callback, "error=x&error_description=y&error_uri=z", "", true},
		{callback, "response=x", "", true},
		{callback, "id_token=x&access_token=y&token_type=z&expires_in=1", "", true},
		{"/private/", "code=1&state=2", "code=1&state=2", false},
		{callback + "/", "code=1&state=2", "code=1&state=2", false},
	} {
		assert.Equal(t, test.brings, s.login.Brings(test.path, test.query), test.query)
		assert.Equal(t, test.kept, s.login.Strip(test.path, test.query), test.query)
	}
}

func TestErrorsOfTheProvider(t *testing.T) {
	for code, want := range map[string]struct {
		reason webauth.Reason
		status int
	}{
		"access_denied":              {webauth.ReasonStatus, 410},
		"login_required":             {webauth.ReasonStatus, 540},
		"interaction_required":       {webauth.ReasonStatus, 540},
		"consent_required":           {webauth.ReasonStatus, 540},
		"account_selection_required": {webauth.ReasonStatus, 540},
		"server_error":               {webauth.ReasonProvider, 0},
		"temporarily_unavailable":    {webauth.ReasonProvider, 0},
		"invalid_client":             {webauth.ReasonSetup, 0},
		"unauthorized_client":        {webauth.ReasonSetup, 0},
		"invalid_request":            {webauth.ReasonSetup, 0},
		"invalid_scope":              {webauth.ReasonSetup, 0},
		"unsupported_response_type":  {webauth.ReasonSetup, 0},
		"unmet_authentication":       {webauth.ReasonStatus, 570},
		"<script>\n":                 {webauth.ReasonStatus, 570},
	} {
		t.Run(code, func(t *testing.T) {
			s := newSite(t)
			s.begin(t, webauth.Request{Note: "silent", IAct: webauth.IActNo})
			query := url.Values{"error": {code}, "error_description": {"line\r\nbreak é " + strings.Repeat("x", 5000)}, "state": {s.asked.Get("state")}}.Encode()
			e := s.refused(t, query, want.reason)
			assert.Equal(t, want.status, e.Status)
			assert.Equal(t, page, e.OwnURL())
			assert.False(t, e.Signed)
			token, ours := e.Token()
			assert.True(t, ours)
			assert.Equal(t, "silent", token.Note)
			assert.True(t, strings.HasPrefix(e.Message(), "line??break ? x"), e.Message())
			assert.Less(t, len(e.Message()), 400)
			assert.NotContains(t, e.Error(), "\n")
			assert.NotContains(t, e.Error(), "xxx", "descriptions are for Message")

			s.refused(t, query, webauth.ReasonReplay)
			assert.Zero(t, s.count("/token"))
		})
	}
}

// Somebody cancels, goes back and logs in after all: once, and asked first.
func TestSuccessAfterFailure(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	failure := "error=access_denied&state=" + s.asked.Get("state")
	e := s.refused(t, failure, webauth.ReasonStatus)
	failed, _ := e.Token()
	s.failed = func(t webauth.Token) bool { return t.Nonce == failed.Nonce }

	e = s.refused(t, failure, webauth.ReasonStatus) // the page is reloaded
	_, ours := e.Token()
	assert.True(t, ours)
	proof, err := s.answer(t, query)
	require.NoError(t, err)
	assert.True(t, proof.Confirm)
	s.refused(t, query, webauth.ReasonReplay)
	s.refused(t, query+"2", webauth.ReasonReplay)
	assert.Equal(t, 1, s.count("/token"))
}

// A failure of one login does not make another's state good again, and a code that was used
// takes nothing from the success that may follow.
func TestFailureOfAnotherLogin(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	_, err := s.answer(t, query)
	require.NoError(t, err)
	s.failed = func(webauth.Token) bool { return false }
	s.refused(t, query+"2", webauth.ReasonReplay)

	again := s.begin(t, webauth.Request{})
	s.refused(t, "error=access_denied&state="+s.asked.Get("state"), webauth.ReasonStatus)
	s.failed = func(webauth.Token) bool { return true }
	s.refused(t, again, webauth.ReasonReplay)
	proof, err := s.answer(t, again+"3")
	require.NoError(t, err)
	assert.True(t, proof.Confirm)
}

// What a log reader does with a code that was refused elsewhere: nothing.
func TestCodeWorksOnce(t *testing.T) {
	s := newSite(t)
	_, err := s.answer(t, s.begin(t, webauth.Request{}))
	require.NoError(t, err)
	e := s.refused(t, s.begin(t, webauth.Request{}), webauth.ReasonReplay)
	assert.Equal(t, page, e.ReturnURL())
	assert.Equal(t, 1, s.count("/token"))
}

// A code is used up by whatever it comes with: somebody can have it issued for the nonce and the
// challenge of his own request, with a state that is good for nothing, and read it in a log.
func TestCodeWorksOnceWithWhateverState(t *testing.T) {
	for name, first := range map[string]func(t *testing.T, s *site, answer url.Values){
		"no state": func(_ *testing.T, _ *site, answer url.Values) { answer.Del("state") },
		"garbage":  func(_ *testing.T, _ *site, answer url.Values) { answer.Set("state", "x") },
		"garbage, and error": func(_ *testing.T, _ *site, answer url.Values) {
			answer.Set("state", "x")
			answer.Set("error", "access_denied")
		},
		"another state": func(t *testing.T, s *site, answer url.Values) {
			s.begin(t, webauth.Request{})
			answer.Set("state", s.asked.Get("state"))
			s.secret = webauth.NewBrowserSecret()
		},
		"a state that is too old": func(t *testing.T, s *site, answer url.Values) {
			now := s.now
			s.now = now.Add(-2 * time.Hour)
			s.begin(t, webauth.Request{})
			answer.Set("state", s.asked.Get("state"))
			s.now = now
		},
		"another origin": func(t *testing.T, s *site, _ url.Values) {
			place := s.place
			place.Origin = "https://localhost:9443"
			var err error
			s.login, err = s.provider.At(place)
			require.NoError(t, err)
		},
	} {
		for _, spends := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, spends %v", name, spends), func(t *testing.T) {
				s := newSite(t)
				query, login, secret := s.begin(t, webauth.Request{}), s.login, s.secret
				answer, err := url.ParseQuery(query)
				require.NoError(t, err)
				first(t, s, answer)
				arrival := webauth.Arrival{Path: callback, Query: answer.Encode(), Secret: s.secret}
				if spends {
					require.NoError(t, s.login.Spend(t.Context(), arrival))
				} else {
					_, err := s.login.Answer(t.Context(), arrival)
					require.Error(t, err)
				}
				s.login, s.secret = login, secret
				s.refused(t, query, webauth.ReasonReplay)
				assert.Zero(t, s.count("/token"))
			})
		}
	}
}

func TestSpend(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	arrival := webauth.Arrival{Path: callback, Query: query, Secret: s.secret}
	require.NoError(t, s.login.Spend(t.Context(), arrival))
	require.NoError(t, s.login.Spend(t.Context(), arrival))
	require.NoError(t, s.login.Spend(t.Context(), webauth.Arrival{Path: callback, Query: "code=x"}))
	s.refused(t, query, webauth.ReasonReplay)
	assert.Zero(t, s.count("/token"))

	s.place.OneUse = brokenStore{}
	s.at(t)
	for _, secret := range []webauth.BrowserSecret{s.secret, ""} {
		arrival.Secret = secret
		err := s.login.Spend(t.Context(), arrival)
		require.Equal(t, webauth.ReasonStore, webauth.ReasonOf(err))
	}
}

type brokenStore struct{}

var errBroken = errors.New("connection refused")

func (brokenStore) Once(context.Context, webauth.Item) error { return errBroken }

func TestStoreIsDown(t *testing.T) {
	s := newSite(t)
	s.place.OneUse = brokenStore{}
	s.at(t)
	e := s.refused(t, s.begin(t, webauth.Request{}), webauth.ReasonStore)
	require.ErrorIs(t, e, errBroken)
	assert.Zero(t, s.count("/token"))
}

func TestStateEnds(t *testing.T) {
	for name, test := range map[string]struct {
		after time.Duration
		good  bool
	}{
		"after an hour":          {time.Hour, true},
		"after more":             {time.Hour + time.Second, false},
		"after two hours":        {2 * time.Hour, false},
		"made a little ahead":    {-50 * time.Second, true},
		"made on a clock far on": {-2 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.place.OneUse = webauth.NewMemoryOneUse(0, func() time.Time { return s.now.Add(-24 * time.Hour) })
			s.at(t)
			query := s.begin(t, webauth.Request{})
			s.now = s.now.Add(test.after)
			if test.good {
				_, err := s.answer(t, query)
				require.NoError(t, err)
				return
			}
			e := s.refused(t, query, webauth.ReasonToken)
			assert.Equal(t, page, e.OwnURL(), "to try again")
			assert.Zero(t, s.count("/token"))
		})
	}
}

func TestSiteWasRestarted(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	s.now = s.now.Add(time.Minute)
	s.place.OneUse = webauth.NewMemoryOneUse(0, func() time.Time { return s.now })
	s.at(t)
	e := s.refused(t, query, webauth.ReasonForgotten)
	assert.True(t, e.SamePrincipal("anybody"))
	assert.Zero(t, s.count("/token"))
}

// Of copies of an answer that arrive at once, one asks the token endpoint.
func TestCopiesAtOnce(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for range 8 {
		wg.Go(func() {
			if _, err := s.answer(t, query); err == nil {
				mu.Lock()
				defer mu.Unlock()
				good++
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 1, good)
	assert.Equal(t, 1, s.count("/token"))
}

// Tabs do not disturb each other.
func TestTabs(t *testing.T) {
	s := newSite(t)
	first := s.begin(t, webauth.Request{URL: origin + "/one"})
	firstNonce := s.asked.Get("nonce")
	second := s.begin(t, webauth.Request{URL: origin + "/two"})
	assert.NotEqual(t, firstNonce, s.asked.Get("nonce"))
	proof, err := s.answer(t, second+"2")
	require.NoError(t, err)
	assert.Equal(t, origin+"/two", proof.URL)
	s.asked.Set("nonce", firstNonce)
	proof, err = s.answer(t, first)
	require.NoError(t, err)
	assert.Equal(t, origin+"/one", proof.URL)
}

// Somebody else's code in one's own answer is worth nothing: PKCE at the provider, and the nonce
// here, even where the provider does not look at PKCE.
func TestInjectedCode(t *testing.T) {
	s := newSite(t)
	s.begin(t, webauth.Request{})
	victims := s.asked
	query := s.begin(t, webauth.Request{})
	s.asked = victims
	s.refused(t, query, webauth.ReasonToken)
}

func TestBeginRefuses(t *testing.T) {
	s := newSite(t)
	for name, test := range map[string]struct {
		secret webauth.BrowserSecret
		r      webauth.Request
		want   string
	}{
		"no secret":       {"", webauth.Request{URL: page}, "secret"},
		"no URL":          {s.secret, webauth.Request{}, "URL"},
		"foreign URL":     {s.secret, webauth.Request{URL: "https://other.example/"}, "not of the origin"},
		"not canonical":   {s.secret, webauth.Request{URL: origin + "/?a='"}, "CanonicalURL"},
		"dot segments":    {s.secret, webauth.Request{URL: origin + "/a/../b"}, "dot segment"},
		"params":          {s.secret, webauth.Request{URL: page, Params: "x"}, "Params"},
		"empty AAuth":     {s.secret, webauth.Request{URL: page, AAuth: []string{}}, "AAuth"},
		"a type of words": {s.secret, webauth.Request{URL: page, AAuth: []string{"a b"}}, "AAuth"},
		"iact":            {s.secret, webauth.Request{URL: page, IAct: "maybe"}, "IAct"},
		"note":            {s.secret, webauth.Request{URL: page, Note: "a\nb"}, "Note"},
	} {
		_, err := s.login.Begin(t.Context(), test.secret, test.r)
		require.ErrorContains(t, err, test.want, name)
		require.NotErrorIs(t, err, webauth.ErrTooLong)
	}
	_, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: origin + "/" + strings.Repeat("a", 1300)})
	require.ErrorIs(t, err, webauth.ErrTooLong)
	_, err = s.login.Begin(t.Context(), s.secret, webauth.Request{URL: origin + "/" + strings.Repeat("a", 900)})
	require.NoError(t, err)
}

// That a person cancelled is said of what comes again only where it can have been said at first.
func TestCancelledThatComesAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		more   string
		ask    webauth.Request
		first  webauth.Reason
		status int
	}{
		"cancelled":              {first: webauth.ReasonStatus, status: 410},
		"of another issuer":      {more: "&iss=https%3A%2F%2Fevil.example", first: webauth.ReasonURL},
		"with a code":            {more: "&code=c", first: webauth.ReasonMalformed},
		"where nobody was asked": {ask: webauth.Request{IAct: webauth.IActNo}, first: webauth.ReasonStatus},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.begin(t, tc.ask)
			answer := "error=access_denied&state=" + s.asked.Get("state") + tc.more
			s.refused(t, answer, tc.first)
			assert.Equal(t, tc.status, s.refused(t, answer, webauth.ReasonReplay).Status)
		})
	}
}
