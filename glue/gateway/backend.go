package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
)

// Of a connection to a backend that is not settable.
const (
	continueTimeout = time.Second // for "100 Continue", before a body is sent anyway
	maxAnswerHeader = 1 << 20     // bytes
	copyBuffer      = 32 << 10    // bytes
)

// backendKey is all that makes two backends different. Rules and configurations that
// agree on it share the connections.
type backendKey struct {
	to                   string
	tls                  [sha256.Size]byte // of what the rule says about TLS, and its files; zero for nothing
	dial, response, idle time.Duration
	most, mostIdles      int
}

// backend is where requests go: one address with connections of its own.
type backend struct {
	key    backendKey
	name   string // as configured, for the log
	scheme string
	host   string // for the URL, and for Host where that is not kept

	transport *http.Transport // HTTP/1.1, and for https what the backend chooses
	h2        *http.Transport // HTTP/2 alone; nil where that is not spoken
	speaks    atomic.Int32    // what is known of that: versionUnknown and so on

	slots chan struct{} // one for each request on its way; nil for no limit
	users int           // configurations; guarded by Gateway.mu
}

// backendFor returns the backend of a rule, a new one if none is like it. An error of the
// rule's is a *fieldError. The caller holds g.mu, or nobody else knows g yet.
func (g *Gateway) backendFor(cfg *Config, ru *Rule) (*backend, error) {
	l := &cfg.Limits
	spoken, err := backendTLS(ru)
	if err != nil {
		return nil, err
	}
	key := backendKey{
		to: ru.To, tls: spoken.digest, dial: limit(l.DialTimeout), response: limit(cmp.Or(ru.ResponseTimeout, l.ResponseTimeout)),
		idle: limit(cmp.Or(ru.BackendIdleTimeout, l.BackendIdleTimeout)), most: l.Connections, mostIdles: l.IdleConnections,
	}
	if b := g.backends[key]; b != nil {
		return b, nil
	}
	b, err := newBackend(key, spoken.config)
	if err != nil {
		return nil, err
	}
	if spoken.warning != "" {
		cfg.Logger.Warn("wls gateway: " + ru.BackendKey + " " + spoken.warning)
	}
	g.backends[key] = b
	return b, nil
}

// limit returns a time limit as package net/http has it: zero for none.
func limit(d Duration) time.Duration { return max(0, time.Duration(d)) }

func newBackend(key backendKey, config *tls.Config) (*backend, error) {
	b := &backend{key: key, name: key.to}
	if key.most > 0 {
		b.slots = make(chan struct{}, key.most)
	}
	b.transport = newTransport(&key)
	if path, ok := strings.CutPrefix(key.to, listen.Unix); ok {
		b.scheme, b.host = "http", "localhost"
		dial := b.transport.DialContext
		b.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, "unix", path) }
		return b, nil
	}
	u, err := url.Parse(key.to) // checkTo has let it through
	if err != nil {
		return nil, &fieldError{"to", err}
	}
	b.scheme, b.host = u.Scheme, u.Host
	switch u.Scheme {
	case schemeH2C:
		b.scheme, b.h2 = "http", newH2CTransport(&key)
		b.speaks.Store(versionHTTP2)
	case "https":
		b.transport.TLSClientConfig = config
		offerHTTP2(b.transport)
		b.h2 = newHTTP2Transport(&key, config)
	}
	return b, nil
}

// closeIdle gives up the connections that nothing uses.
func (b *backend) closeIdle() {
	b.transport.CloseIdleConnections()
	if b.h2 != nil {
		b.h2.CloseIdleConnections()
	}
}

// errBusy says that all connections to a backend stayed in use.
var errBusy = errors.New("all connections to the backend are in use")

// enter waits for a free connection, as long as for making one.
func (b *backend) enter(ctx context.Context) error {
	select {
	case b.slots <- struct{}{}:
		return nil
	default:
	}
	if b.key.dial > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.key.dial, errBusy)
		defer cancel()
	}
	select {
	case b.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *backend) leave() { <-b.slots }

// buffers are for copying answers.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([copyBuffer]byte) }}}
}

func (b *buffers) Get() []byte { return b.pool.Get().(*[copyBuffer]byte)[:] }

func (b *buffers) Put(buffer []byte) { b.pool.Put((*[copyBuffer]byte)(buffer)) }
