package demotest

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
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Patience is how long a page may take to appear, on a busy machine.
const Patience = time.Minute

const attention = 9 * time.Minute // for all that one person does

// Chromium starts a headless Chromium, with a profile of its own that holds these
// preferences, until the test ends. It skips the test where there is none, but never in CI.
func Chromium(t *testing.T, preferences string) (browser context.Context) {
	t.Helper()
	path := findChromium(t)
	profile, err := os.MkdirTemp("", "chromium")
	require.NoError(t, err)
	t.Cleanup(func() { removeProfile(profile) })
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

// removeProfile removes a browser's profile, in which its last process may write when the
// first one is gone.
func removeProfile(dir string) {
	for range 500 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

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

// Tab is a person at one tab of a browser. Whatever goes wrong on a page that it shows
// fails the test: errors, warnings, violations of its policy, requests to anybody else, a
// secret in an address or a Referer.
type Tab struct {
	T   *testing.T
	Ctx context.Context
	// Stranger says that a page of somebody else was shown, which may do what it likes.
	Stranger bool
	// Close closes the tab.
	Close context.CancelFunc

	mu       sync.Mutex
	problems []string
	expected []string
}

// OpenTab opens a tab of a browser that has no cookies yet.
func OpenTab(t *testing.T, browser context.Context) *Tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(browser, attention)
	t.Cleanup(cancel)
	return newTab(t, ctx, chromedp.WithNewBrowserContext())
}

// Another opens one more tab of the same browser.
func (b *Tab) Another(options ...chromedp.ContextOption) *Tab {
	b.T.Helper()
	return newTab(b.T, b.Ctx, options...)
}

func newTab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	b := &Tab{T: t}
	b.Ctx, b.Close = chromedp.NewContext(parent, append(options, chromedp.WithListener(b.watch))...)
	t.Cleanup(b.end)
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, audits.Enable, cdp.Empty{}); err != nil {
			return err
		}
		// As if its window were the one that the person looks at.
		_, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	return b
}

func (b *Tab) end() {
	b.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Stranger {
		return
	}
	for _, part := range b.expected {
		i := slices.IndexFunc(b.problems, func(problem string) bool { return strings.Contains(problem, part) })
		if assert.GreaterOrEqual(b.T, i, 0, "the browser does not complain: %s", part) {
			b.problems = slices.Delete(b.problems, i, i+1)
		}
	}
	assert.Empty(b.T, b.problems, "the browser complains")
}

// Expects announces complaints of the browser that hold these texts.
func (b *Tab) Expects(parts ...string) { b.expected = append(b.expected, parts...) }

func (b *Tab) watch(event any) {
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
		if url := e.Request.URL; !strings.HasPrefix(url, "http://localhost:") && !strings.HasPrefix(url, "http://127.0.0.1:") || hasSecret(url) {
			b.complain("a request to %s", url)
		}
	case *network.EventRequestWillBeSentExtraInfo:
		for name, value := range e.Headers {
			if text := fmt.Sprint(value); strings.EqualFold(name, "Referer") && (strings.Contains(text, "WLS-Response") || hasSecret(text)) {
				b.complain("a secret in a Referer")
			}
		}
	}
}

// hasSecret reports whether an address holds a token or a client's secret of package
// oauth2server.
func hasSecret(address string) bool {
	return slices.ContainsFunc([]string{"wlsp_", "wlsa_", "wlsr_", "wlss_"}, func(kind string) bool { return strings.Contains(address, kind) })
}

func (b *Tab) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// WithoutScript has the browser run none of the pages' scripts, on a screen as narrow
// as they come (WCAG 2.2, 1.4.10).
func (b *Tab) WithoutScript() {
	b.T.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		narrow := emulation.SetDeviceMetricsOverrideParams{Width: 320, Height: 640, DeviceScaleFactor: 1}
		if _, err := cdp.Call(ctx, target, emulation.SetDeviceMetricsOverride, narrow); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// Do takes steps that lead nowhere else, or wait by themselves.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	require.NoError(b.T, chromedp.Do(b.Ctx, steps...))
}

// Goes does something that leads to another page, and waits for that.
func (b *Tab) Goes(steps ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, Patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, steps...); err != nil {
		require.NoError(b.T, err, "at %s:\n%s", b.Address(), b.Text("body"))
	}
}

// Open goes to an address, as if it were typed.
func (b *Tab) Open(address string) {
	b.T.Helper()
	b.Do(chromedp.Navigate(address))
}

// Click clicks something that leads nowhere, Follow a link or a button that does.
func (b *Tab) Click(selector string) {
	b.T.Helper()
	b.steady(selector)
	b.Do(chromedp.Click(chromedp.CSS(selector)))
}

func (b *Tab) Follow(selector string) {
	b.T.Helper()
	b.steady(selector)
	b.Goes(chromedp.Click(chromedp.CSS(selector)))
}

// steady waits until something is on the page and stays where it is: what moves from under
// the mouse, as a page does that is still on its way, does not get the click. And Chromium
// lets no click through to a page that was never drawn, which takes less than five seconds.
func (b *Tab) steady(selector string) {
	b.T.Helper()
	look := `JSON.stringify([document.readyState === "complete" &&
		(performance.getEntriesByType("paint").length > 0 || performance.now() > 5000) &&
		document.querySelector(` + strconv.Quote(selector) + `)?.getBoundingClientRect(), innerWidth])`
	last, same := "", 0
	b.until("not on the page, or moving: "+selector, func(ctx context.Context) bool {
		now, err := chromedp.Run(ctx, chromedp.Evaluate[string](look))
		if err != nil || now != last {
			last, same = now, 0
			return false
		}
		same++
		return same > 1 && strings.Contains(now, "height")
	})
}

// FollowToNewTab clicks a link that opens a tab of its own.
func (b *Tab) FollowToNewTab(selector string) *Tab {
	b.T.Helper()
	opened := chromedp.WaitNewTarget(b.Ctx, func(info *target.Info) bool { return info.Type == "page" })
	b.Click(selector)
	select {
	case id := <-opened:
		return b.Another(chromedp.WithTargetID(id))
	case <-b.Ctx.Done():
		require.Fail(b.T, "no tab was opened")
		return nil
	}
}

// Fill writes into a field.
func (b *Tab) Fill(id, text string) {
	b.T.Helper()
	b.Do(chromedp.SetValue(chromedp.ID(id), text))
}

// LogIn fills in the login form of the fake.
func (b *Tab) LogIn(user, password string) {
	b.T.Helper()
	b.Sees("#userid")
	b.Fill("userid", user)
	b.Fill("pwd", password)
	b.Follow(`button[name="login"]`)
}

// Sees waits for something on the page, or on the one that comes after it. It asks the
// page itself, because chromedp's queries do not find their way in a page that comes
// from the back/forward cache. It asks again and again, because pages without script
// cannot wait.
func (b *Tab) Sees(selector string) {
	b.T.Helper()
	b.until("not on the page: "+selector, func(ctx context.Context) bool {
		found, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!document.querySelector(`+strconv.Quote(selector)+`)?.checkVisibility()`))
		return err == nil && found
	})
}

// until looks again and again. An error may be of a page that has gone meanwhile, and the
// next one is coming.
func (b *Tab) until(problem string, look func(ctx context.Context) bool) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, Patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !look(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Fail(b.T, problem, "at %s:\n%s", b.Address(), b.Text("body"))
		}
	}
}

// SeesPage waits for a page by its name, and looks that it fits the screen.
func (b *Tab) SeesPage(page string) {
	b.T.Helper()
	b.Sees(`main[data-page="` + page + `"]`)
	assert.LessOrEqual(b.T, Eval[int](b, `document.documentElement.scrollWidth`), Eval[int](b, `window.innerWidth`), "%s does not fit", page)
}

// Address is that of the page.
func (b *Tab) Address() string { b.T.Helper(); return Eval[string](b, `location.href`) }

// Text is what a person can read in an element.
func (b *Tab) Text(selector string) string {
	b.T.Helper()
	return Eval[string](b, `document.querySelector(`+strconv.Quote(selector)+`).innerText`)
}

// Value is what stands in a field.
func (b *Tab) Value(id string) string {
	b.T.Helper()
	return Eval[string](b, `document.getElementById(`+strconv.Quote(id)+`).value`)
}

// Eval returns the value of an expression on the page, of a promise too.
func Eval[T any](b *Tab, expression string) T {
	b.T.Helper()
	value, err := chromedp.Run(b.Ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.T, err, expression)
	return value
}
