package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	pagedomain "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	patience  = 15 * time.Second // for a page to appear
	attention = time.Minute      // for all that one person does
)

// findChromium skips the test where there is no browser, but never in CI.
func findChromium(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing := "no browser to test with: install Chromium (Debian's package chromium), so that one of " +
		strings.Join(names, ", ") + " is on the PATH"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// launch starts a headless Chromium, with a profile of its own that holds these
// preferences, until the test ends.
func launch(t *testing.T, preferences string) (browser context.Context) {
	t.Helper()
	path := findChromium(t)
	profile := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(profile, "Default"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(preferences), 0o600))
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.DisableGPU, chromedp.NoFirstRun,
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

// tab is a person at one tab of a browser. Whatever goes wrong on a page that it shows
// fails the test.
type tab struct {
	t       *testing.T
	program *program
	ctx     context.Context
	close   context.CancelFunc

	mu       sync.Mutex
	problems []string
	expected []string
	stranger bool // a page of somebody else was shown, which may do what it likes
}

// openTab opens a tab of a browser that has no cookies yet.
func openTab(t *testing.T, browser context.Context, p *program) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(browser, attention)
	t.Cleanup(cancel)
	return newTab(t, ctx, p, chromedp.WithNewBrowserContext())
}

// another opens one more tab of the same browser.
func (b *tab) another(options ...chromedp.ContextOption) *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, b.program, options...)
}

func newTab(t *testing.T, parent context.Context, p *program, options ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{t: t, program: p}
	b.ctx, b.close = chromedp.NewContext(parent, append(options, chromedp.WithListener(b.watch))...)
	t.Cleanup(b.end)
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, audits.Enable, cdp.Empty{}); err != nil {
			return err
		}
		// As if its window were the one that the person looks at.
		_, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	return b
}

func (b *tab) end() {
	b.close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stranger {
		return
	}
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
// requests to anybody else, a response of the login service in a Referer.
func (b *tab) watch(event any) {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
			return // there is none
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			where, _, _ := strings.Cut(e.Entry.URL, "?")
			b.complain("%s: %s %s", e.Entry.Source, e.Entry.Text, where)
		}
	case *runtime.EventExceptionThrown:
		b.complain("exception: %s", e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complain("console: %s", e.Type)
	case *audits.EventIssueAdded:
		// Every login bounces, and that is what single sign-on is. How fast it is, is
		// the machine's affair.
		if e.Issue.Code != audits.InspectorIssueCodeBounceTrackingIssue && e.Issue.Code != audits.InspectorIssueCodePerformanceIssue {
			b.complain("issue: %s", e.Issue.Code)
		}
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, "http://localhost:") && !strings.HasPrefix(url, "http://127.0.0.1:") {
			b.complain("a request to %s", url)
		}
	case *network.EventRequestWillBeSentExtraInfo:
		for name, value := range e.Headers {
			if strings.EqualFold(name, "Referer") && strings.Contains(fmt.Sprint(value), "WLS-Response") {
				b.complain("a response in a Referer")
			}
		}
	}
}

func (b *tab) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

// goes does something that leads to another page, and waits for that.
func (b *tab) goes(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	_, err := chromedp.RunResponse(b.ctx, steps...)
	require.NoError(b.t, err)
}

// open goes to a path of the site, as if its address were typed.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.program.url + path))
}

// moves goes through the tab's history, as the back button does, and waits for the page
// there. It reports whether the browser had kept that page as it was (its back/forward
// cache), so that the site was not asked.
func (b *tab) moves(by int) (kept bool) {
	b.t.Helper()
	e, err := chromedp.Run(b.ctx, chromedp.WaitEvent(pagedomain.FrameNavigated,
		func(e pagedomain.EventFrameNavigated) bool { return e.Frame.ParentID == "" },
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf("history.go(%d)", by))))
	require.NoError(b.t, err)
	return e.Type == pagedomain.NavigationTypeBackForwardCacheRestore
}

// follow clicks a link or a button.
func (b *tab) follow(selector string) {
	b.t.Helper()
	b.goes(chromedp.Click(chromedp.CSS(selector)))
}

// followToNewTab clicks a link that opens a tab of its own.
func (b *tab) followToNewTab(selector string) *tab {
	b.t.Helper()
	opened := chromedp.WaitNewTarget(b.ctx, func(info *target.Info) bool { return info.Type == "page" })
	b.do(chromedp.Click(chromedp.CSS(selector)))
	select {
	case id := <-opened:
		return b.another(chromedp.WithTargetID(id))
	case <-b.ctx.Done():
		require.Fail(b.t, "no tab was opened")
		return nil
	}
}

// logIn fills in the login form of the fake.
func (b *tab) logIn(user, password string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.ID("userid"), user), chromedp.SetValue(chromedp.ID("pwd"), password))
	b.follow(`button[name="login"]`)
}

// tabsTo presses the tab key until an element has the focus, and looks that it shows.
func (b *tab) tabsTo(selector string) {
	b.t.Helper()
	for range 30 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if !eval[bool](b, `document.activeElement.matches(`+strconv.Quote(selector)+`)`) {
			continue
		}
		assert.Equal(b.t, "solid 3px", eval[string](b, `(s => s.outlineStyle + " " + s.outlineWidth)(getComputedStyle(document.activeElement))`))
		return
	}
	require.Fail(b.t, "the tab key does not lead there", selector)
}

// sees waits for something on the page, or on the one that comes after it. It asks the
// page itself, because chromedp's queries do not find their way in a page that comes
// from the back/forward cache.
func (b *tab) sees(selector string) {
	b.t.Helper()
	appears := chromedp.Evaluate[bool](`new Promise(done => {
		const look = () => document.querySelector(`+strconv.Quote(selector)+`)?.checkVisibility() ? done(true) : setTimeout(look, 10);
		look();
	})`, chromedp.EvalAwaitPromise)
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, appears)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			require.Fail(b.t, "not on the page: "+selector, "at %s:\n%s", b.address(), b.text())
		}
		// The page has gone meanwhile, and the next one is coming.
	}
}

// seesPage waits for a page of the site or of package glue. principal is who it must
// say is logged in.
func (b *tab) seesPage(page, principal string) {
	b.t.Helper()
	b.sees(`main[data-page="` + page + `"]`)
	known := eval[[]string](b, `[...document.querySelectorAll("#principal")].map(e => e.textContent)`)
	if principal == "" {
		assert.Empty(b.t, known)
	} else {
		assert.Equal(b.t, []string{principal}, known)
	}
}

// seesLogin waits for the login form of the fake.
func (b *tab) seesLogin() {
	b.t.Helper()
	b.sees("#userid")
	require.True(b.t, strings.HasPrefix(b.address(), b.program.wls), b.address())
}

func (b *tab) address() string { b.t.Helper(); return eval[string](b, `location.href`) }

// text is what a person can read on the page.
func (b *tab) text() string { b.t.Helper(); return eval[string](b, `document.body.innerText`) }

// eval gives the value of an expression on the page, of a promise too.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, expression)
	return value
}
