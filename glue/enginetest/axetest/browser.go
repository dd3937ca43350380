package axetest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/internal/chromiumtest"
)

// views are how each page is looked at: as most people have it, and without the rules, which
// it cannot change, with a text twice as large (WCAG 2.2, 1.4.4) and on the narrowest screen
// (1.4.10).
var views = []view{
	{name: "light, 1280 px", scheme: "light", width: 1280, rules: true, once: true},
	{name: "dark, 1280 px", scheme: "dark", width: 1280, rules: true},
	{name: "dark, 360 px", scheme: "dark", width: 360, rules: true},
	{name: "light, 360 px", scheme: "light", width: 360, rules: true},
	{name: "320 px", scheme: "light", width: 320},
	{name: "1280 px, text twice as large", scheme: "light", width: 1280, text: "200%"},
}

type view struct {
	name, scheme string
	width        int64
	text         string
	rules, once  bool
}

// patience bounds the look at one page: seconds on a busy machine.
const patience = 2 * time.Minute

//go:embed look.js
var look string

// browser is a tab of a Chromium, and what it complained of since it was last asked.
type browser struct {
	ctx  context.Context
	axe  string
	mu   sync.Mutex
	own  string // the origin of all pages
	path string // of the page that was opened
	told []string
}

// start starts a browser, for pages of an origin, until the test ends.
func start(t *testing.T, origin string) *browser {
	t.Helper()
	axe, err := source()
	enginetest.Require(t, err)
	b := &browser{axe: axe, own: origin}
	var closeTab context.CancelFunc
	b.ctx, closeTab = chromedp.NewContext(chromiumtest.Start(t), chromedp.WithListener(b.watch))
	t.Cleanup(closeTab)
	if err := chromedp.Do(b.ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

// Look looks at what a tab of a browser of a test's own shows, as [Pages.Check] does. What a
// person did there may be lost: the focus, and most of a long list.
func Look(t testing.TB, tab context.Context, name string) {
	t.Helper()
	axe, err := source()
	enginetest.Require(t, err)
	b := &browser{ctx: tab, axe: axe}
	b.do(t, name, chromedp.KeyEvent(kb.Tab)) // after a click browsers show no focus
	before := b.value(t, size)
	for _, problem := range b.wrong(t) {
		t.Errorf("%s: %s", name, problem)
	}
	b.do(t, name, view{}.set())
	b.value(t, "document.documentElement.style.fontSize = ''; []")
	for deadline := time.Now().Add(patience); !slices.Equal(b.value(t, size), before); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it does not have its size back", name)
		}
	}
	t.Logf("axe-core: %d pages and states, %d views", 1, len(views))
}

// size is that of a tab, which takes a moment to change.
const size = `[String(innerWidth), String(innerHeight)]`

// source returns the text of axe-core.
func source() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "testdata", "axe-core")
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("axe-core: %w: npm ci --ignore-scripts --prefix %s", enginetest.ErrNotInstalled, dir)
	}
	return string(text), err
}

func (b *browser) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, b.own+"/") && !strings.HasPrefix(url, "data:") {
			b.told = append(b.told, "it asks somebody else: "+url)
		}
	case *log.EventEntryAdded:
		itself := e.Entry.URL == b.own+b.path // which may have any status
		if e.Entry.Source == log.EntrySourceSecurity || e.Entry.Source == log.EntrySourceNetwork && !itself {
			b.told = append(b.told, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (b *browser) complaints() (told []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	told, b.told = b.told, nil
	return told
}

func (b *browser) do(t testing.TB, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(what, ": ", err)
	}
}

// open goes to a path.
func (b *browser) open(t testing.TB, path string) {
	t.Helper()
	b.mu.Lock()
	b.path = path
	b.mu.Unlock()
	b.do(t, path, chromedp.Navigate(b.own+path))
}

// write writes the page that is shown in place of the one there, with a path.
func (b *browser) write(t testing.TB, path string) {
	t.Helper()
	b.value(t, fmt.Sprintf(`(async () => {
		const html = await (await fetch(%q)).text()
		history.replaceState(null, "", %q)
		document.open()
		document.write(html)
		document.close()
		if (document.readyState !== "complete") await new Promise(done => addEventListener("load", done))
		const late = () => [...document.querySelectorAll('link[rel~="stylesheet"]')].some(link => !link.sheet)
		for (let i = 0; i < 50 && late(); i++) await new Promise(done => setTimeout(done, 100))
		return []
	})()`, body, path))
}

func (b *browser) value(t testing.TB, expression string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// wrong returns what is wrong with the page that is shown, and in which views.
func (b *browser) wrong(t testing.TB) (all []string) {
	t.Helper()
	if b.value(t, "[typeof axe]")[0] == "undefined" {
		b.value(t, b.axe+"; []")
	}
	in := map[string][]string{}
	for _, v := range views {
		b.do(t, v.name, v.set())
		for _, problem := range b.value(t, fmt.Sprintf("document.documentElement.style.fontSize = %q; (%s)({once: %t, rules: %t})", v.text, look, v.once, v.rules)) {
			if in[problem] == nil {
				all = append(all, problem)
			}
			in[problem] = append(in[problem], v.name)
		}
	}
	for i, problem := range all {
		all[i] = strings.Join(in[problem], "; ") + ": " + problem
	}
	return append(all, b.complaints()...)
}

// set makes a tab look like that; as it is without a view, if v is none.
func (v view) set() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if v.width == 0 {
			if _, err := cdp.Call(ctx, target, emulation.ClearDeviceMetricsOverride, cdp.Empty{}); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
			return err
		}
		screen := emulation.SetDeviceMetricsOverrideParams{Width: v.width, Height: 800, DeviceScaleFactor: 1}
		if _, err := cdp.Call(ctx, target, emulation.SetDeviceMetricsOverride, screen); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}})
		return err
	})
}
