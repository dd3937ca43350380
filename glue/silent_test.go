package glue_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// silentSite has /silent, which signs people in without troubling them.
func silentSite(t testing.TB, kind kind) *testSite {
	return startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		silent := auth.With(func(p *glue.Policy) { p.Silent, p.Fail = true, true })
		mux.Handle("/silent", silent.Optional(echo))
		mux.Handle("/silent/inside", silent.Require(echo))
	}})
}

// signedOn opens a browser whose user is logged in at the WLS, and has nothing of ours.
func (s *testSite) signedOn(user string) *browser {
	s.t.Helper()
	b := s.loggedIn(user)
	b.dropCookies()
	require.Empty(s.t, b.cookies())
	s.served.Store(0)
	return b
}

func TestSilentSignIn(t *testing.T) { eachKind(t, testSilentSignIn) }

func testSilentSignIn(t *testing.T, kind kind) {
	s := silentSite(t, kind)
	b := s.signedOn("test0001")
	a := b.get("/silent?n=1")
	a.requireEcho("") // the browser has not returned a cookie yet
	assert.EqualValues(t, 1, s.served.Load())
	assert.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"), "there is a cookie in it")
	require.NotNil(t, b.cookie("login"))

	location := b.begin("/silent?n=1")
	assert.EqualValues(t, "no", s.fake.iact(t, location))
	assert.Empty(t, fields(t, location).Get("fail"), "the person must come back")
	require.NotNil(t, b.cookie("tried"))
	a = b.get(s.respond(location, "test0001", webauthtest.SignedOn))
	assert.Empty(t, a.requireEcho("test0001").Identity.Auth)
	assert.Equal(t, s.url+"/silent?n=1", a.Request.URL.String())
}

func TestSilentSignInDeclined(t *testing.T) { eachKind(t, testSilentSignInDeclined) }

func testSilentSignInDeclined(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name    string
		outcome webauthtest.Outcome
	}{
		{"540", webauthtest.Outcome{}},
		{"540 in version 1", webauthtest.Outcome{Quirks: []webauthtest.Quirk{webauthtest.QuirkV1Cancel}}},
		{"540 unsigned", webauthtest.Outcome{Quirks: []webauthtest.Quirk{webauthtest.QuirkUnsignedFailure}}},
		{"510", webauthtest.Outcome{Status: 510}},
		{"570", webauthtest.Outcome{Status: 570}},
		{"530", webauthtest.Outcome{Status: 530}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := silentSite(t, kind)
			s.fake.Always(tt.outcome)
			b := s.browser("test0001") // nobody is logged in at the WLS
			b.get("/silent?n=1").requireEcho("")
			a := b.get("/silent?n=1") // there, back, and the page
			a.requireEcho("")
			assert.Equal(t, s.url+"/silent?n=1", a.Request.URL.String(), "the query too")
			assert.EqualValues(t, 4, s.served.Load())
			b.get("/silent?n=1").requireEcho("")
			assert.EqualValues(t, 5, s.served.Load(), "tried once")
			assert.Equal(t, []string{glue.EventSilent}, s.eventNames())

			s.fake.Always(webauthtest.Outcome{})
			b.get("/private/").requireEcho("test0001") // by hand it works
			b.get("/silent").requireEcho("test0001")
		})
	}
}

// One of two tabs that were opened at once is slow, and the person types the password in
// the other meanwhile.
func TestSilentSignInTakesNoPasswordAway(t *testing.T) {
	eachKind(t, testSilentSignInTakesNoPasswordAway)
}

func testSilentSignInTakesNoPasswordAway(t *testing.T, kind kind) {
	s := silentSite(t, kind)
	b := s.signedOn("test0001")
	b.get("/silent").requireEcho("")
	location := b.begin("/silent?slow")
	typed := b.get(s.respond(b.begin("/private/"), "test0001", webauthtest.Types)).requireEcho("test0001").Identity
	require.NotEmpty(t, typed.Auth)

	a := b.get(s.respond(location, "test0001", webauthtest.SignedOn))
	assert.Equal(t, typed.SessionID, a.requireEcho("test0001").Identity.SessionID)
	assert.Equal(t, s.url+"/silent?slow", a.Request.URL.String())
	b.get("/private/").requireEcho("test0001")
}

func TestSilentSignInThatGoesWrongIsAPage(t *testing.T) {
	s := silentSite(t, byWLS)
	b := s.browser("test0001")
	b.get("/silent")
	s.fake.Always(webauthtest.Outcome{Status: 540, Fault: webauthtest.FaultBadSignature})
	a := b.get("/silent").requirePage(http.StatusForbidden, "refused")
	b.get(a.links()[0]).requireEcho("")
}

func TestSilentSignInIsNotTried(t *testing.T) { eachKind(t, testSilentSignInIsNotTried) }

func testSilentSignInIsNotTried(t *testing.T, kind kind) {
	t.Run("without cookies", func(t *testing.T) {
		s := silentSite(t, kind)
		b := s.browser("test0001").forgetting("wls-")
		for range 3 {
			b.get("/silent").requireEcho("")
		}
		assert.EqualValues(t, 3, s.served.Load())
	})
	t.Run("for a script", func(t *testing.T) {
		s := silentSite(t, kind)
		b := s.browser("test0001")
		a := b.fetch("/silent")
		a.requireEcho("")
		assert.Empty(t, b.cookies())
		b.get("/silent")
		b.fetch("/silent").requireEcho("")
		assert.Nil(t, b.cookie("tried"))
	})
	t.Run("after logging out", func(t *testing.T) {
		s := silentSite(t, kind)
		b := s.loggedIn("test0001")
		b.post("/logout", nil).requirePage(http.StatusOK, "logged-out")
		b.once("/silent").requireEcho("")
		b.once("/silent").requireEcho("")
	})
	t.Run("for a session that may not come in", func(t *testing.T) {
		s := silentSite(t, kind)
		b := s.browser("test0010")
		b.get("/private/").requirePage(http.StatusForbidden, "forbidden")
		b.once("/silent").requireEcho("")
	})
	t.Run("by Require", func(t *testing.T) {
		s := silentSite(t, kind)
		b := s.browser("test0001")
		b.get("/silent")
		assert.Empty(t, s.fake.iact(t, b.begin("/silent/inside")))
	})
	t.Run("by Optional unless asked to", func(t *testing.T) {
		s := silentSite(t, kind)
		b := s.signedOn("test0001")
		b.get("/optional").requireEcho("")
		b.get("/optional").requireEcho("")
		assert.Empty(t, b.cookies())
	})
}

// A page that is served as it is leaves no long address waiting for a login that was not
// begun.
func TestSilentSignInThatIsNotTriedParksNothing(t *testing.T) {
	eachKind(t, testSilentSignInThatIsNotTriedParksNothing)
}

func testSilentSignInThatIsNotTriedParksNothing(t *testing.T, kind kind) {
	s := silentSite(t, kind)
	b := s.browser("test0001").forgetting("wls-session", "wls-tried")
	b.get("/silent")
	s.fake.Always(webauthtest.Outcome{Status: 540})
	b.get(longTarget("/silent")).requireEcho("") // there and back, until that is a loop
	a := b.once(longTarget("/silent"))
	a.requireEcho("")
	assert.Empty(t, a.Cookies())
	assert.Empty(t, b.parked("/silent"))
}

// A browser that keeps neither the session nor the mark that it tried is served as nobody,
// and not sent round in circles.
func TestSilentSignInIsNoLoop(t *testing.T) { eachKind(t, testSilentSignInIsNoLoop) }

func testSilentSignInIsNoLoop(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name    string
		outcome webauthtest.Outcome
		drops   []string
	}{
		{"logged in each time", proof("", []string{"pwd"}), []string{"wls-session", "wls-tried"}},
		{"declined each time", webauthtest.Outcome{Status: 540}, []string{"wls-tried"}},
		{"declined each time, where no session is kept", webauthtest.Outcome{Status: 540}, []string{"wls-session", "wls-tried"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := silentSite(t, kind)
			b := s.browser("test0001").forgetting(tt.drops...)
			b.get("/silent?n=1").requireEcho("")
			s.fake.Always(tt.outcome)
			s.served.Store(0)
			target, redirects := s.url+"/silent?n=1", 0
			var a answer
			for ; redirects < 20; redirects++ {
				if a = b.once(target); a.StatusCode != http.StatusSeeOther {
					break
				}
				if target = a.location(); strings.HasPrefix(target, s.fake.page()) {
					target = s.respond(target, "test0001", webauthtest.SignedOn)
				}
			}
			a.requireEcho("")
			assert.Equal(t, 6, redirects, "three times there and back")
			assert.NotContains(t, s.eventNames(), glue.EventLoop, "the page is for everybody")
		})
	}
}

// Whichever handler sees it: a silent failure goes back to the page, any other is told.
func TestSilentFailureAtAnotherHandler(t *testing.T) { eachKind(t, testSilentFailureAtAnotherHandler) }

func testSilentFailureAtAnotherHandler(t *testing.T, kind kind) {
	for _, outer := range []string{"require", "optional", "silent", "no", "yes"} {
		for _, asks := range []string{"silent", "no"} {
			t.Run(asks+" asked, "+outer+" sees it", func(t *testing.T) {
				var auth *glue.Auth
				s := startSite(t, setup{kind: kind,
					routes: func(mux *http.ServeMux, a *glue.Auth) {
						auth = a
						mux.Handle("/asks", nest(a, asks))
					},
					wrap: func(h http.Handler) http.Handler {
						return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if kind.answers(r.URL) {
								nest(auth, outer).ServeHTTP(w, r)
								return
							}
							h.ServeHTTP(w, r)
						})
					},
				})
				b := s.browser("test0001")
				b.begin("/private/") // has a secret now
				location := b.begin("/asks")
				a := b.once(s.respond(location, "test0001")) // typed: 540
				if asks == "silent" {
					require.Equal(t, http.StatusSeeOther, a.StatusCode)
					assert.Equal(t, s.url+"/asks", a.location())
					b.get("/asks").requireEcho("")
					return
				}
				a.requirePage(http.StatusForbidden, "declined")
			})
		}
	}
}

// An outer handler that gives the browser its secret, and an inner one that sends it to log
// in with the same answer, agree on one.
func TestSilentOutsideGivesOneSecret(t *testing.T) { eachKind(t, testSilentOutsideGivesOneSecret) }

func testSilentOutsideGivesOneSecret(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, a *glue.Auth) {
		mux.Handle("/nested", nest(a, "silent", "optional", "silent", "require"))
	}})
	b := s.browser("test0001")
	a := b.once("/nested")
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	require.Len(t, a.Cookies(), 1)
	b.get(s.respond(a.location(), "test0001")).requireEcho("test0001")
}
