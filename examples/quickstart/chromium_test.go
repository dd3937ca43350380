package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	pagedomain "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// tab is a person at one tab of a browser, at the quickstart.
type tab struct {
	*demotest.Tab
	t *testing.T
	q *quickstart
}

// openTab opens a tab of a browser that has no cookies yet.
func openTab(t *testing.T, browser context.Context, q *quickstart) *tab {
	t.Helper()
	return &tab{demotest.OpenTab(t, browser), t, q}
}

// another opens one more tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	return &tab{b.Another(), b.t, b.q}
}

// open goes to a path of the site, as if its address were typed.
func (b *tab) open(path string) {
	b.t.Helper()
	b.Open(b.q.url + path)
}

// moves goes through the tab's history, as the back button does, and waits for the page
// there. It reports whether the browser had kept that page as it was (its back/forward
// cache), so that the site was not asked.
func (b *tab) moves(by int) (kept bool) {
	b.t.Helper()
	// In a moment: a page that is gone answers no call.
	e, err := chromedp.Run(b.Ctx, chromedp.WaitEvent(pagedomain.FrameNavigated,
		func(e pagedomain.EventFrameNavigated) bool { return e.Frame.ParentID == "" },
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void setTimeout(() => history.go(%d))", by))))
	require.NoError(b.t, err)
	return e.Type == pagedomain.NavigationTypeBackForwardCacheRestore
}

// tabsTo presses the tab key until an element has the focus, and looks that it shows.
func (b *tab) tabsTo(selector string) {
	b.t.Helper()
	for range 30 {
		b.Do(chromedp.KeyEvent(kb.Tab))
		if !demotest.Eval[bool](b.Tab, `document.activeElement.matches(`+strconv.Quote(selector)+`)`) {
			continue
		}
		assert.Equal(b.t, "solid 3px", demotest.Eval[string](b.Tab, `(s => s.outlineStyle + " " + s.outlineWidth)(getComputedStyle(document.activeElement))`))
		return
	}
	require.Fail(b.t, "the tab key does not lead there", selector)
}

// seesPage waits for a page of the site or of package glue. principal is who it must
// say is logged in.
func (b *tab) seesPage(page, principal string) {
	b.t.Helper()
	b.SeesPage(page)
	known := demotest.Eval[[]string](b.Tab, `[...document.querySelectorAll("#principal")].map(e => e.textContent)`)
	if principal == "" {
		assert.Empty(b.t, known)
	} else {
		assert.Equal(b.t, []string{principal}, known)
	}
}

// seesLogin waits for the login form of the fake.
func (b *tab) seesLogin() {
	b.t.Helper()
	b.Sees("#userid")
	require.True(b.t, strings.HasPrefix(b.Address(), b.q.wls), b.Address())
}
