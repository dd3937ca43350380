package glue_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// Where the cookies do not come back whole the person is logged in, gets the page without
// its query, and is told.
func TestLongTargetThatIsLost(t *testing.T) { eachKind(t, testLongTargetThatIsLost) }

func testLongTargetThatIsLost(t *testing.T, kind kind) {
	const path = "/private/page"
	one := func(b *browser) *http.Cookie {
		for _, c := range b.cookiesAt(b.site.fake.arrives(path)) {
			if strings.Contains(c.Name, "wls-target") && strings.HasSuffix(c.Name, ".1") {
				return c
			}
		}
		require.FailNow(b.site.t, "there is no second part")
		return nil
	}
	query := longQueries()["random base64url"]
	for _, tt := range []struct {
		name string
		lose func(s *testSite, b *browser)
	}{
		{"all cookies", func(s *testSite, b *browser) { b.unpark(s.fake.arrives(path)) }},
		{"one of them", func(s *testSite, b *browser) { b.setParked(s.fake.arrives(path), one(b).Name, "") }},
		{"in place of them those of another tab", func(s *testSite, b *browser) {
			at := s.fake.arrives(path)
			first := b.parked(at)
			b.begin(path + "?" + query)
			for _, c := range b.cookiesAt(at) {
				for _, name := range first {
					if strings.Contains(name, "wls-target") && !slices.Contains(first, c.Name) && strings.HasSuffix(c.Name, name[len(name)-2:]) {
						b.setParked(at, name, c.Value)
					}
				}
			}
		}},
		{"one twice", func(_ *testSite, b *browser) { b.setParked("/", one(b).Name, one(b).Value) }},
		{"one is cut", func(s *testSite, b *browser) { b.setParked(s.fake.arrives(path), one(b).Name, one(b).Value[1:]) }},
		{"one is altered", func(s *testSite, b *browser) {
			c := one(b)
			b.setParked(s.fake.arrives(path), c.Name, c.Value[:9]+"AAAA"+c.Value[13:])
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			location := b.begin(path + "?" + query)
			tt.lose(s, b)
			a := b.get(s.respond(location, "test0001")).requirePage(http.StatusOK, "target-lost")
			assert.Equal(t, []string{s.url + path}, a.links())
			assert.Contains(t, a.Body, "test0001", "the person is logged in")
			e := s.lastEvent(glue.EventTargetLost)
			assert.Equal(t, a.ref(), e.Ref)
			assert.Equal(t, "test0001", e.Principal)
			assert.Equal(t, path, b.get(a.links()[0]).requireEcho("test0001").RequestURI)
		})
	}
}

// What waits is for one browser, one site, and an hour.
func TestLongTargetIsBound(t *testing.T) {
	const path = "/private/page"
	s := startSite(t, setup{})
	owner := s.browser("test0001")
	location := owner.begin(longTarget(path))
	marked := strings.TrimPrefix(fields(t, location).Get("url"), s.url)
	for _, tt := range []struct {
		name string
		get  func() answer
		kind string
	}{
		{"the same browser", func() answer { return owner.once(marked) }, ""},
		{"another browser", func() answer {
			b := s.browser("test0002")
			b.begin("/private/")
			for _, c := range owner.cookiesAt(path) {
				if strings.Contains(c.Name, "wls-target") {
					b.setParked(path, c.Name, c.Value)
				}
			}
			return b.once(marked)
		}, "target-lost"},
		{"a browser without a secret", func() answer {
			b := s.browser("test0002")
			for _, c := range owner.cookiesAt(path) {
				if strings.Contains(c.Name, "wls-target") {
					b.setParked(path, c.Name, c.Value)
				}
			}
			return b.once(marked)
		}, "target-lost"},
		{"after an hour", func() answer {
			s.advance(time.Hour + time.Minute)
			return owner.once(marked)
		}, "target-lost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			a := tt.get()
			assert.Equal(t, tt.kind, a.kind())
			if tt.kind == "" {
				assert.Equal(t, s.url+longTarget(path), a.location())
			}
		})
	}
}

// The reference alone, without a response, is what the history and bookmarks have.
func TestLongTargetWithoutAResponse(t *testing.T) {
	const path = "/private/page"
	for _, tt := range []struct {
		name     string
		loggedIn bool
		lose     bool
		kind     string
	}{
		{"logged in", true, false, ""},
		{"not logged in", false, false, ""},
		{"logged in, and lost", true, true, "target-lost"},
		{"not logged in, and lost", false, true, "target-lost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{})
			b := s.browser("test0001")
			marked := fields(t, b.begin(longTarget(path))).Get("url")
			if tt.loggedIn {
				b.get("/private/").requireEcho("test0001")
			}
			if tt.lose {
				b.unpark(path)
			}
			a := b.get(marked)
			assert.Equal(t, tt.kind, a.kind())
			if tt.kind != "" {
				assert.Equal(t, []string{s.url + path}, a.links())
				a = b.get(a.links()[0])
				assert.Equal(t, path, a.requireEcho("test0001").RequestURI)
				return
			}
			assert.Equal(t, longTarget(path), a.requireEcho("test0001").RequestURI)
		})
	}
	t.Run("for everybody", func(t *testing.T) {
		s := startSite(t, setup{})
		a := s.browser("").get("/optional?a=b&wls-target=AAAAAAAAAAAAAAAAAAAAAA").requirePage(http.StatusOK, "target-lost")
		assert.Equal(t, []string{s.url + "/optional?a=b"}, a.links())
		for _, query := range []string{"wls-target=x", "wls-target=", "xwls-target=AAAAAAAAAAAAAAAAAAAAAA", "wls-target=AAAAAAAAAAAAAAAAAAAAAA&a", "wls-target=AAAAAAAAAAAAAAAAAAAAAB"} {
			s.browser("").get("/optional?" + query).requireEcho("")
		}
		s.browser("").fetch("/optional?wls-target=AAAAAAAAAAAAAAAAAAAAAA").requireEcho("") // and a script's own
	})
}

// "Try again" after a failure leads to the whole address, and it is whole after that.
func TestLongTargetAfterAFailure(t *testing.T) { eachKind(t, testLongTargetAfterAFailure) }

func testLongTargetAfterAFailure(t *testing.T, kind kind) {
	for name, outcome := range map[string]webauthtest.Outcome{
		"cancelled":                        {Status: 410},
		"cancelled, and the query dropped": {Status: 410, Quirks: []webauthtest.Quirk{webauthtest.QuirkV1Cancel}},
		"declined":                         {Status: 570},
		"too late":                         {Fault: webauthtest.FaultStale},
		"too early":                        {Fault: webauthtest.FaultFuture},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			s.fake.Next(outcome)
			a := b.get(longTarget("/private/page"))
			require.NotEmpty(t, a.kind())
			require.Equal(t, []string{s.url + longTarget("/private/page"), s.url + "/"}, a.links())
			assert.Equal(t, longTarget("/private/page"), b.get(a.links()[0]).requireEcho("test0001").RequestURI)
		})
	}
}

// Somebody who cancels, goes back and logs in after all gets the whole address too.
func TestLongTargetAfterCancelAndBack(t *testing.T) { eachKind(t, testLongTargetAfterCancelAndBack) }

func testLongTargetAfterCancelAndBack(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	location := b.begin(longTarget("/private/page"))
	b.get(s.respond(location, "test0001", webauthtest.Cancels)).requirePage(http.StatusOK, "cancelled")
	page := b.get(s.respond(location, "test0001")).requirePage(http.StatusOK, "confirm-login")
	assert.Equal(t, longTarget("/private/page"), b.get(page.links()[0]).requireEcho("test0001").RequestURI)
	assert.Empty(t, b.parked(s.fake.arrives("/private/page")))
}

// A response that comes twice changes nothing, and its person is told what is missing.
func TestLongTargetTwice(t *testing.T) { eachKind(t, testLongTargetTwice) }

func testLongTargetTwice(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	back := s.respond(b.begin(longTarget("/private/page")), "test0001")
	id := b.get(back).requireEcho("test0001").Identity
	b.get(back).requirePage(http.StatusOK, "target-lost")
	assert.Equal(t, id, b.get("/private/").requireEcho("test0001").Identity)
}
