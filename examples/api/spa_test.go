package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
)

// startWithLibrary runs the program with a library that is registered, and set up by id and
// secret.
func startWithLibrary(t *testing.T) (p *api, id, secret string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "api.db")
	first := start(t, "-db", file)
	id, secret = first.person(developer).application("confidential")
	first.End()
	return start(t, "-db", file, "-resource-server", id), id, secret
}

// TestBrowser_page plays a person at a real browser who uses an application that runs there,
// on a page of another origin: it gets tokens, and calls the API of the site and that of the
// library.
func TestBrowser_page(t *testing.T) {
	browser := demotest.Chromium(t, "{}")
	p, libraryID, librarySecret := startWithLibrary(t)
	b := demotest.OpenTab(t, browser)

	b.Open(p.at.library)
	b.SeesPage("setup")
	b.Fill("client-id", libraryID)
	b.Fill("secret", librarySecret)
	b.Follow("form button")
	b.SeesPage("ready")

	b.Open(p.at.spa)
	b.SeesPage("setup")
	axetest.Look(t, b.Ctx, "setup")
	callback := b.Text("#callback")
	b.Open(p.at.site + "/oauth/settings/applications/new")
	b.LogIn(developer, "test")
	b.SeesPage("app-form")
	b.Fill("name", "Pocket")
	b.Click(`label[for="kind-public"]`)
	b.Fill("redirects", callback)
	b.Follow("form button")
	b.SeesPage("app")
	id := b.Text("#client-id")

	b.Open(p.at.spa)
	b.Fill("client-id", id)
	b.Click("#setup-button")
	b.SeesPage("connect")
	axetest.Look(t, b.Ctx, "connect")
	b.Follow("#connect-button")
	b.SeesPage("consent")
	assert.Contains(t, b.Text("main"), "See what you have borrowed.")
	b.Follow(`button[value="deny"]`)
	b.SeesPage("connect")
	hears(b, "Refused: access_denied")
	authorise(b)
	assert.Equal(t, p.at.spa+"/", b.Address(), "no code in the address")

	b.Click("#read")
	hears(b, `"records": []`)
	b.Fill("title", "Bread")
	b.Click("#add")
	hears(b, "Added by a page of another origin.")
	b.Click("#loans")
	hears(b, "Principia")
	axetest.Look(t, b.Ctx, "connected")
	b.Click("#refresh")
	hears(b, "new tokens")
	b.Click("#read")
	hears(b, "Bread")
	othersReadNothing(t, p, b, id)

	// Given back, and revoked on the site.
	b.Click("#disconnect")
	hears(b, "given back")
	authorise(b)
	settings := b.Another()
	settings.Open(p.at.site + "/oauth/settings/authorised")
	settings.Click("details summary")
	settings.Follow("details button")
	settings.Sees(".notice")
	b.Expects("status of 401", "status of 401", "status of 400")
	b.Click("#loans")
	hears(b, "Refused: 401")
	b.Click("#read")
	hears(b, "Refused: 401")
	b.Click("#refresh")
	hears(b, "Refused: invalid_grant")
}

func authorise(b *demotest.Tab) {
	b.T.Helper()
	b.Follow("#connect-button")
	b.SeesPage("consent")
	b.Follow(`button[value="allow"]`)
	b.SeesPage("connected")
	hears(b, "lets this page act for you")
}

// hears waits for the page to say what came of something.
func hears(b *demotest.Tab, text string) {
	b.T.Helper()
	demotest.Eval[bool](b, `new Promise((done) => {
		const heard = document.getElementById("heard");
		const look = () => heard.textContent.includes(`+strconv.Quote(text)+`) && done(true);
		new MutationObserver(look).observe(heard, { childList: true });
		look();
	})`)
}

// othersReadNothing has pages try to read what the person could, whose browser it is: the
// application's own page by the session, and a page of another port of the site's own host,
// to which the browser sends the session's cookie along, by that and as the application.
func othersReadNothing(t *testing.T, p *api, b *demotest.Tab, id string) {
	t.Helper()
	for _, page := range []string{p.at.spa, strings.Replace(p.at.spa, "127.0.0.1", "localhost", 1)} {
		stranger := b.Another()
		stranger.Stranger = true
		stranger.Open(page)
		stranger.SeesPage("setup")
		tries := func(path, options string) string {
			return demotest.Eval[string](stranger, `fetch("`+p.at.site+path+`", `+options+`).then((a) => a.text(), () => "refused")`)
		}
		for name, got := range map[string]string{
			"by the session":             tries("/api/records", `{ credentials: "include" }`),
			"something to change":        tries("/api/records", `{ credentials: "include", method: "POST", body: "{}" }`),
			"what a script must send":    tries("/oauth/csrf", `{ credentials: "include" }`),
			"introspection":              tries("/oauth/introspect", `{ method: "POST", body: new URLSearchParams({ token: "x" }) }`),
			"another, without a session": tries("/", `{}`),
		} {
			assert.Equal(t, "refused", got, "%s: %s", page, name)
		}
		got := tries("/oauth/token", `{ method: "POST", body: new URLSearchParams({ client_id: "`+id+`", grant_type: "refresh_token", refresh_token: "x" }) }`)
		if page == p.at.spa {
			assert.Contains(t, got, "invalid_grant", "its own page is told what is wrong")
		} else {
			assert.Equal(t, "refused", got)
		}
		stranger.Close()
	}
	assert.Contains(t, p.Stderr.String(), "reason=cross-origin")
}
