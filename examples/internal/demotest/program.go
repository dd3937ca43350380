// Package demotest runs the example programs in tests: on free ports, with a clock that
// stands still until a test moves it, and with people at browsers.
package demotest

import (
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// Program is an example that runs.
type Program struct {
	Stdout, Stderr Buffer

	t    testing.TB
	stop context.CancelFunc
	done chan struct{}
	code int // once done is closed

	mu  sync.Mutex
	now time.Time
}

// Start runs a program until the test ends, and waits until it serves. Its options get
// the test's clock, which begins at a time.
func Start(t testing.TB, now time.Time, program func(clock func() time.Time) demo.Program, flags ...string) *Program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &Program{t: t, stop: cancel, done: make(chan struct{}), now: now}
	ready := make(chan struct{})
	p.Stdout.after(demo.Ready+"\n", func() { close(ready) })
	go func() {
		defer close(p.done)
		p.code = program(p.Clock).Start(ctx, flags, &p.Stdout, &p.Stderr)
	}()
	t.Cleanup(p.End)
	select {
	case <-ready:
	case <-p.done:
		require.Fail(t, "it stopped by itself", p.Stderr.String())
	}
	return p
}

// End stops the program, as Ctrl-C does, and waits for it.
func (p *Program) End() {
	p.stop()
	<-p.done
	assert.Zero(p.t, p.code, &p.Stderr)
}

// Clock is the time at which the program believes to be.
func (p *Program) Clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// Advance moves the clock.
func (p *Program) Advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// Printed returns the first group of an expression in what the program has printed.
func (p *Program) Printed(expr string) string {
	p.t.Helper()
	return FirstMatch(p.t, expr, p.Stdout.String())
}

// Client is a browser with cookies that logs in by itself, as a user, at the fake login
// service of an address; as nobody if the user is "".
func Client(t testing.TB, wls, user string) *http.Client {
	t.Helper()
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: wls}) // for its clients alone
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return fake.Client(user)
}

// Answer is the end of a chain of redirects.
type Answer struct {
	*http.Response
	Body string
}

// Do sends a request and reads the answer.
func Do(t testing.TB, client *http.Client, r *http.Request) Answer {
	t.Helper()
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return Answer{resp, string(body)}
}

// Page is the name of the page that the answer is; empty if it is none.
func (a Answer) Page() string { return Match(`<main[^>]* data-page="([a-z-]+)"`, a.Body) }

// Principal is who the page says is logged in.
func (a Answer) Principal() string { return Match(`id="principal">([^<]*)<`, a.Body) }

// Match returns the first group of the first match, empty if there is none.
func Match(expr, text string) string {
	if m := regexp.MustCompile(expr).FindStringSubmatch(text); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

// FirstMatch is Match that fails the test where there is none.
func FirstMatch(t testing.TB, expr, text string) string {
	t.Helper()
	found := Match(expr, text)
	require.NotEmpty(t, found, "%s in %q", expr, text)
	return found
}

// Buffer is a buffer for several goroutines.
type Buffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	wait string
	then func()
}

// after calls then once text has been written.
func (b *Buffer) after(text string, then func()) { b.wait, b.then = text, then }

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.b.Write(p)
	if b.then != nil && strings.Contains(b.b.String(), b.wait) {
		b.then()
		b.then = nil
	}
	return n, err
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
