package wlsbridge_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/internal/browsertest"
)

// TestInBrowsers takes a person in real browsers from a site to the login and the question, and
// back: browsers apply the question's Content-Security-Policy to where its answer leads.
func TestInBrowsers(t *testing.T) {
	browsertest.Each(t, func(t *testing.T, tab *browsertest.Tab) {
		w, one, two := twoSites(t, setup{})
		w.fake.AddUser(userNamed("spqr1"))
		tab.Open(one.url + "/private/?q=caf%C3%A9")
		tab.See("#pwd")
		tab.Value(`(document.querySelector("#userid").value = "spqr1", document.querySelector("#pwd").value = "test", "")`)
		tab.Click("button[name=login]")
		tab.See("[data-page=bridge-confirm]")
		host, _ := url.Parse(one.url)
		assert.Equal(t, "http://"+host.Host, tab.Value("document.querySelector('strong').textContent"))
		assert.Equal(t, "700", tab.Value("getComputedStyle(document.querySelector('strong')).fontWeight"), "in bold")
		tab.Click("button[value=continue]")
		assert.Equal(t, `spqr1 ["current"] auth "pwd" sso []`, tab.Until("document.querySelector('[data-page]') ? '' : document.body.textContent"))
		assert.Equal(t, one.url+"/private/?q=caf%C3%A9", tab.Value("location.href"))

		tab.Open(two.url + "/private/")
		tab.See("[data-page=bridge-confirm]")
		tab.Click("button[value=cancel]")
		tab.See("[data-page=cancelled]")
		assert.Equal(t, two.url, tab.Value("location.origin"))
	})
}
