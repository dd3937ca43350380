package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
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

// program is an example that runs, on ports that were free.
type program struct {
	t       testing.TB
	at      addresses
	stdout  lockedBuffer
	stderr  lockedBuffer
	stop    context.CancelFunc
	stopped chan struct{}
	err     error // once stopped is closed

	mu  sync.Mutex
	now time.Time
}

// start runs the program with flags until the test ends. Its clock, which the login
// service shares, stands still until a test moves it; it begins now because the
// application's does not.
func start(t testing.TB, flags ...string) *program {
	t.Helper()
	o, err := parseFlags(append([]string{"-addr", "localhost:0", "-wls-addr", "127.0.0.1:0", "-app-addr", "127.0.0.1:0"}, flags...), io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	p := &program{t: t, stop: cancel, stopped: make(chan struct{}), now: time.Now()}
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
	welcome := p.stdout.String()
	p.at = addresses{
		site: firstMatch(t, `The site: +(\S+)`, welcome), app: firstMatch(t, `application: +(\S+)`, welcome),
		wls: firstMatch(t, `login service: +(\S+)`, welcome),
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

// advance moves the clock of the site and of the login service.
func (p *program) advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// person is a browser with cookies that logs in as a user by itself.
func (p *program) person(user string) *person {
	p.t.Helper()
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: p.at.wls}) // for its clients alone
	require.NoError(p.t, err)
	return &person{p.t, p.at, fake.Client(user)}
}

type person struct {
	t      testing.TB
	at     addresses
	client *http.Client
}

// answer is the end of a chain of redirects.
type answer struct {
	*http.Response
	body string
}

// page is which page it is; empty if it is none.
func (a answer) page() string { return match(`<main[^>]* data-page="([a-z-]+)"`, a.body) }

func (p *person) get(address string) answer {
	p.t.Helper()
	return p.send(http.MethodGet, address, nil)
}

// post sends the form of a page, with what it holds already and with these fields.
func (p *person) post(from answer, action string, fields ...string) answer {
	p.t.Helper()
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(from.body, -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	to, err := from.Request.URL.Parse(action)
	require.NoError(p.t, err)
	return p.send(http.MethodPost, to.String(), form)
}

func (p *person) send(method, address string, form url.Values) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	require.NoError(p.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return read(p.t, p.client, r)
}

// call uses the API as a program does: with a token, and without cookies.
func (p *program) call(method, path, token, body string) answer {
	p.t.Helper()
	r, err := http.NewRequest(method, p.at.site+path, strings.NewReader(body))
	require.NoError(p.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return read(p.t, http.DefaultClient, r)
}

func read(t testing.TB, client *http.Client, r *http.Request) answer {
	t.Helper()
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp, string(body)}
}

// fields of the JSON object that an answer is.
func (a answer) fields(t testing.TB) map[string]any {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &fields), a.body)
	return fields
}

// match gives the first group of the first match, empty if there is none.
func match(expr, text string) string {
	if m := regexp.MustCompile(expr).FindStringSubmatch(text); m != nil {
		return html.UnescapeString(m[1])
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
