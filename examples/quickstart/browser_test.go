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
)

// TestBrowser plays people at a real browser. What a page shows is found by the names
// in data-page and by ids.
func TestBrowser(t *testing.T) {
	browser := launch(t, "{}")
	for _, c := range []struct {
		name     string
		scenario func(t *testing.T, p *program, b *tab)
	}{
		{"logs in", logsIn},
		{"mistypes the password", mistypes},
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
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			c.scenario(t, p, openTab(t, browser, p))
		})
	}
}

// TestBrowser_noCookies plays somebody whose browser keeps no cookies.
func TestBrowser_noCookies(t *testing.T) {
	p := start(t)
	b := openTab(t, launch(t, `{"profile": {"default_content_setting_values": {"cookies": 2}}}`), p)
	b.open("/private")
	b.expects("status of 403")
	b.logIn("test0001", "test")
	b.seesPage("cookies", "")
	assert.Contains(t, b.text(), "Allow cookies for this site")
	b.follow("main a") // Try again
	b.seesLogin()
}

func logsIn(t *testing.T, p *program, b *tab) {
	b.open("/")
	b.seesPage("front", "")
	b.follow(`nav a[href="/private"]`)
	b.seesLogin()
	assert.Contains(t, b.text(), "the go-webauth quickstart")
	b.logIn("test0001", "test")
	b.seesPage("private", "test0001")
	assert.Equal(t, p.url+"/private", b.address(), "no trace of the response")
	b.follow(`nav a[href="/form"]`)
	b.seesPage("form", "test0001")
	b.do(chromedp.SetValue(chromedp.ID("note"), "buy milk"))
	b.follow("form button")
	b.seesPage("form", "test0001")
	assert.Equal(t, "buy milk", eval[string](b, `document.querySelector("#notes").innerText`))
}

func mistypes(t *testing.T, p *program, b *tab) {
	b.open("/private?a=1")
	b.expects("status of 403")
	b.logIn("test0001", "tset")
	b.sees(`[role="alert"]`)
	assert.Equal(t, "test0001", eval[string](b, `document.querySelector("#userid").value`))
	b.logIn("test0001", "test")
	b.seesPage("private", "test0001")
	assert.Equal(t, p.url+"/private?a=1", b.address())
}

func cancels(t *testing.T, p *program, b *tab) {
	b.open("/private")
	b.expects("status of 403")
	b.follow(`button[name="cancel"]`)
	b.seesPage("cancelled", "")
	b.follow("main a") // Try again
	b.logIn("test0002", "test")
	b.seesPage("private", "test0002")
}

// stepsUp needs a password typed in the last five minutes.
func stepsUp(t *testing.T, p *program, b *tab) {
	b.open("/private")
	b.logIn("test0001", "test")
	b.follow(`nav a[href="/admin"]`)
	b.seesPage("admin", "test0001") // it was typed just now
	p.advance(6 * time.Minute)
	b.follow(`nav a[href="/private"]`)
	b.seesPage("private", "test0001")
	b.follow(`nav a[href="/admin"]`)
	b.seesLogin()
	assert.Contains(t, b.text(), "It wants you to type your password")
	b.logIn("test0001", "test")
	b.seesPage("admin", "test0001")
}

func postsTooLate(t *testing.T, p *program, b *tab) {
	b.open("/form")
	b.logIn("test0001", "test")
	b.do(chromedp.SetValue(chromedp.ID("note"), "a long & precious note"))
	p.advance(11 * time.Hour) // single sign-on has ended, too
	b.expects("status of 401", "status of 401")
	b.follow("form button")
	b.seesPage("form-kept", "")
	b.follow("form button") // too early
	b.seesPage("form-kept", "")

	second := b.followToNewTab("main a")
	second.seesLogin()
	second.logIn("test0001", "test")
	second.seesPage("go-back", "")
	second.close()

	b.follow("form button")
	b.seesPage("form", "test0001")
	assert.Equal(t, p.url+"/form", b.address())
	assert.Equal(t, "a long & precious note", eval[string](b, `document.querySelector("#notes").innerText`))
}

// goesBack to the login form, which has done its work.
func goesBack(t *testing.T, p *program, b *tab) {
	b.open("/")
	b.follow(`nav a[href="/private"]`)
	b.logIn("test0001", "test")
	b.seesPage("private", "test0001")
	b.moves(-1)
	b.seesPage("private", "test0001")
	assert.Equal(t, p.url+"/private", b.address())
	b.follow(`nav a[href="/form"]`)
	b.seesPage("form", "test0001")
}

func hasTwoTabs(t *testing.T, p *program, b *tab) {
	second := b.another()
	b.open("/private")
	second.open("/form")
	b.seesLogin()
	second.seesLogin()
	b.logIn("test0001", "test")
	b.seesPage("private", "test0001")
	second.logIn("test0001", "test")
	second.seesPage("form", "test0001")

	// One steps up while the other goes on.
	p.advance(6 * time.Minute)
	b.open("/admin")
	b.seesLogin()
	second.follow(`nav a[href="/private"]`)
	second.seesPage("private", "test0001")
	b.logIn("test0001", "test")
	b.seesPage("admin", "test0001")
	second.follow(`nav a[href="/admin"]`)
	second.seesPage("admin", "test0001")
}

// logsOut here and at the login service. The back button shows nothing private after
// that, although the browser keeps pages for it as they were.
func logsOut(t *testing.T, p *program, b *tab) {
	b.open("/private")
	b.logIn("test0001", "test")
	b.follow(`nav a[href="/optional"]`)

	second := b.another()
	second.open("/optional")
	second.open("/private")
	assert.True(t, second.moves(-1), "this browser keeps no pages, so the rest would show nothing")
	second.seesPage("optional", "test0001")

	b.follow(`nav a[href="/logout"]`)
	b.follow("form button")
	b.seesPage("logged-out", "")
	b.follow("main a.button") // at the login service as well
	assert.Contains(t, b.text(), "You are logged out")

	assert.False(t, b.moves(-3))
	b.seesPage("optional", "")
	assert.False(t, b.moves(-1)) // to the private page
	b.seesLogin()
	assert.False(t, second.moves(1))
	second.seesLogin()
}

func isLoggedInElsewhere(t *testing.T, p *program, b *tab) {
	elsewhere := start(t, "-auth-url", p.wls+"/auth/authenticate.html", "-keys", writeKey(t, fakeKey(t)))
	b.do(chromedp.Navigate(elsewhere.url + "/private"))
	b.logIn("test0001", "test")
	b.seesPage("private", "test0001")

	b.open("/")
	b.seesPage("front", "") // not before the browser has returned our cookie
	b.open("/")
	b.seesPage("front", "test0001")
	assert.Equal(t, p.url+"/", b.address())
	b.follow(`nav a[href="/private"]`)
	b.seesPage("private", "test0001")
	assert.Contains(t, b.text(), "single sign-on after pwd")
}

// leavesAScriptRunning in one tab while the other logs out.
func leavesAScriptRunning(t *testing.T, p *program, b *tab) {
	const fetch = `fetch("/private", {headers: {Accept: "application/json"}}).then(r => r.status + " " + r.redirected)`
	b.open("/private")
	b.logIn("test0001", "test")
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, pagedomain.SetBypassCSP, pagedomain.SetBypassCSPParams{Enabled: true}) // else there is no script
		return err
	}))
	b.open("/private")
	assert.Equal(t, "200 false", eval[string](b, fetch))

	second := b.another()
	second.open("/logout")
	second.follow("form button")
	second.seesPage("logged-out", "")
	b.expects("status of 401")
	assert.Equal(t, "401 false", eval[string](b, fetch))
}

func hasNoMouse(t *testing.T, p *program, b *tab) {
	b.open("/")
	b.tabsTo(`nav a[href="/private"]`)
	b.goes(chromedp.KeyEvent(kb.Enter))
	b.seesLogin()
	b.do(chromedp.KeyEvent("test0001")) // it has the focus
	b.tabsTo("#pwd")
	b.do(chromedp.KeyEvent("test"))
	b.goes(chromedp.KeyEvent(kb.Enter))
	b.seesPage("private", "test0001")
	b.tabsTo(`nav a[href="/logout"]`)
	b.goes(chromedp.KeyEvent(kb.Enter))
	b.seesPage("logout", "")
	b.tabsTo("form button")
	b.goes(chromedp.KeyEvent(" "))
	b.seesPage("logged-out", "")
}
