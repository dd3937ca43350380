package certified_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/internal/browsertest"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// TestBrowsers: a person logs in, in two tabs, goes back, types the password once more, and
// logs out of the site and the provider.
func TestBrowsers(t *testing.T) {
	p := startProvider(t)
	browsertest.Each(t, func(t *testing.T, tab *browsertest.Tab) {
		p.t = t
		s := newSite(t, p, func(_ *enginetest.OIDCClient, _ *oidclogin.Provider, _ *site.Config, cfg *glue.Config) {
			cfg.LogoutAtWLS, cfg.AfterLogout = true, "/optional"
		})
		b := &person{tab, s}
		tab.Open(s.url + "/private/first?a=b")
		second := &person{tab.NewTab(), s}
		second.Open(s.url + "/private/second")
		b.cancels()
		b.See("main.alone")
		assert.Contains(t, b.Value("document.title"), "You cancelled the login")
		b.Leave(func() { b.Click("main.alone a") }) // try again
		b.logsIn()
		b.sees("/private/first?a=b", "spqr1")
		second.logsIn() // the form was shown already
		second.sees("/private/second", "spqr1")

		b.Leave(func() { b.Open(s.url + "/optional") })
		b.sees("/optional", "spqr1")
		b.Value("(history.back(), '')")
		b.sees("/private/first?a=b", "spqr1")

		b.Leave(func() { b.Open(s.url + "/admin") })
		b.logsIn()
		b.sees("/admin", "spqr1")

		b.Leave(func() { b.Open(s.url + "/logout") })
		b.Leave(func() { b.Click("main.alone button") })
		b.Leave(func() { b.Click("[name=logout]") })
		b.sees("/optional", "")
		b.Leave(func() { b.Open(s.url + "/private/") })
		b.See("[name=password]")
	})
}

// person is somebody at a tab.
type person struct {
	*browsertest.Tab
	s *testSite
}

// logsIn fills in the provider's form.
func (b *person) logsIn() {
	b.See("[name=password]")
	b.Leave(func() {
		b.Value("(document.querySelector('[name=name]').value = 'spqr1', document.querySelector('[name=password]').value = 'test', '')")
		b.Click("[value=login]")
	})
}

func (b *person) cancels() { b.Leave(func() { b.Click("[value=cancel]") }) }

// sees waits for a page of the site, for a person, who tries again as a page says where the
// provider, on a busy machine, is slower than the site waits for it.
func (b *person) sees(target, principal string) {
	path, _, _ := strings.Cut(target, "?")
	const down = "[data-page=login-down] a.button"
	here := "document.querySelector('#who')?.textContent.startsWith(" + strconv.Quote(principal+" sees "+path+":") + ") && location.href == " + strconv.Quote(b.s.url+target)
	for range 5 {
		if b.Until(here+" ? 'yes' : document.querySelector('"+down+"') ? 'down' : ''") == "yes" {
			return
		}
		b.Leave(func() { b.Click(down) })
	}
	b.Until(here + " ? 'yes' : ''")
}
