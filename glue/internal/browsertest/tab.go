// Package browsertest has people in real browsers, Chromium and Firefox, do the same things
// in tests.
package browsertest

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/chromiumtest"
	"github.com/ucam-webauth/go-webauth/glue/internal/firefoxtest"
)

// patience bounds what is done in one browser, and each wait for a page: a minute, and less
// than a second, on an idle machine.
const patience, pagePatience = 9 * time.Minute, time.Minute

// Tab is a tab of a browser, with a person in front of it. What does not come about fails
// the test.
type Tab struct {
	t   testing.TB
	ctx context.Context
	tab driver
}

type driver interface {
	Open(url string) error
	Eval(expression string, value any) error
	newTab() (driver, error)
}

// Each runs a test in each browser, with a profile of its own.
func Each(t *testing.T, test func(t *testing.T, tab *Tab)) {
	for name, start := range map[string]func(context.Context, testing.TB) driver{"Chromium": startChromium, "Firefox": startFirefox} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			t.Cleanup(cancel)
			test(t, &Tab{t, ctx, start(ctx, t)})
		})
	}
}

// in returns the tab for a subtest.
func (b *Tab) in(t testing.TB) *Tab { return &Tab{t, b.ctx, b.tab} }

// NewTab opens another tab of the browser.
func (b *Tab) NewTab() *Tab {
	b.t.Helper()
	tab, err := b.tab.newTab()
	require.NoError(b.t, err)
	return &Tab{b.t, b.ctx, tab}
}

// Open types a URL.
func (b *Tab) Open(url string) {
	b.t.Helper()
	require.NoError(b.t, b.tab.Open(url), url)
}

// Value is that of a JavaScript expression in the page that is shown, a string; a promise is
// waited for.
func (b *Tab) Value(expression string) string {
	b.t.Helper()
	var value string
	require.NoError(b.t, b.tab.Eval(expression, &value), expression)
	return value
}

// See waits for a page in which one of the selectors finds something, and returns which
// does.
func (b *Tab) See(selectors ...string) string {
	b.t.Helper()
	var found []string
	for _, s := range selectors {
		found = append(found, "document.querySelector("+strconv.Quote(s)+") ? "+strconv.Quote(s)+" : ")
	}
	return b.Until(strings.Join(found, "") + "''")
}

// Until waits for an expression to have a value that is not empty, whichever page is shown
// then, and returns it.
func (b *Tab) Until(expression string) (value string) {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(pagePatience)
	for {
		err := b.tab.Eval(expression, &value) // fails between two pages
		if err == nil && value != "" {
			return value
		}
		select {
		case <-tick.C:
		case <-late:
			var page string
			_ = b.tab.Eval("location.href + ': ' + document.documentElement.outerHTML", &page)
			require.FailNow(b.t, "it does not come about", "%s\n%v\n%s", expression, err, page)
		}
	}
}

// Click waits for a link or button, and clicks.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.See(selector)
	b.Until(`document.readyState === "complete" ? "ready" : ""`) // scripts may listen from then on only
	b.Value("(document.querySelector(" + strconv.Quote(selector) + ").click(), '')")
}

// Leave does something that leads to another page, and waits until that has begun.
func (b *Tab) Leave(by func()) {
	b.t.Helper()
	b.Value("(window.isLeft = true, '')")
	by()
	b.Until("window.isLeft ? '' : 'left'")
}

// chromium is a tab of Chromium.
type chromium struct{ ctx context.Context }

func startChromium(ctx context.Context, t testing.TB) driver {
	tab, cancel := context.WithCancel(chromiumtest.Start(t))
	stop := context.AfterFunc(ctx, cancel)
	t.Cleanup(func() {
		stop()
		cancel()
	})
	return chromium{tab}
}

func (c chromium) Open(url string) error { return chromedp.Do(c.ctx, chromedp.Navigate(url)) }

func (c chromium) Eval(expression string, value any) error {
	got, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if into, ok := value.(*string); ok && err == nil {
		*into = got
	}
	return err
}

func (c chromium) newTab() (driver, error) {
	ctx, _ := chromedp.NewContext(c.ctx) // closed with the browser
	return chromium{ctx}, chromedp.Do(ctx)
}

// firefox is a tab of Firefox.
type firefox struct{ *firefoxtest.Tab }

func startFirefox(ctx context.Context, t testing.TB) driver {
	return firefox{firefoxtest.Start(ctx, t)}
}

func (f firefox) newTab() (driver, error) {
	tab, err := f.NewTab()
	return firefox{tab}, err
}
