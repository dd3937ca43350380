package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// testNow is when every test begins. The clock stands still until a test moves it.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// program is a quickstart that runs, on ports that were free.
type program struct {
	t       testing.TB
	url     string // of the site
	wls     string // of the fake login service, "" if it has none
	stdout  lockedBuffer
	stderr  lockedBuffer
	stop    context.CancelFunc
	stopped chan struct{}
	err     error // once stopped is closed

	mu  sync.Mutex
	now time.Time
}

// start runs the program with flags until the test ends.
func start(t testing.TB, flags ...string) *program {
	t.Helper()
	o, err := parseFlags(append([]string{"-addr", "localhost:0", "-wls-addr", "127.0.0.1:0"}, flags...), io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	p := &program{t: t, stop: cancel, stopped: make(chan struct{}), now: testNow}
	o.now = p.clock
	started := make(chan struct{})
	p.stdout.after("Stop with Ctrl-C.\n", func() { close(started) })
	go func() {
		defer close(p.stopped)
		p.err = serve(ctx, o, &p.stdout, &p.stderr)
	}()
	t.Cleanup(p.end)
	select {
	case <-started:
	case <-p.stopped:
		require.NoError(t, p.err)
	}
	p.url = firstMatch(t, `Open (http\S+) in a browser`, p.stdout.String())
	if o.usesFake() {
		p.wls = firstMatch(t, `login service is at (http\S+);`, p.stdout.String())
	}
	return p
}

// end stops the program, as Ctrl-C does, and waits for it.
func (p *program) end() {
	p.stop()
	<-p.stopped
	assert.NoError(p.t, p.err)
}

func (p *program) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// advance moves the clock of the site and of its fake.
func (p *program) advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// person is a browser with cookies that logs in as a user at the program's fake.
func (p *program) person(user string) *person {
	p.t.Helper()
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: p.wls}) // for its clients alone
	require.NoError(p.t, err)
	return &person{t: p.t, site: p.url, client: fake.Client(user)}
}

type person struct {
	t      testing.TB
	site   string
	client *http.Client
}

// answer is the end of a chain of redirects.
type answer struct {
	*http.Response
	body string
}

// page is which page of the site or of package glue it is; empty if it is none.
func (a answer) page() string { return match(`<main[^>]* data-page="([a-z-]+)"`, a.body) }

// principal is who the page says is logged in.
func (a answer) principal() string { return match(`id="principal">([^<]*)<`, a.body) }

func (p *person) do(method, path string, form url.Values, header ...string) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, p.site+path, strings.NewReader(form.Encode()))
	require.NoError(p.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := p.client.Do(r)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return answer{resp, string(body)}
}

func (p *person) get(path string) answer {
	p.t.Helper()
	return p.do(http.MethodGet, path, nil)
}

// post sends a form from a page of the site; fields are names and values.
func (p *person) post(path string, fields ...string) answer {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return p.do(http.MethodPost, path, form)
}

// requirePage fails the test unless the answer is that page, as seen by that user.
func requirePage(t testing.TB, a answer, status int, page, principal string) {
	t.Helper()
	require.Equal(t, page, a.page(), "status %d at %s:\n%s", a.StatusCode, a.Request.URL, a.body)
	require.Equal(t, status, a.StatusCode)
	require.Equal(t, principal, a.principal())
	if status == http.StatusOK {
		require.NotContains(t, a.Request.URL.RawQuery, "WLS-Response", "in the address bar")
	}
}

// match gives the first group of the first match, empty if there is none.
func match(expr, text string) string {
	if m := regexp.MustCompile(expr).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func firstMatch(t testing.TB, expr, text string) string {
	t.Helper()
	found := match(expr, text)
	require.NotEmpty(t, found, "%s in %q", expr, text)
	return found
}

// lockedBuffer is a buffer for several goroutines, which can tell when something has
// been written.
type lockedBuffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	wait string
	then func()
}

// after calls then once text has been written.
func (l *lockedBuffer) after(text string, then func()) { l.wait, l.then = text, then }

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.b.Write(p)
	if l.then != nil && strings.Contains(l.b.String(), l.wait) {
		l.then()
		l.then = nil
	}
	return n, err
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
