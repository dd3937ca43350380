package glue_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// restarting is the memory of a site that loses it.
type restarting struct {
	webauth.OneUse
	now func() time.Time
}

func (m *restarting) restart() { m.OneUse = webauth.NewMemoryOneUse(0, m.now) }

// TestAfterALostMemory has people told what happened, and what is not to blame: no clock,
// no cookie, no second click.
func TestAfterALostMemory(t *testing.T) { eachKind(t, testAfterALostMemory) }

func testAfterALostMemory(t *testing.T, kind kind) {
	const login = "/private/"
	for _, tt := range []struct {
		name   string
		before func(s *testSite) (*browser, func() answer) // gives what the browser does afterwards
		wait   time.Duration                               // before and after the restart
		page   string
		reason string
	}{
		{"a response on its way", func(s *testSite) (*browser, func() answer) {
			b := s.browser("test0001")
			back := s.respond(b.begin(login), "test0001")
			return b, func() answer { return b.get(back) }
		}, time.Second, "forgotten", "forgotten"},
		{"a person at the login service", func(s *testSite) (*browser, func() answer) {
			b := s.browser("test0001")
			location := b.begin(login)
			return b, func() answer { return b.get(s.respond(location, "test0001")) }
		}, time.Minute, "forgotten", "forgotten"},
		{"the same without a cookie, which is what to mend first", func(s *testSite) (*browser, func() answer) {
			b := s.browser("test0001")
			location := b.begin(login)
			return b, func() answer { b.dropCookies("login"); return b.get(s.respond(location, "test0001")) }
		}, time.Minute, "cookies", "token"},
		{"one who is asked whether it is them", func(s *testSite) (*browser, func() answer) {
			b := s.browser("test0001")
			button := b.askedWho(b.failed(login, quirks(webauthtest.QuirkV1Cancel)), "test0001").links()[0]
			return b, func() answer { return b.get(button) }
		}, time.Second, "forgotten", "confirm"},
		{"a form that is kept", func(s *testSite) (*browser, func() answer) {
			b, page := kept(s)
			return b, func() answer {
				b.get(login).requireEcho("test0001")
				return b.continues(page)
			}
		}, time.Second, "form-forgotten", "kept-form"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			memory := &restarting{}
			s := startSite(t, setup{kind: kind, config: func(c *config) {
				memory.now = c.Now
				memory.restart()
				c.OneUse = memory
			}})
			b, then := tt.before(s)
			s.advance(tt.wait)
			memory.restart()
			s.advance(tt.wait)
			page := then().requirePage(http.StatusForbidden, tt.page)
			assert.Equal(t, tt.reason, s.lastEvent(glue.EventRefused).Reason)
			if tt.page != "cookies" {
				assert.Contains(t, page.Body, "restarted")
				assert.Contains(t, s.lastEvent(glue.EventRefused).Err.Error(), "memory of what was used")
			}
			if tt.page == "forgotten" {
				b.get(page.links()[0]).requireEcho("test0001")
			}
		})
	}
}

// TestRepeatedAfterALostMemory: who is logged in already is sent on.
func TestRepeatedAfterALostMemory(t *testing.T) { eachKind(t, testRepeatedAfterALostMemory) }

func testRepeatedAfterALostMemory(t *testing.T, kind kind) {
	memory := &restarting{}
	s := startSite(t, setup{kind: kind, config: func(c *config) {
		memory.now = c.Now
		memory.restart()
		c.OneUse = memory
	}})
	b := s.browser("test0001")
	back := s.respond(b.begin("/private/page"), "test0001")
	b.get(back).requireEcho("test0001")
	s.advance(time.Second)
	memory.restart()
	b.get(back).requireEcho("test0001")
	assert.Equal(t, []string{"login", "repeated"}, s.eventNames())
	assert.Equal(t, "forgotten", s.lastEvent(glue.EventRepeated).Reason)
}
