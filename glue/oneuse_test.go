package glue_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// deaf is a OneUse that a context stops, as one in another process may be: before it has
// marked the item, or after that, when its answer is on the way.
type deaf struct {
	webauth.OneUse
	before bool
}

func (o deaf) Once(ctx context.Context, item webauth.Item) error {
	if o.before && ctx.Err() != nil {
		return ctx.Err()
	}
	err := o.OneUse.Once(ctx, item)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// goneHeader on a request makes it one whose browser has gone when it arrives.
const goneHeader = "X-Gone"

func gone(r *http.Request) { r.Header.Set(goneHeader, "yes") }

// whenGone cancels the context of such requests.
func whenGone(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if r.Header.Get(goneHeader) != "" {
			cancel()
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// A browser that goes away leaves nothing half done: what it brought is spent, and what it
// asked for is done, once.
func TestBrowserGoesAway(t *testing.T) { eachKind(t, testBrowserGoesAway) }

func testBrowserGoesAway(t *testing.T, kind kind) {
	for _, when := range []struct {
		name   string
		before bool
	}{{"before the store hears of it", true}, {"before the store answers", false}} {
		start := func(t *testing.T) *testSite {
			return startSite(t, setup{kind: kind, wrap: whenGone, config: func(c *config) {
				c.OneUse = deaf{webauth.NewMemoryOneUse(0, c.Now), when.before}
			}})
		}
		t.Run("with a response, "+when.name, func(t *testing.T) {
			s := start(t)
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/"), "test0001")
			b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			assert.Equal(t, http.StatusSeeOther, b.do(http.MethodGet, back, nil, gone).StatusCode, "logged in all the same")
			b.dropCookies("session")
			b.get(back).requirePage(http.StatusForbidden, "refused")
			assert.EqualValues(t, "replay", s.lastEvent(glue.EventRefused).Reason)
		})
		t.Run("with a response at a host that is not ours, "+when.name, func(t *testing.T) {
			s := start(t)
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/"), "test0001")
			b.do(http.MethodGet, back, nil, func(r *http.Request) { gone(r); r.Host = "evil.example" }).
				requirePage(http.StatusMisdirectedRequest, "misdirected")
			b.get(back).requirePage(http.StatusForbidden, "refused")
			assert.EqualValues(t, "replay", s.lastEvent(glue.EventRefused).Reason)
		})
		t.Run("with a kept form, "+when.name, func(t *testing.T) {
			s := start(t)
			b, page := kept(s)
			b.get("/private/").requireEcho("test0001")
			action, hidden := page.form()
			sent := b.do(http.MethodPost, action, strings.NewReader(hidden.Encode()), func(r *http.Request) { formType(r); gone(r) })
			assertSent(s, sent.requireEcho("test0001"))
			b.continues(page).requirePage(http.StatusForbidden, "form-gone")
		})
		t.Run("with the button after a failure, "+when.name, func(t *testing.T) {
			s := start(t)
			b := s.browser("test0001")
			button := b.askedWho(b.failed("/private/", quirks(webauthtest.QuirkV1Cancel)), "test0001").links()[0]
			b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			assert.Equal(t, http.StatusSeeOther, b.do(http.MethodGet, button, nil, gone).StatusCode, "logged in all the same")
			b.dropCookies("session")
			b.get(button).requirePage(http.StatusForbidden, "refused")
			assert.EqualValues(t, "confirm", s.lastEvent(glue.EventRefused).Reason)
		})
	}
}

// Signed failures need no account where the service signs them; they leave logins, forms
// and each other's kinds their room.
func TestSignedFailuresCrowdNobodyOut(t *testing.T) {
	s := startSite(t, setup{config: func(c *config) { c.OneUse = webauth.NewMemoryOneUse(20, c.Now) }})
	b, page := kept(s)
	s.fake.Always(webauthtest.Outcome{Status: 540})
	for i := range 40 {
		made := url.Values{
			"ver": {"3"}, "url": {s.url + "/private/"}, "iact": {"no"},
			"params": {fmt.Sprintf("1.%d.a.%022d.x", s.fake.Now().Unix(), i)},
		}
		s.browser("").get(s.respond(s.fake.page()+"?"+made.Encode(), "test0001"))
	}
	assert.ErrorIs(t, s.lastEvent(glue.EventStoreError).Err, webauth.ErrFull)
	s.fake.Always(webauthtest.Outcome{})
	b.get("/private/").requireEcho("test0001")
	assertSent(s, b.continues(page).requireEcho("test0001"))
}
