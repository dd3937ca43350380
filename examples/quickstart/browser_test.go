package main

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	pagedomain "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// TestBrowser plays people at a real browser. What a page shows is found by the names
// in data-page and by ids.
func TestBrowser(t *testing.T) {
	browser := demotest.Chromium(t, "{}")
	t.Run("mistypes the password", func(t *testing.T) { // any will do at the fake provider
		p := start(t)
		mistypes(t, p, openTab(t, browser, p))
	})
	for _, c := range []struct {
		name     string
		scenario func(t *testing.T, p *quickstart, b *tab)
	}{
		{"logs in", logsIn},
		{"cancels", cancels},
		{"steps up", stepsUp},
		{"posts too late", postsTooLate},
		{"goes back", goesBack},
		{"has two tabs", hasTwoTabs},
		{"logs out", logsOut},
		{"is logged in elsewhere", isLoggedInElsewhere},
		{"leaves a script running", leavesAScriptRunning},
		{"has no mouse", hasNoMouse},
	} {
		for _, login := range logins {
			t.Run(c.name+", "+login, func(t *testing.T) {
				p := start(t, "-login", login)
				c.scenario(t, p, openTab(t, browser, p))
			})
		}
	}
}

// TestBrowser_noCookies plays somebody whose browser keeps no cookies.
func TestBrowser_noCookies(t *testing.T) {
	p := start(t)
	b := openTab(t, demotest.Chromium(t, `{"profile": {"default_content_setting_values": {"cookies": 2}}}`), p)
	b.open("/private")
	b.Expects("status of 403")
	b.LogIn("test0001", "test")
	b.seesPage("cookies", "")
	assert.Contains(t, b.Text("body"), "Allow cookies for this site")
	b.Follow("main a") // Try again
	b.seesLogin()
}

func logsIn(t *testing.T, p *quickstart, b *tab) {
	b.open("/")
	b.seesPage("front", "")
	b.Follow(`nav a[href="/private"]`)
	b.seesLogin()
	if !p.oidc { // which has no words of the site's
		assert.Contains(t, b.Text("body"), "the go-webauth quickstart")
	}
	b.LogIn("test0001", "test")
	b.seesPage("private", "test0001")
	assert.Equal(t, p.url+"/private", b.Address(), "no trace of the response")
	b.Follow(`nav a[href="/form"]`)
	b.seesPage("form", "test0001")
	b.Do(chromedp.SetValue(chromedp.ID("note"), "buy milk"))
	b.Follow("form button")
	b.seesPage("form", "test0001")
	assert.Equal(t, "buy milk", demotest.Eval[string](b.Tab, `document.querySelector("#notes").innerText`))
}

func mistypes(t *testing.T, p *quickstart, b *tab) {
	b.open("/private?a=1")
	b.Expects("status of 403")
	b.LogIn("test0001", "tset")
	b.Sees(`[role="alert"]`)
	assert.Equal(t, "test0001", demotest.Eval[string](b.Tab, `document.querySelector("#userid").value`))
	b.LogIn("test0001", "test")
	b.seesPage("private", "test0001")
	assert.Equal(t, p.url+"/private?a=1", b.Address())
}

func cancels(t *testing.T, p *quickstart, b *tab) {
	b.open("/private")
	b.Follow(`button[name="cancel"]`)
	b.seesPage("cancelled", "")
	b.Follow("main a") // Log in after all
	b.LogIn("test0002", "test")
	b.seesPage("private", "test0002")
}

// stepsUp needs a password typed in the last five minutes.
func stepsUp(t *testing.T, p *quickstart, b *tab) {
	b.open("/private")
	b.LogIn("test0001", "test")
	b.Follow(`nav a[href="/admin"]`)
	b.seesPage("admin", "test0001") // it was typed just now
	p.Advance(6 * time.Minute)
	b.Follow(`nav a[href="/private"]`)
	b.seesPage("private", "test0001")
	b.Follow(`nav a[href="/admin"]`)
	b.seesLogin()
	assert.Contains(t, b.Text("body"), "It wants you to type your password")
	b.LogIn("test0001", "test")
	b.seesPage("admin", "test0001")
}

func postsTooLate(t *testing.T, p *quickstart, b *tab) {
	b.open("/form")
	b.LogIn("test0001", "test")
	b.Do(chromedp.SetValue(chromedp.ID("note"), "a long & precious note"))
	p.Advance(11 * time.Hour) // single sign-on has ended, too
	b.Expects("status of 401", "status of 401")
	b.Follow("form button")
	b.seesPage("form-kept", "")
	b.Follow("form button") // too early
	b.seesPage("form-kept", "")

	second := &tab{b.FollowToNewTab("main a"), t, p}
	second.seesLogin()
	second.LogIn("test0001", "test")
	second.seesPage("go-back", "")
	second.Close()

	b.Follow("form button")
	b.seesPage("form", "test0001")
	assert.Equal(t, p.url+"/form", b.Address())
	assert.Equal(t, "a long & precious note", demotest.Eval[string](b.Tab, `document.querySelector("#notes").innerText`))
}

// goesBack to the login form, which has done its work.
func goesBack(t *testing.T, p *quickstart, b *tab) {
	b.open("/")
	b.Follow(`nav a[href="/private"]`)
	b.LogIn("test0001", "test")
	b.seesPage("private", "test0001")
	b.moves(-1)
	b.seesPage("private", "test0001")
	assert.Equal(t, p.url+"/private", b.Address())
	b.Follow(`nav a[href="/form"]`)
	b.seesPage("form", "test0001")
}

func hasTwoTabs(t *testing.T, p *quickstart, b *tab) {
	second := b.another()
	b.open("/private")
	second.open("/form")
	b.seesLogin()
	second.seesLogin()
	b.LogIn("test0001", "test")
	b.seesPage("private", "test0001")
	second.LogIn("test0001", "test")
	second.seesPage("form", "test0001")

	// One steps up while the other goes on.
	p.Advance(6 * time.Minute)
	b.open("/admin")
	b.seesLogin()
	second.Follow(`nav a[href="/private"]`)
	second.seesPage("private", "test0001")
	b.LogIn("test0001", "test")
	b.seesPage("admin", "test0001")
	second.Follow(`nav a[href="/admin"]`)
	second.seesPage("admin", "test0001")
}

// logsOut here and at the login service. The back button shows nothing private after
// that, although the browser keeps pages for it as they were.
func logsOut(t *testing.T, p *quickstart, b *tab) {
	b.open("/private")
	b.LogIn("test0001", "test")
	b.Follow(`nav a[href="/optional"]`)

	second := b.another()
	second.open("/optional")
	second.open("/private")
	assert.True(t, second.moves(-1), "this browser keeps no pages, so the rest would show nothing")
	second.seesPage("optional", "test0001")

	b.Follow(`nav a[href="/logout"]`)
	b.Follow("form button")
	b.seesPage("logged-out", "")
	b.Follow("main a.button") // at the login service as well
	assert.Contains(t, b.Text("body"), "You are logged out")

	assert.False(t, b.moves(-3))
	b.seesPage("optional", "")
	assert.False(t, b.moves(-1)) // to the private page
	b.seesLogin()
	assert.False(t, second.moves(1))
	second.seesLogin()
}

func isLoggedInElsewhere(t *testing.T, p *quickstart, b *tab) {
	elsewhere := start(t, p.elsewhere()...)
	b.Do(chromedp.Navigate(elsewhere.url + "/private"))
	b.LogIn("test0001", "test")
	b.seesPage("private", "test0001")

	b.open("/")
	b.seesPage("front", "") // not before the browser has returned our cookie
	b.open("/")
	b.seesPage("front", "test0001")
	assert.Equal(t, p.url+"/", b.Address())
	b.Follow(`nav a[href="/private"]`)
	b.seesPage("private", "test0001")
	assert.Contains(t, b.Text("body"), "single sign-on after pwd")
}

// leavesAScriptRunning in one tab while the other logs out.
func leavesAScriptRunning(t *testing.T, p *quickstart, b *tab) {
	const fetch = `fetch("/private", {headers: {Accept: "application/json"}}).then(r => r.status + " " + r.redirected)`
	b.open("/private")
	b.LogIn("test0001", "test")
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, pagedomain.SetBypassCSP, pagedomain.SetBypassCSPParams{Enabled: true}) // else there is no script
		return err
	}))
	b.open("/private")
	assert.Equal(t, "200 false", demotest.Eval[string](b.Tab, fetch))

	second := b.another()
	second.open("/logout")
	second.Follow("form button")
	second.seesPage("logged-out", "")
	b.Expects("status of 401")
	assert.Equal(t, "401 false", demotest.Eval[string](b.Tab, fetch))
}

func hasNoMouse(t *testing.T, p *quickstart, b *tab) {
	b.open("/")
	b.tabsTo(`nav a[href="/private"]`)
	b.Goes(chromedp.KeyEvent(kb.Enter))
	b.seesLogin()
	b.Do(chromedp.KeyEvent("test0001")) // it has the focus
	b.tabsTo("#pwd")
	b.Do(chromedp.KeyEvent("test"))
	b.Goes(chromedp.KeyEvent(kb.Enter))
	b.seesPage("private", "test0001")
	b.tabsTo(`nav a[href="/logout"]`)
	b.Goes(chromedp.KeyEvent(kb.Enter))
	b.seesPage("logout", "")
	b.tabsTo("form button")
	b.Goes(chromedp.KeyEvent(" "))
	b.seesPage("logged-out", "")
}
