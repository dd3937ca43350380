package glue_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// moving is a site that moves from Ucam-WebAuth to OpenID Connect: before, meanwhile, and after.
type moving struct {
	*testSite // whose login service is the old one
	provider  *fakeProvider
	handler   http.Handler
	edit      func(c *config)
	secret    string
	people    []change
}

func newMoving(t *testing.T, edit func(c *config)) *moving {
	m := &moving{edit: edit, provider: newFakeProvider(t).(*fakeProvider), secret: rand.Text() + rand.Text()}
	m.testSite = startSite(t, setup{
		wrap: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) })
		},
	})
	m.before()
	return m
}

// as serves the site with this configuration.
func (m *moving) as(edit func(c *config)) {
	m.t.Helper()
	c := m.config(m.url)
	c.Secret, c.LoginPath = m.secret, "/login"
	c.OnPersonChange = func(_ http.ResponseWriter, _ *http.Request, from, to glue.Identity) {
		m.people = append(m.people, change{from.Principal, to.Principal, ""})
	}
	edit(&c)
	if m.edit != nil {
		m.edit(&c)
	}
	var err error
	m.auth, err = newAuth(c)
	require.NoError(m.t, err)
	m.handler = m.testSite.handler(setup{routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/admin", func(p *glue.Policy) { p.Fresh = 5 * time.Minute })
	}})
}

func (m *moving) oidc() *oidclogin.Provider {
	p := m.provider.service().(*oidclogin.Provider)
	p.Title = "the new account"
	return p
}

func (m *moving) before() { m.as(func(*config) {}) }

func (m *moving) meanwhile() {
	m.as(func(c *config) {
		c.Also = []webauth.LoginService{c.Service}
		c.Service = m.oidc()
		c.Policy.Allow = func(*http.Request, glue.Identity) bool { return true }
	})
}

func (m *moving) after() {
	m.as(func(c *config) {
		c.Service = m.oidc()
		c.Policy.Allow = func(*http.Request, glue.Identity) bool { return true }
	})
}

func (m *moving) advance(d time.Duration) { m.testSite.advance(d); m.provider.Advance(d) }

// TestMovingToAnotherService: nobody notices but at their next login.
func TestMovingToAnotherService(t *testing.T) {
	for name, edit := range map[string]func(c *config){
		"sessions in cookies": nil,
		"in a store":          inStore(sessions.NewFilesystemStore(t.TempDir(), storeKey())),
		"with a last use":     func(c *config) { c.Session.Inactivity = time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMoving(t, edit)
			writes, form := kept(m.testSite) // hours later
			m.provider.SetNow(m.fake.Now())
			old := m.loggedIn("test0001")
			late := m.browser("test0003")
			onItsWay := m.respond(late.begin("/private/late"), "test0003")
			asks := m.browser("test0004")
			button := asks.askedWho(asks.failed("/private/page", webauthtest.Outcome{}), "test0004").links()[0]

			m.meanwhile()
			id := old.get("/private/").requireEcho("test0001").Identity
			assert.Empty(t, id.Subject, "the session of before")
			late.get(onItsWay).requireEcho("test0003")
			asks.get(button).requireEcho("test0004")

			// A new login is at the new service, and brings the form back.
			location := m.beginNew(writes, "/private/")
			back, err := m.provider.Respond(location, "test0001")
			require.NoError(t, err)
			assert.NotEmpty(t, writes.get(back).requireEcho("test0001").Identity.Subject)
			assertSent(m.testSite, writes.continues(form).requireEcho("test0001"))

			// Each logs out where they logged in.
			assert.Contains(t, writes.post("/logout", nil).requirePage(http.StatusOK, "logged-out").links(), m.provider.logoutPage())
			assert.Contains(t, late.post("/logout", nil).requirePage(http.StatusOK, "logged-out").links(), m.fake.logoutPage())

			m.after()
			old.stopped(m.provider.StopAtLogin, "/optional").requireEcho("") // it is over
			m.beginNew(old, "/private/")
		})
	}
}

// beginNew opens a page and stops where the site sends the browser to the new service.
func (m *moving) beginNew(b *browser, target string) string {
	m.t.Helper()
	a := b.stopped(m.provider.StopAtLogin, target)
	require.Equal(m.t, http.StatusSeeOther, a.StatusCode, "page %q", a.kind())
	require.True(m.t, strings.HasPrefix(a.location(), m.provider.page()+"?"), a.location())
	return a.location()
}

// TestAnswersOfTwoServices: an answer is good for the service that was asked, alone.
func TestAnswersOfTwoServices(t *testing.T) {
	m := newMoving(t, nil)
	b := m.browser("test0001")
	old := b.begin("/login?next=/private/")
	m.meanwhile()
	fresh := m.beginNew(b, "/private/page")
	answer, err := m.provider.Respond(fresh, "test0001")
	require.NoError(t, err)
	response := m.respond(old, "test0001")
	_, query, _ := strings.Cut(response, "?")
	b.get(answer+"&"+query).requirePage(http.StatusBadRequest, "malformed")
	assert.Nil(t, b.cookie("session"))
	for _, spent := range []string{answer, response} { // both
		b.get(spent)
		assert.Nil(t, b.cookie("session"), spent)
	}
}

// TestChooseService: a page with a link for each service, of which one may be down.
func TestChooseService(t *testing.T) {
	choose := func(c *config) { c.ChooseService = c.Also != nil }
	t.Run("each logs in", func(t *testing.T) {
		m := newMoving(t, choose)
		m.meanwhile()
		for i, start := range []string{m.provider.page(), m.fake.page()} {
			b := m.browser("test0001")
			links := b.get("/private/page?n=1").requirePage(http.StatusOK, "choose-login").links()
			require.Len(t, links, 2)
			require.True(t, strings.HasPrefix(links[i], start), links[i])
			back := ""
			var err error
			if i == 0 {
				back, err = m.provider.Respond(links[i], "test0001")
			} else {
				back, err = m.fake.Respond(links[i], "test0001")
			}
			require.NoError(t, err)
			a := b.get(back)
			a.requireEcho("test0001")
			assert.Equal(t, m.url+"/private/page?n=1", a.Request.URL.String())
		}
	})
	t.Run("one is down", func(t *testing.T) {
		m := newMoving(t, choose)
		m.provider.Provider.Always(oidctest.Outcome{Fault: oidctest.FaultDiscoveryDown})
		m.meanwhile()
		links := m.browser("test0001").get("/private/").requirePage(http.StatusOK, "choose-login").links()
		require.Len(t, links, 1)
		assert.True(t, strings.HasPrefix(links[0], m.fake.page()))
		assert.EqualValues(t, webauth.ReasonProvider, m.lastEvent(glue.EventServiceError).Reason)
	})
	t.Run("a long address", func(t *testing.T) {
		m := newMoving(t, choose)
		m.meanwhile()
		b := m.browser("test0001")
		links := b.get(longTarget("/private/page")).requirePage(http.StatusOK, "choose-login").links()
		require.Len(t, links, 2)
		back, err := m.provider.Respond(links[0], "test0001")
		require.NoError(t, err)
		assert.Equal(t, longTarget("/private/page"), b.get(back).requireEcho("test0001").RequestURI)
		b.post("/logout", nil)
		u, _ := url.Parse(m.url + "/private/page")
		for _, c := range b.client.Jar.Cookies(u) {
			assert.NotContains(t, c.Name, "wls-target")
		}
	})
}

// TestPersonOfBothServices: the same person by another name is another person to the site.
func TestPersonOfBothServices(t *testing.T) {
	for claim, want := range map[string][]change{"sub": nil, "upn": {{"test0001", "test0001@cam.ac.uk", ""}}} {
		t.Run(claim, func(t *testing.T) {
			m := newMoving(t, nil)
			b := m.loggedIn("test0001")
			m.as(func(c *config) {
				c.Also = []webauth.LoginService{c.Service}
				p := m.oidc()
				p.PrincipalClaim = claim
				c.Service = p
				c.Policy.Allow = func(*http.Request, glue.Identity) bool { return true }
			})
			m.advance(10 * time.Minute)
			back, err := m.provider.Respond(m.beginNew(b, "/admin"), "test0001")
			require.NoError(t, err)
			b.get(back)
			assert.Equal(t, want, m.people)
		})
	}
}

// TestFormerMembersDuringAMove: what a policy says of the old service's people stays, unless it
// says aloud that anybody may come in.
func TestFormerMembersDuringAMove(t *testing.T) {
	m := newMoving(t, nil)
	former := m.browser("test0010")
	former.get("/private/").requirePage(http.StatusForbidden, "forbidden")
	m.meanwhile()
	former.get("/private/").requirePage(http.StatusForbidden, "forbidden")
	m.as(func(c *config) {
		c.Also, c.Service = []webauth.LoginService{c.Service}, m.oidc()
		c.Policy.AnyPtags = true
	})
	former.get("/private/").requireEcho("test0010")
}
