package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	patience  = 15 * time.Second // for a page to appear
	attention = 2 * time.Minute  // for all that one person does
)

// launch starts a headless Chromium with a profile of its own until the test ends. It
// skips the test where there is no browser, but never in CI.
func launch(t *testing.T) (browser context.Context) {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	path := ""
	for _, name := range slices.Backward(names) {
		if found, err := exec.LookPath(name); err == nil {
			path = found
		}
	}
	if path == "" {
		missing := "no browser to test with: install Chromium (Debian's package chromium), so that one of " +
			strings.Join(names, ", ") + " is on the PATH"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("headless", "new"), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true), // too small in many containers
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	browser, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(closeBrowser)
	require.NoError(t, chromedp.Do(browser), "starting %s", path)
	return browser
}

// tab is a person at one tab of a browser that has no cookies yet. Whatever goes wrong
// on a page that it shows fails the test.
type tab struct {
	t   *testing.T
	at  addresses
	ctx context.Context

	mu       sync.Mutex
	problems []string
	expected []string
}

func openTab(t *testing.T, browser context.Context, p *program) *tab {
	t.Helper()
	b := &tab{t: t, at: p.at}
	ctx, cancel := context.WithTimeout(browser, attention)
	t.Cleanup(cancel)
	var end context.CancelFunc
	b.ctx, end = chromedp.NewContext(ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.watch))
	t.Cleanup(func() {
		end()
		b.complaints()
	})
	b.do()
	return b
}

// withoutScript has the browser run none of the pages' scripts, on a screen as narrow
// as they come (WCAG 2.2, 1.4.10).
func (b *tab) withoutScript() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		narrow := emulation.SetDeviceMetricsOverrideParams{Width: 320, Height: 640, DeviceScaleFactor: 1}
		if _, err := cdp.Call(ctx, target, emulation.SetDeviceMetricsOverride, narrow); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

func (b *tab) complaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, part := range b.expected {
		i := slices.IndexFunc(b.problems, func(problem string) bool { return strings.Contains(problem, part) })
		if assert.GreaterOrEqual(b.t, i, 0, "the browser does not complain: %s", part) {
			b.problems = slices.Delete(b.problems, i, i+1)
		}
	}
	assert.Empty(b.t, b.problems, "the browser complains")
}

// expects announces complaints of the browser that hold these texts.
func (b *tab) expects(parts ...string) { b.expected = append(b.expected, parts...) }

// watch collects what a page must not do: errors, warnings, violations of its policy,
// requests to anybody else, a secret in an address.
func (b *tab) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if !strings.HasSuffix(e.Entry.URL, "/favicon.ico") && (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) {
			where, _, _ := strings.Cut(e.Entry.URL, "?")
			b.problems = append(b.problems, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, where))
		}
	case *network.EventRequestWillBeSent:
		address := e.Request.URL
		ours := strings.HasPrefix(address, b.at.site) || strings.HasPrefix(address, b.at.wls) || strings.HasPrefix(address, b.at.app)
		if !ours || strings.Contains(address, "wlsp_") || strings.Contains(address, "wlsa_") || strings.Contains(address, "wlsr_") || strings.Contains(address, "wlss_") {
			b.problems = append(b.problems, "a request to "+address)
		}
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

// open goes to an address, as if it were typed.
func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// press clicks a link or a button that leads to another page, and waits for that.
func (b *tab) press(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
	require.NoError(b.t, err, selector)
}

// tick clicks something that leads nowhere.
func (b *tab) tick(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) fill(id, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.ID(id), text))
}

// logIn fills in the login form of the fake.
func (b *tab) logIn(user string) {
	b.t.Helper()
	b.sees("#userid")
	b.fill("userid", user)
	b.fill("pwd", "test")
	b.press(`button[name="login"]`)
}

// sees waits for something on the page, or on the one that comes after it.
func (b *tab) sees(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!document.querySelector(`+strconv.Quote(selector)+`)?.checkVisibility()`))
		if err == nil && found {
			return
		}
		select {
		case <-tick.C: // the page has gone meanwhile, and the next one is coming
		case <-ctx.Done():
			require.Fail(b.t, "not on the page: "+selector, "at %s:\n%s", b.address(), b.text("body"))
		}
	}
}

// seesPage waits for one of the pages by its name, and looks that it fits the screen.
func (b *tab) seesPage(page string) {
	b.t.Helper()
	b.sees(`main[data-page="` + page + `"]`)
	assert.LessOrEqual(b.t, eval[int](b, `document.documentElement.scrollWidth`), eval[int](b, `window.innerWidth`), "%s does not fit", page)
}

func (b *tab) address() string { b.t.Helper(); return eval[string](b, `location.href`) }

// text is what a person can read in an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, `document.querySelector(`+strconv.Quote(selector)+`).innerText`)
}

// value is what stands in a field.
func (b *tab) value(id string) string {
	b.t.Helper()
	return eval[string](b, `document.getElementById(`+strconv.Quote(id)+`).value`)
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, expression)
	return value
}
