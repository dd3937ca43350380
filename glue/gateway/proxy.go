package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/headers"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// proxied is one request on its way to a backend and its answer on the way back. It is
// the answer's http.ResponseWriter and the request's body, so that one allocation does.
type proxied struct {
	http.ResponseWriter
	body    io.ReadCloser
	ended   bool        // the body has been read to its end
	trailer http.Header // of the request that goes on

	c    *core
	rule *rule
	in   *http.Request

	answered *http.Response // by the backend; nil until then

	ours   []field // what was set before the backend answered
	fields [6]field
	err    error // why the request must not go on
	// readErr is of the request's body, other than its end. The transport may still read that
	// when it has failed.
	readErr atomic.Pointer[error]
}

// field is a header with its values.
type field struct {
	name   string
	values []string
}

// forward passes requests on to the rule's backend.
func (c *core) forward(ru *rule) http.Handler {
	if ru.backend == nil {
		return http.HandlerFunc(c.notFound)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.pass(w, r, ru) })
}

func (c *core) pass(w http.ResponseWriter, r *http.Request, ru *rule) {
	b := ru.backend
	observe.RecordOf(r.Context()).Backend = b.name
	n := notesOf(r.Context())
	p := &n.proxied
	*p = proxied{ResponseWriter: w, c: c, rule: ru, in: r}
	n.body.use(ru.cfg.BodyRate)
	if most := c.cfg.Limits.BodyBytes; most > 0 {
		if r.ContentLength > most {
			w.Header().Set("Connection", "close")
			c.refuse(w, r, "too-large", nil, pageTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
	}
	if b.slots != nil {
		if err := b.enter(r.Context()); err != nil {
			p.failed(w, err)
			return
		}
		defer b.leave()
	}
	if r.Header["Upgrade"] != nil && isWebSocket(r.Header) || isGRPC(r.Header) {
		var cancel context.CancelFunc
		if r, cancel = c.whileLoggedIn(r, ru); cancel != nil {
			defer cancel()
		}
	}
	p.takeHeaders()
	c.proxy.ServeHTTP(p, r)
	if p.answered != nil && len(p.answered.Trailer) > 0 {
		p.cleanTrailers()
	}
}

// newProxy makes what all rules share. Where a request goes is in its notes.
func newProxy(c *core) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { proxiedOf(pr.In).rewrite(pr) },
		ModifyResponse: func(resp *http.Response) error { return proxiedOf(resp.Request).answer(resp) },
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { proxiedOf(r).broken(err) },
		Transport:      transports{},
		BufferPool:     newBuffers(),
		ErrorLog:       slog.NewLogLogger(c.cfg.Logger.Handler(), slog.LevelDebug),
	}
}

// transports sends each request through its backend's own.
type transports struct{}

func (transports) RoundTrip(r *http.Request) (*http.Response, error) {
	p := proxiedOf(r)
	if p.err != nil {
		return nil, p.err
	}
	return p.rule.backend.roundTrip(r)
}

// proxiedOf returns what pass noted. Every request that gets there has notes.
func proxiedOf(r *http.Request) *proxied { return &notesOf(r.Context()).proxied }

// rewrite makes the request that the backend gets. The proxy has removed hop-by-hop
// headers already, and what Connection lists, so nothing that is set here can be undone
// by a client.
func (p *proxied) rewrite(pr *httputil.ProxyRequest) {
	c, ru, in, out := p.c, p.rule, pr.In, pr.Out
	b := ru.backend
	path, escaped := in.URL.Path, c.settlePlus(in.Host, in.URL.RawPath, ru)
	if ru.strip != "" {
		path, escaped = stripPath(ru, escaped)
	}
	*out.URL = url.URL{Scheme: b.scheme, Host: b.host, Path: path, RawPath: escaped, RawQuery: in.URL.RawQuery, ForceQuery: in.URL.ForceQuery}
	out.Host = in.Host
	if ru.renamed {
		out.Host = b.host
	}
	p.announceTrailers(out)
	if out.Body != nil {
		p.body, out.Body = out.Body, p
	}
	p.cleanHeaders(out.Header)
	setForwarding(out.Header, in, ru)
	p.err = c.identity.set(out.Header, in, ru)
}

// stripPath returns the path without that of the rule, or of the one whose backend it has.
// Letter case apart, the request's path begins with it, segment by segment.
func stripPath(ru *rule, whole string) (path, escaped string) {
	escaped = whole
	for range strings.Count(ru.strip, "/") {
		next := strings.IndexByte(escaped[1:], '/')
		if next < 0 {
			return "/", "/"
		}
		escaped = escaped[1+next:]
	}
	return decoded(escaped), escaped
}

// cleanHeaders removes what clients must not tell the backend, and what is not for it.
func (p *proxied) cleanHeaders(h http.Header) {
	p.c.stripHeaders(h, p.rule)
	if lines := h["Cookie"]; lines != nil {
		if lines = headers.WithoutCookies(lines, p.c.site.OwnCookie); len(lines) > 0 {
			h["Cookie"] = lines
		} else {
			delete(h, "Cookie")
		}
	}
	if p.rule.cfg.Access == Basic || p.rule.noBasic && hasBasic(h) {
		delete(h, "Authorization") // our passwords are not the backend's business
	}
	if _, ok := h["Upgrade"]; ok && !isWebSocket(h) {
		delete(h, "Upgrade") // h2c above all, in which nothing here could look
		delete(h, "Connection")
	}
	if referer := h["Referer"]; len(referer) > 0 {
		if before, query, ok := strings.Cut(referer[0], "?"); ok {
			h["Referer"] = []string{strings.TrimSuffix(before+"?"+observe.StripAnswer(before, query), "?")}
		}
	}
}

// hasBasic reports whether a request brings a name and a password (RFC 7617). Browsers
// send those that one path asked for to others of the host too.
func hasBasic(h http.Header) bool {
	const scheme = "basic"
	for _, line := range h["Authorization"] {
		line = strings.TrimLeft(line, " \t,")
		if len(line) >= len(scheme) && strings.EqualFold(line[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// setForwarding tells the backend where the request comes from: what package site found
// out, never what the client says.
func setForwarding(h http.Header, in *http.Request, ru *rule) {
	values := []string{in.Host, site.Scheme(in), ""}
	h["X-Forwarded-Host"], h["X-Forwarded-Proto"] = values[0:1:1], values[1:2:2]
	if addr := site.ClientIP(in); addr.IsValid() {
		values[2] = addr.String()
		h["X-Forwarded-For"] = values[2:3:3]
	}
	if ru.strip != "" {
		h["X-Forwarded-Prefix"] = []string{ru.strip}
	}
}

// Read reads the request's body and notes whether that fails: then it is not the backend
// that is to blame. The end is told from here when it has been reached: a transport asks
// twice for it, and the server, which closes a body as soon as the answer begins, would
// say that it is closed, and the transport then break the answer off.
func (p *proxied) Read(b []byte) (int, error) {
	if p.ended {
		return 0, io.EOF
	}
	n, err := p.body.Read(b)
	switch {
	case err == io.EOF:
		p.ended = true
		p.takeTrailers()
	case err != nil:
		failed := err // for err itself would be on the heap each time
		p.readErr.Store(&failed)
	}
	return n, err
}

// Close leaves the request's body as it is, which the proxy ends with the request: a
// transport that could not connect is not the last that wants it.
func (p *proxied) Close() error { return nil }

// Unwrap is for http.ResponseController.
func (p *proxied) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// takeHeaders takes the headers that were set so far. The proxy adds the backend's to
// what is there, and clears all after an interim answer; ours come back in answer.
func (p *proxied) takeHeaders() {
	h := p.Header()
	p.ours = p.fields[:0]
	for name, values := range h {
		p.ours = append(p.ours, field{name, values})
	}
	clear(h)
}

// WriteHeader passes on an interim answer without the headers that only a final one may
// have been checked for.
func (p *proxied) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		h := p.Header()
		for name := range h {
			if status != http.StatusEarlyHints || name != "Link" {
				delete(h, name)
			}
		}
	}
	p.ResponseWriter.WriteHeader(status)
}

// answer makes of the backend's answer what the client gets.
func (p *proxied) answer(resp *http.Response) error {
	p.answered = resp
	if isGRPC(p.in.Header) {
		endsWithRequest(resp)
	}
	for name := range resp.Trailer {
		if !p.c.isTrailer(name) {
			delete(resp.Trailer, name) // as announced; it comes unannounced then, for cleanTrailers
		}
	}
	h := resp.Header
	headers.DropSetCookies(h, p.c.site.OwnCookie)
	p.reverse(h)
	if p.rule.cfg.Access != Public {
		headers.KeepPrivate(h)
	}
	for _, f := range p.ours {
		switch {
		case f.name == "Set-Cookie":
			h[f.name] = append(f.values[:len(f.values):len(f.values)], h[f.name]...)
		case h[f.name] == nil:
			h[f.name] = f.values
		}
	}
	return nil
}

// broken answers for a backend that did not.
func (p *proxied) broken(err error) {
	h := p.Header()
	for _, f := range p.ours {
		h[f.name] = f.values
	}
	p.failed(p.ResponseWriter, err)
}

// failed answers a request that did not reach its backend, or whose answer did not come.
func (p *proxied) failed(w http.ResponseWriter, err error) {
	c, r := p.c, p.in
	fault := func(reason string, retry bool) {
		c.metrics.backendErrors.WithLabelValues(p.rule.label, reason).Inc()
		if retry {
			w.Header().Set("Retry-After", "5")
		}
	}
	var readErr error
	if failed := p.readErr.Load(); failed != nil {
		readErr = *failed
	}
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge) || errors.As(readErr, &tooLarge):
		c.refuse(w, r, "too-large", nil, pageTooLarge)
	case errors.Is(err, errUnsafe):
		c.refuse(w, r, "identity", err, pageIdentity)
	case errors.Is(readErr, errSlowBody):
		w.Header().Set("Connection", "close")
		c.refuse(w, r, "slow-body", readErr, pageSlowBody)
	case r.Context().Err() != nil:
		w.WriteHeader(http.StatusBadGateway) // nobody is there to read it
	case readErr != nil:
		c.refuse(w, r, "body", readErr, pageBadRequest)
	case errors.Is(err, errBusy):
		fault("busy", true)
		c.refuse(w, r, "backend-busy", err, pageBusy)
	case isTimeout(err):
		fault("timeout", false)
		c.refuse(w, r, "backend-timeout", err, pageSlow)
	case isDial(err):
		fault("dial", true)
		c.refuse(w, r, "backend-down", err, pageDown)
	default:
		fault("broken", false)
		c.refuse(w, r, "backend-broken", err, pageDown)
	}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED)
}
