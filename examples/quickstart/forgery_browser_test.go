package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// TestBrowser_forgery sends the quickstart's form in every way that an honest person
// does, and as a page on another port of the same host does, to which the browser gives
// the same cookies.
func TestBrowser_forgery(t *testing.T) {
	browser := demotest.Chromium(t, "{}")
	for _, c := range []struct {
		name     string
		scenario func(t *testing.T, p *quickstart, b *tab)
	}{
		{"script is off", withoutScript},
		{"a script of the page sends it", byFetch},
		{"somebody logs in in another tab", afterLoginElsewhere},
		{"a page on another port", fromAnotherPort},
		{"a sandboxed frame", fromASandbox},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			c.scenario(t, p, openTab(t, browser, p))
		})
	}
}

// seesNotes opens the form and wants these notes on it.
func (b *tab) seesNotes(notes ...string) {
	b.t.Helper()
	b.open("/form")
	b.seesPage("form", "test0001")
	assert.ElementsMatch(b.t, notes, demotest.Eval[[]string](b.Tab, `[...document.querySelectorAll("#notes li")].map(e => e.textContent)`))
}

func (b *tab) openForm() {
	b.t.Helper()
	b.open("/form")
	b.LogIn("test0001", "test")
	b.seesPage("form", "test0001")
}

func (b *tab) scriptOff(off bool) {
	b.t.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
		return err
	}))
}

func withoutScript(t *testing.T, p *quickstart, b *tab) {
	b.openForm()
	b.scriptOff(true)
	b.open("/form")
	b.Do(chromedp.SetValue(chromedp.ID("note"), "by hand"))
	b.Follow("form button")
	b.scriptOff(false)
	b.seesNotes("by hand")
}

// byFetch takes the token from the cookie, as scripts do. Without it the form is refused.
func byFetch(t *testing.T, p *quickstart, b *tab) {
	const send = `fetch("/form", {method: "POST", body: new URLSearchParams({note: "by script"}), headers: {%s}}).then(r => r.status)`
	b.openForm()
	b.Expects("status of 403")
	assert.Equal(t, http.StatusForbidden, demotest.Eval[int](b.Tab, fmt.Sprintf(send, "")))
	token := `"X-XSRF-Token": document.cookie.match(/XSRF-TOKEN=([^;]+)/)[1]`
	assert.Equal(t, http.StatusOK, demotest.Eval[int](b.Tab, fmt.Sprintf(send, token)))
	b.seesNotes("by script")
}

// afterLoginElsewhere sends a form with the token of a session that has been replaced by
// another login of the same person: the form is refused, and nothing is lost by going back.
func afterLoginElsewhere(t *testing.T, p *quickstart, b *tab) {
	b.openForm()
	second := b.another()
	second.open("/logout")
	second.Follow("form button")
	second.seesPage("logged-out", "")
	second.open("/form") // by single sign-on
	second.seesPage("form", "test0001")

	b.Do(chromedp.SetValue(chromedp.ID("note"), "from before"))
	b.Expects("status of 403")
	b.Follow("form button")
	b.seesPage("form-expired", "")
	second.Do(chromedp.SetValue(chromedp.ID("note"), "from after"))
	second.Follow("form button")
	second.seesNotes("from after")
}

// evil serves a page on another port of the site's host.
func evil(t *testing.T, page string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Win a prize</title><link rel="icon" href="data:,">` + page))
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

func fromAnotherPort(t *testing.T, p *quickstart, b *tab) {
	b.openForm()
	b.Do(chromedp.Navigate(evil(t, `<form method="post" action="`+p.url+`/form"><input name="note" value="forged"><button>Win</button></form>`)))
	b.Stranger = true
	b.Follow("button")
	b.seesPage("cross-origin", "")
	b.seesNotes()
}

func fromASandbox(t *testing.T, p *quickstart, b *tab) {
	b.openForm()
	b.Stranger = true
	b.Do(chromedp.Navigate(evil(t, `<iframe id="f" sandbox="allow-forms allow-scripts" srcdoc='<form method="post" action="`+
		p.url+`/form"><input name="note" value="forged"></form><script>document.forms[0].submit()</script>'></iframe>`)))
	require.Eventually(t, func() bool { return strings.Contains(p.Stderr.String(), "reason=cross-origin") },
		demotest.Patience, 10*time.Millisecond)
	b.seesNotes()
}
