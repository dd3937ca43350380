package glue_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// actor is somebody at a browser, or an attacker at a program of his own. Requests are
// written byte for byte, because Go's client would put the strange ones right.
type actor struct {
	world *attackWorld
	id    string // the principal
	jar   cookies
	asked string   // the request to the login service that the site sent them with
	reply wlsReply // the login service's answer, on its way back
	page  answer   // the last answer
	late  func()   // stores the cookies of the last answer to a reply

	confirm string // where the button of the last page that asked who it is leads

	button struct { // of the last page that had one
		action string
		hidden url.Values
	}
}

// header is the lines of a request's header, in order.
type header [][2]string

// What browsers send.
var (
	asNavigation = header{
		{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"},
		{"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"},
	}
	asScript = header{
		{"Accept", "application/json"},
		{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Dest", "empty"},
	}
	asForm = header{
		{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}, {"Content-Type", "application/x-www-form-urlencoded"},
		{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"},
	}
)

func (h header) get(name string) string {
	for _, line := range h {
		if strings.EqualFold(line[0], name) {
			return line[1]
		}
	}
	return ""
}

// with gives the header after some edits: "Name: value" replaces, "Name:" removes,
// "+Name: value" adds a line.
func (h header) with(edits []string) header {
	for _, edit := range edits {
		name, value, _ := strings.Cut(edit, ":")
		name, add := strings.CutPrefix(strings.TrimSpace(name), "+")
		value = strings.TrimSpace(value)
		var kept header
		for _, line := range h {
			if add || !strings.EqualFold(line[0], name) {
				kept = append(kept, line)
			}
		}
		if h = kept; value != "" {
			h = append(h, [2]string{name, value})
		}
	}
	return h
}

// place takes a target apart: "@server " in front names the site, otherwise the host does.
func (w *attackWorld) place(target string) (site *attackedSite, host, path string) {
	name := ""
	if rest, ok := strings.CutPrefix(target, "@"); ok {
		name, target, _ = strings.Cut(rest, " ")
	}
	if rest, ok := strings.CutPrefix(target, "https://"); ok {
		i := strings.IndexByte(rest, '/')
		require.GreaterOrEqual(w.t, i, 0, "a URL without a path: %q", target)
		host, target = rest[:i], rest[i:]
		if host == "other.example" && name == "" {
			name = "other"
		}
	}
	if name == "" {
		name = "soc"
	}
	site = w.server(name)
	if host == "" {
		_, host, _ = strings.Cut(site.base, "://")
	}
	return site, host, target
}

// request sends a request to a site, under its own name, and keeps the cookies that come.
func (p *actor) request(site *attackedSite, method, target string, h header, body string) answer {
	_, host, _ := strings.Cut(site.base, "://")
	a := p.send(site, host, method, target, h, body)
	p.jar.take(site.base, host, a.Response.Cookies())
	return a
}

// send writes the request and reads the answer.
func (p *actor) send(site *attackedSite, host, method, target string, h header, body string) answer {
	p.world.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	if h.get("Host") == "" {
		fmt.Fprintf(&b, "Host: %s\r\n", host)
	}
	for _, line := range h {
		fmt.Fprintf(&b, "%s: %s\r\n", line[0], line[1])
	}
	if sent := p.jar.header(host, target, method, h); sent != "" && h.get("Cookie") == "" {
		fmt.Fprintf(&b, "Cookie: %s\r\n", sent)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	fmt.Fprintf(&b, "Connection: close\r\n\r\n%s", body)
	return p.world.exchange(site, b.String())
}

// exchange sends the bytes of a request on a connection of its own, and holds the answer
// against the rules that hold for every answer.
func (w *attackWorld) exchange(site *attackedSite, raw string) answer {
	a, err := site.roundTrip(raw)
	require.NoError(w.t, err)
	a.t = w.t
	rec := &recorder{site: site.testSite}
	rec.collect(a.Request, a.Response, a.Body)
	_, found, _ := webauth.ResponseFrom(a.Request.URL.RawQuery)
	if found || !strings.Contains(raw, webauth.ResponseParam) { // and not in a name that only looks like it
		rec.judge(a.Request, a.Response, a.Body)
	}
	w.requireAtHome(site, a)
	return a
}

// roundTrip may be called from any goroutine.
func (s *attackedSite) roundTrip(raw string) (answer, error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return answer{}, err
	}
	if _, err := io.WriteString(conn, raw); err != nil {
		return answer{}, err
	}
	method, rest, _ := strings.Cut(raw, " ")
	target, _, _ := strings.Cut(rest, " ")
	path, query, _ := strings.Cut(target, "?")
	u, err := url.Parse(s.base)
	if err != nil {
		return answer{}, err
	}
	u.Path, u.RawQuery = path, query
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method, URL: u})
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{Response: resp, Body: string(body)}, err
}

// requireAtHome fails the test where a redirect or a link, as a browser reads it, leads
// anywhere but to the site itself and to its login service.
func (w *attackWorld) requireAtHome(site *attackedSite, a answer) {
	w.t.Helper()
	var targets []string
	if location := a.Header.Get("Location"); location != "" {
		targets = append(targets, location)
	}
	action, _ := a.form()
	targets = append(targets, a.links()...)
	if action != "" {
		targets = append(targets, action)
	}
	service := site.fake.(fakeWLS).Service()
	for _, target := range targets {
		if target == service.LogoutURL || strings.HasPrefix(target, service.AuthURL+"?") {
			continue
		}
		at := browsersOrigin(site.base, target)
		assert.Contains(w.t, []string{site.base, "https://alt.soc.example"}, at, "%q leads away from the site", target)
	}
}

// browsersOrigin is the origin at which a browser ends that is at base and goes to ref, by
// the URL standard of the WHATWG ("basic URL parser"): it drops tabs and line breaks
// anywhere and blanks at the ends, takes \ for /, and more slashes than two for two.
// Empty where that is no http or https URL.
func browsersOrigin(base, ref string) string {
	ref = strings.Trim(ref, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	ref = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(ref)
	ref, _, _ = strings.Cut(ref, "#")
	path, _, _ := strings.Cut(ref, "?")
	path = strings.ReplaceAll(path, `\`, "/")
	baseScheme, _, _ := strings.Cut(base, ":")
	scheme, rest, hasScheme := strings.Cut(path, ":")
	if hasScheme && isScheme(scheme) {
		scheme = strings.ToLower(scheme)
		if scheme != "http" && scheme != "https" {
			return ""
		}
		if scheme == baseScheme && !strings.HasPrefix(rest, "//") {
			return base // "https:path" is relative to an https page
		}
		return scheme + "://" + browsersHost(strings.TrimLeft(rest, "/"))
	}
	if strings.HasPrefix(path, "//") {
		return baseScheme + "://" + browsersHost(strings.TrimLeft(path, "/"))
	}
	return base
}

func browsersHost(rest string) string {
	host, _, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return strings.ToLower(host)
}

func isScheme(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return s != ""
}

// begin notes where the site's events stand, before a request that may be the last.
func (w *attackWorld) begin(site *attackedSite) {
	site.mu.Lock()
	defer site.mu.Unlock()
	w.at, w.since, w.event = site, len(site.events), nil
}

// lastEvent is the last event of the last request, nil if there was none.
func (w *attackWorld) lastEvent() *site.Event {
	w.at.mu.Lock()
	defer w.at.mu.Unlock()
	if w.event == nil && len(w.at.events) > w.since {
		w.event = &w.at.events[len(w.at.events)-1]
	}
	return w.event
}
