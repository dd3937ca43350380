// Package axetest looks at web pages in a real Chromium, as tests come upon them: light and
// dark, on a wide and on a narrow screen. [axe-core] finds nothing wrong with them, nothing
// makes them scroll sideways, and they ask no other origin for anything.
//
//	var pages axetest.Pages
//	pages.Add("a wrong password", resp, body) // and so on
//	pages.Check(t)
//	pages.Complete(t, ".")
//
// It skips where Chromium or axe-core is not installed, but never in continuous integration.
//
// [axe-core]: https://github.com/dequelabs/axe-core
package axetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Pages are the pages and states of a part of the project.
type Pages struct {
	mu    sync.Mutex
	list  []page
	shown atomic.Int64
}

type page struct {
	name   string
	status int
	header http.Header
	body   string
	shape  string // the body without what differs between two visits and is never seen
	path   string // with the query
	origin string // which has what the page is made of beside its HTML, or ""
}

// Add adds an answer that people see as a page; any other is left out. Whatever the page loads from its
// own origin, such as a style sheet, is got from there when the page is looked at.
func (p *Pages) Add(name string, resp *http.Response, body string) {
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || body == "" || resp.StatusCode/100 == 3 {
		return
	}
	added := page{name: name, status: resp.StatusCode, header: http.Header{}, body: body, shape: changing.ReplaceAllString(body, ""), path: "/"}
	for _, h := range []string{"Content-Type", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"} {
		added.header[h] = resp.Header.Values(h)
	}
	if r := resp.Request; r != nil && r.URL.IsAbs() {
		added.path, added.origin = r.URL.RequestURI(), r.URL.Scheme+"://"+r.URL.Host
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.ContainsFunc(p.list, func(q page) bool { return q.shape == added.shape }) {
		p.list = append(p.list, added)
	}
}

// AddRecorded is Add for the answer of a handler that was called without a server.
func (p *Pages) AddRecorded(name string, w *httptest.ResponseRecorder) {
	p.Add(name, w.Result(), w.Body.String())
}

var changing = regexp.MustCompile(`(?s)<style>.*?</style>|<code>[A-Z2-7]{8}</code>|(localhost|127\.0\.0\.1|%3A|:)[:0-9]+|(value|href|action|data-[a-z]+)="[^"]*"`)

// Transport is a transport that adds all that passes, named after what was asked.
func (p *Pages) Transport(next http.RoundTripper) http.RoundTripper { return transport{p, next} }

type transport struct {
	pages *Pages
	next  http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	if err == nil {
		resp.Request = r
		t.pages.Add(fmt.Sprintf("%s %s (%d)", r.Method, r.URL.Path, resp.StatusCode), resp, string(body))
	}
	return resp, err
}

// Check looks at each page in each view, and fails the test for what is wrong.
func (p *Pages) Check(t *testing.T) {
	t.Helper()
	if len(p.list) == 0 {
		t.Fatal("there is no page to look at")
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	b := start(t, server.URL)
	p.checkPolicies(t, b)
	b.open(t, blank)
	for i, page := range p.list {
		t.Run(page.name, func(t *testing.T) {
			p.shown.Store(int64(i))
			b.write(t, page.path)
			for _, problem := range b.wrong(t) {
				t.Error(problem)
			}
		})
	}
	t.Logf("axe-core: %d pages and states, %d views", len(p.list), len(p.list)*len(views))
}

// checkPolicies opens a page of each Content-Security-Policy: it lets all of the page through.
func (p *Pages) checkPolicies(t *testing.T, b *browser) {
	t.Helper()
	policies := map[string]bool{}
	for i, page := range p.list {
		policy := page.header.Get("Content-Security-Policy")
		if policies[policy] {
			continue
		}
		policies[policy] = true
		p.shown.Store(int64(i))
		b.open(t, page.path)
		for _, problem := range b.complaints() {
			t.Errorf("%s: %s", page.name, problem)
		}
	}
}

// blank is the address of a page with nothing, into which the others are written: most of the
// time that a browser needs for a page is for getting to know axe-core anew. body is that of
// the HTML of the page that is shown.
const blank, body = "/axetest/blank", "/axetest/body"

// ServeHTTP answers as the server of the page that is shown did.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page := p.list[p.shown.Load()]
	switch r.URL.RequestURI() {
	case blank:
		w.Header().Set("Content-Type", "text/html")
	case body:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, page.body)
	case page.path:
		for name, values := range page.header {
			w.Header()[name] = values
		}
		w.WriteHeader(page.status)
		_, _ = io.WriteString(w, page.body)
	case "/favicon.ico":
		w.WriteHeader(http.StatusNoContent)
	default:
		page.part(w, r)
	}
}

// part fetches what a page is made of from its own server.
func (p page) part(w http.ResponseWriter, r *http.Request) {
	if p.origin == "" {
		http.NotFound(w, r)
		return
	}
	resp, err := http.Get(p.origin + r.URL.RequestURI()) // #nosec G107 -- the test's own server
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}
