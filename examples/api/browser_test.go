package main

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// TestBrowser plays a person at a real browser: with a token of their own, and with the
// application of somebody else. The pages must work without script as well.
func TestBrowser(t *testing.T) {
	browser := demotest.Chromium(t, "{}")
	for _, c := range []struct {
		name   string
		script bool
	}{
		{"with script", true},
		{"without script", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			b := demotest.OpenTab(t, browser)
			if !c.script {
				b.WithoutScript()
			}
			usesAToken(t, p, b)
			usesAnApplication(t, p, b)
		})
	}
}

func usesAToken(t *testing.T, p *api, b *demotest.Tab) {
	b.Open(p.at.site)
	b.SeesPage("front")
	b.Follow(`nav a[href="/login"]`)
	b.LogIn("test0001", "test")
	b.SeesPage("front")
	b.Follow(`nav a[href="/oauth/settings/tokens"]`)
	b.SeesPage("tokens")
	b.Follow(`a[href="/oauth/settings/tokens/new"]`)
	b.SeesPage("token-new")

	// First without a name.
	b.Click(`label[for="scopes-0-0"]`)
	b.Expects("status of 422")
	b.Follow(`form button`)
	b.Sees("#name-error")
	assert.True(t, demotest.Eval[bool](b, `document.getElementById("scopes-0-0").checked`), "what was ticked is kept")
	b.Fill("name", "laptop")
	b.Click(`label[for="scopes-0-1"]`)
	b.Follow(`form button`)
	b.SeesPage("token-made")
	token := b.Value("secret")
	require.Regexp(t, `^wlsp_[0-9A-Za-z]{49}$`, token)
	assert.Equal(t, p.at.site+"/oauth/settings/tokens/new", b.Address(), "no secret in the address")
	copiesWhole(t, b, token)

	assert.Equal(t, http.StatusCreated, p.call("POST", "/api/records", token, `{"title":"Milk","text":"two pints"}`).StatusCode)
	b.Open(p.at.site)
	assert.Contains(t, b.Text("#records"), "Milk: two pints")

	b.Open(p.at.site + "/oauth/settings/tokens")
	b.SeesPage("tokens")
	assert.Contains(t, b.Text(".items"), "Add, change and delete your records.")
	assert.NotContains(t, b.Text("body"), token)
	b.Click("details summary")
	b.Follow("details button")
	b.Sees(".notice")
	assert.Equal(t, "You have no tokens.", b.Text(".empty"))
	assert.Equal(t, http.StatusUnauthorized, p.call("GET", "/api/records", token, "").StatusCode)
}

// copiesWhole wants the two ways that the page tells of to select a secret, all of it and
// nothing else: by mouse, and, for who has none, by the key that leads to the next field.
func copiesWhole(t *testing.T, b *demotest.Tab, secret string) {
	b.Do(chromedp.DoubleClick(chromedp.ID("secret")))
	assert.Equal(t, secret, demotest.Eval[string](b, `getSelection().toString()`))
	b.Do(chromedp.Click(chromedp.CSS("h1")))
	for range 20 {
		b.Do(chromedp.KeyEvent(kb.Tab))
		if demotest.Eval[string](b, `document.activeElement.id`) == "secret" {
			break
		}
	}
	assert.Equal(t, secret, demotest.Eval[string](b, `getSelection().toString()`))
}

func usesAnApplication(t *testing.T, p *api, b *demotest.Tab) {
	b.Open(p.at.app)
	b.SeesPage("setup")
	callback := b.Text("#callback")
	b.Open(p.at.site + "/oauth/settings/applications")
	b.SeesPage("apps")
	b.Follow(`a[href="/oauth/settings/applications/new"]`)
	b.SeesPage("app-form")
	b.Fill("name", "Reader")
	b.Fill("description", "Reads what you keep.")
	b.Click(`label[for="kind-confidential"]`)
	b.Fill("redirects", callback)
	b.Follow("form button")
	b.SeesPage("secret")
	id, secret := b.Value("client-id"), b.Value("secret")
	require.Regexp(t, `^wlss_[0-9A-Za-z]{49}$`, secret)

	b.Open(p.at.app)
	b.Fill("client-id", id)
	b.Fill("secret", secret)
	b.Follow("form button")
	b.SeesPage("connect")

	// Not at first.
	b.Follow("#connect")
	b.SeesPage("consent")
	assert.Contains(t, b.Text("main"), "Add, change and delete your records.")
	assert.Contains(t, b.Text("main"), "Reads what you keep.")
	b.Follow(`button[value="deny"]`)
	b.SeesPage("connect")
	assert.Contains(t, b.Text("#heard"), "access_denied")
	b.Follow("#connect")
	b.SeesPage("consent")
	b.Follow(`button[value="allow"]`)
	b.SeesPage("connected")
	assert.Equal(t, p.at.app+"/", b.Address())

	b.Follow("#read")
	assert.Contains(t, b.Text("#heard"), "two pints")
	b.Fill("title", "Bread")
	b.Follow("#add")
	assert.Contains(t, b.Text("#heard"), "Bread")
	b.Follow("#refresh")
	assert.Contains(t, b.Text("#heard"), "new tokens")
	b.Follow("#read")
	assert.Contains(t, b.Text("#heard"), "Bread")

	// Given back, and again without being asked: the consent is remembered.
	b.Follow("#disconnect")
	b.SeesPage("connect")
	b.Follow("#connect")
	b.SeesPage("connected")

	// Revoked on the site.
	b.Open(p.at.site + "/oauth/settings/authorised")
	b.SeesPage("authorised")
	assert.Contains(t, b.Text(".items"), "Reader")
	b.Click("details summary")
	b.Follow("details button")
	b.Sees(".notice")
	b.Open(p.at.app)
	b.Follow("#read")
	assert.Contains(t, b.Text("#heard"), "Refused: 401")
	b.Follow("#refresh")
	assert.Contains(t, b.Text("#heard"), "invalid_grant")
	b.Follow("#connect")
	b.SeesPage("consent")
}
