package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBrowser plays a person at a real browser: with a token of their own, and with the
// application of somebody else. The pages must work without script as well.
func TestBrowser(t *testing.T) {
	browser := launch(t)
	for _, c := range []struct {
		name   string
		script bool
	}{
		{"with script", true},
		{"without script", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			b := openTab(t, browser, p)
			if !c.script {
				b.withoutScript()
			}
			usesAToken(t, p, b)
			usesAnApplication(t, p, b)
		})
	}
}

func usesAToken(t *testing.T, p *program, b *tab) {
	b.open(p.at.site)
	b.seesPage("front")
	b.press(`nav a[href="/login"]`)
	b.logIn("test0001")
	b.seesPage("front")
	b.press(`nav a[href="/oauth/settings/tokens"]`)
	b.seesPage("tokens")
	b.press(`a[href="/oauth/settings/tokens/new"]`)
	b.seesPage("token-new")

	// First without a name.
	b.tick(`label[for="scopes-1-1"]`)
	b.expects("status of 422")
	b.press(`form button`)
	b.sees("#name-error")
	assert.True(t, eval[bool](b, `document.getElementById("scopes-1-1").checked`), "what was ticked is kept")
	b.fill("name", "laptop")
	b.tick(`label[for="scopes-1-2"]`)
	b.press(`form button`)
	b.seesPage("token-made")
	token := b.value("secret")
	require.Regexp(t, `^wlsp_[0-9A-Za-z]{49}$`, token)
	assert.Equal(t, p.at.site+"/oauth/settings/tokens/new", b.address(), "no secret in the address")

	assert.Equal(t, http.StatusCreated, p.call("POST", "/api/records", token, `{"title":"Milk","text":"two pints"}`).StatusCode)
	b.open(p.at.site)
	assert.Contains(t, b.text("#records"), "Milk: two pints")

	b.open(p.at.site + "/oauth/settings/tokens")
	b.seesPage("tokens")
	assert.Contains(t, b.text(".items"), "Add, change and delete your records.")
	assert.NotContains(t, b.text("body"), token)
	b.tick("details summary")
	b.press("details button")
	b.sees(".notice")
	assert.Equal(t, "You have no tokens.", b.text(".empty"))
	assert.Equal(t, http.StatusUnauthorized, p.call("GET", "/api/records", token, "").StatusCode)
}

func usesAnApplication(t *testing.T, p *program, b *tab) {
	b.open(p.at.app)
	b.seesPage("setup")
	callback := b.text("#callback")
	b.open(p.at.site + "/oauth/settings/applications")
	b.seesPage("apps")
	b.press(`a[href="/oauth/settings/applications/new"]`)
	b.seesPage("app-form")
	b.fill("name", "Reader")
	b.fill("description", "Reads what you keep.")
	b.tick(`label[for="kind-confidential"]`)
	b.fill("redirects", callback)
	b.press("form button")
	b.seesPage("secret")
	id, secret := b.value("client-id"), b.value("secret")
	require.Regexp(t, `^wlss_[0-9A-Za-z]{49}$`, secret)

	b.open(p.at.app)
	b.fill("client-id", id)
	b.fill("secret", secret)
	b.press("form button")
	b.seesPage("connect")

	// Not at first.
	b.press("#connect")
	b.seesPage("consent")
	assert.Contains(t, b.text("main"), "Add, change and delete your records.")
	assert.Contains(t, b.text("main"), "Reads what you keep.")
	b.press(`button[value="deny"]`)
	b.seesPage("connect")
	assert.Contains(t, b.text("#heard"), "access_denied")
	b.press("#connect")
	b.seesPage("consent")
	b.press(`button[value="allow"]`)
	b.seesPage("connected")
	assert.Equal(t, p.at.app+"/", b.address())

	b.press("#read")
	assert.Contains(t, b.text("#heard"), "two pints")
	b.fill("title", "Bread")
	b.press("#add")
	assert.Contains(t, b.text("#heard"), "Bread")
	b.press("#refresh")
	assert.Contains(t, b.text("#heard"), "new tokens")
	b.press("#read")
	assert.Contains(t, b.text("#heard"), "Bread")

	// Given back, and again without being asked: the consent is remembered.
	b.press("#disconnect")
	b.seesPage("connect")
	b.press("#connect")
	b.seesPage("connected")

	// Revoked on the site.
	b.open(p.at.site + "/oauth/settings/authorised")
	b.seesPage("authorised")
	assert.Contains(t, b.text(".items"), "Reader")
	b.tick("details summary")
	b.press("details button")
	b.sees(".notice")
	b.open(p.at.app)
	b.press("#read")
	assert.Contains(t, b.text("#heard"), "Refused: 401")
	b.press("#refresh")
	assert.Contains(t, b.text("#heard"), "invalid_grant")
	b.press("#connect")
	b.seesPage("consent")
}
