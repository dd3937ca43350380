package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// browser is one person with a browser.
type browser struct {
	soak   *soak
	user   string
	client *http.Client
	rand   *rand.Rand

	since, last time.Time // of a session that should be there: its start and last use
}

func newBrowser(s *soak, i int) *browser {
	return &browser{
		soak: s, user: userName(i), client: s.fake.Client(userName(i)),
		rand: rand.New(rand.NewPCG(s.seed, uint64(i))),
	}
}

// run does what people do until the context ends.
func (b *browser) run(ctx context.Context) {
	pause(ctx, b.soak.think*time.Duration(b.rand.IntN(1000))/1000) // not all in the same instant
	for ctx.Err() == nil {
		switch n := b.rand.IntN(100); {
		case n < 75:
			b.visit(ctx, http.MethodGet, "/page", "navigate")
		case n < 85:
			b.visit(ctx, http.MethodGet, "/strict", "navigate")
		case n < 92:
			b.visit(ctx, http.MethodGet, "/page", "cors")
		case n < 96 || b.soak.fleet != nil: // with a clock as slow as ours, more logins instead of breaks
			b.visit(ctx, http.MethodPost, logoutPath, "navigate")
		default:
			pause(ctx, inactivity*11/10/time.Duration(b.soak.speed)) // gone for coffee
		}
		pause(ctx, b.think())
	}
}

// think draws how long the person looks at the page.
func (b *browser) think() time.Duration {
	return time.Duration(b.rand.ExpFloat64() * float64(b.soak.think))
}

// pause waits for a time, or for the end of the context.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// visit opens a page and notes what came of it.
func (b *browser) visit(ctx context.Context, method, path, mode string) {
	req, err := http.NewRequestWithContext(ctx, method, b.soak.baseURL+path, nil)
	if err != nil {
		b.soak.stats.fault(err.Error())
		return
	}
	if mode != "navigate" {
		req.Header.Set("Sec-Fetch-Mode", mode)
		req.Header.Set("Sec-Fetch-Dest", "empty")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	began := time.Now()
	resp, body, err := b.read(req)
	if err != nil {
		if ctx.Err() == nil {
			b.soak.stats.trouble("no whole answer: " + err.Error()) // a machine dies amid one
		}
		return
	}
	o := outcome{
		status: resp.StatusCode, page: path != logoutPath, fetch: mode != "navigate",
		atSite: resp.Request.URL.Host == req.URL.Host, redirected: resp.Request.Response != nil,
		name: string(body), want: b.user, took: time.Since(began),
	}
	o.cancelled = o.atSite && bytes.Contains(body, []byte(`data-page="cancelled"`))
	o.lost = path == "/page" && b.expects(began) && (o.redirected || o.status == http.StatusUnauthorized)
	b.learn(o, began)
	b.soak.stats.visit(o)
}

// read sends a request and reads the answer.
func (b *browser) read(r *http.Request) (*http.Response, []byte, error) {
	resp, err := b.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp, body, err
}

// expects reports whether the person is logged in, if nobody has lost their session.
func (b *browser) expects(now time.Time) bool {
	const margin = 5 * time.Second
	return !b.since.IsZero() && now.Sub(b.since) < sessionLife-margin && now.Sub(b.last) < inactivity-margin
}

// learn notes what a visit says about the session.
func (b *browser) learn(o outcome, now time.Time) {
	served := o.page && o.status == http.StatusOK && o.atSite && !o.cancelled
	switch {
	case served && (o.redirected || b.since.IsZero()):
		b.since, b.last = now, now
	case served:
		b.last = now
	case !o.page || o.redirected || o.status == http.StatusUnauthorized:
		b.since = time.Time{} // logged out, or it is not known
	}
}
