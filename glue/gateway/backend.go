package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/listen"
)

// Of a connection to a backend that is not settable.
const (
	backendIdle     = 90 * time.Second // until a kept connection is closed
	continueTimeout = time.Second      // for "100 Continue", before a body is sent anyway
	maxAnswerHeader = 1 << 20          // bytes
	copyBuffer      = 32 << 10         // bytes
)

// backendKey is all that makes two backends different. Rules and configurations that
// agree on it share the connections.
type backendKey struct {
	to              string
	ca              [sha256.Size]byte // of the file's text; zero for the system's
	dial, response  time.Duration
	most, mostIdles int
}

// backend is where requests go: one address with connections of its own.
type backend struct {
	key       backendKey
	name      string // as configured, for the log
	scheme    string
	host      string // for the URL, and for Host where that is not kept
	transport *http.Transport
	slots     chan struct{} // one for each connection in use; nil for no limit
	users     int           // configurations; guarded by Gateway.mu
}

// backendFor returns the backend of a rule, a new one if none is like it. The caller holds
// g.mu, or nobody else knows g yet.
func (g *Gateway) backendFor(cfg *Config, ru *Rule) (*backend, error) {
	l := &cfg.Limits
	key := backendKey{
		to: ru.To, dial: limit(l.DialTimeout), response: limit(cmp.Or(ru.ResponseTimeout, l.ResponseTimeout)),
		most: l.Connections, mostIdles: l.IdleConnections,
	}
	var pem []byte
	if ru.BackendCA != "" {
		var err error
		if pem, err = os.ReadFile(ru.BackendCA); err != nil {
			return nil, err
		}
		key.ca = sha256.Sum256(pem)
	}
	if b := g.backends[key]; b != nil {
		return b, nil
	}
	b, err := newBackend(key, pem)
	if err != nil {
		return nil, err
	}
	g.backends[key] = b
	return b, nil
}

// limit returns a time limit as package net/http has it: zero for none.
func limit(d Duration) time.Duration { return max(0, time.Duration(d)) }

func newBackend(key backendKey, pem []byte) (*backend, error) {
	b := &backend{key: key, name: key.to}
	dialer := &net.Dialer{Timeout: key.dial, KeepAlive: 30 * time.Second}
	b.transport = &http.Transport{
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   key.dial,
		ResponseHeaderTimeout: key.response,
		ExpectContinueTimeout: continueTimeout,
		IdleConnTimeout:       backendIdle,
		MaxIdleConnsPerHost:   key.mostIdles,
		MaxConnsPerHost:       key.most,
		// The backend's own compression goes through as it is, or none.
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxAnswerHeader,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
	}
	if key.most > 0 {
		b.slots = make(chan struct{}, key.most)
	}
	if path, ok := strings.CutPrefix(key.to, listen.Unix); ok {
		b.scheme, b.host = "http", "localhost"
		b.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		return b, nil
	}
	u, err := url.Parse(key.to) // checkTo has let it through
	if err != nil {
		return nil, err
	}
	b.scheme, b.host = u.Scheme, u.Host
	b.transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if pem != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("there is no certificate in it")
		}
		b.transport.TLSClientConfig.RootCAs = pool
	}
	return b, nil
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
