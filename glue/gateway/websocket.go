package gateway

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
)

// isWebSocket reports whether exactly that is what a request would upgrade to.
func isWebSocket(h http.Header) bool {
	to := h["Upgrade"]
	return len(to) == 1 && strings.EqualFold(to[0], "websocket")
}

// isGRPC reports whether a request is a call of gRPC, which may be a stream both ways.
func isGRPC(h http.Header) bool {
	of := h["Content-Type"]
	return len(of) == 1 && strings.HasPrefix(of[0], "application/grpc")
}

// endsWithRequest ends an answer with the context of its request. A transport for HTTP/2 does
// not look at that while it waits for what the client says next.
func endsWithRequest(resp *http.Response) {
	body := resp.Body // httputil.ReverseProxy takes it out of an answer that upgrades
	context.AfterFunc(resp.Request.Context(), func() { _ = body.Close() })
}

// whileLoggedIn returns a request that ends with the session of whoever makes it. A
// WebSocket would outlive that, as no request of it is looked at again, and so would a
// stream of gRPC. There is nothing to cancel where there is no session.
func (c *core) whileLoggedIn(r *http.Request, ru *rule) (*http.Request, context.CancelFunc) {
	if ru.cfg.Access == Public || ru.cfg.Access == Basic {
		return r, nil
	}
	who, known := glue.IdentityFrom(r.Context())
	if !known {
		return r, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), who.Expires.Sub(c.cfg.Now()))
	return r.WithContext(ctx), cancel
}

// Hijack hands over the client's connection, for [httputil.ReverseProxy] to copy from and to.
func (p *proxied) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(p.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	p.answered = nil // it would be kept as long as the connection
	return &webSocket{conn, p.c.proxy.BufferPool}, rw, nil
}

// idleBuffer is how many bytes are held for each direction of a WebSocket that is silent.
const idleBuffer = 256

// webSocket is the client's end of one. It brings its own copying, which io.Copy prefers:
// thousands stay open and say nothing, and io.Copy's two buffers are 64 KiB for each.
type webSocket struct {
	net.Conn
	buffers httputil.BufferPool
}

// WriteTo sends the backend what the client says.
func (s *webSocket) WriteTo(backend io.Writer) (int64, error) { return s.copy(backend, s.Conn) }

// ReadFrom sends the client what the backend says.
func (s *webSocket) ReadFrom(backend io.Reader) (int64, error) { return s.copy(s.Conn, backend) }

// CloseWrite tells the client that the backend has no more to say.
func (s *webSocket) CloseWrite() error {
	if conn, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite()
	}
	return http.ErrNotSupported
}

// copy copies until the end. It waits with a small buffer and takes a large one from the
// pool for as long as there is enough to fill it.
func (s *webSocket) copy(dst io.Writer, src io.Reader) (written int64, err error) {
	small := make([]byte, idleBuffer)
	buffer := small
	for {
		n, err := src.Read(buffer)
		if n > 0 {
			m, failed := dst.Write(buffer[:n])
			written += int64(m)
			err = cmp.Or(failed, err)
		}
		full := n == len(buffer) && err == nil
		switch large := len(buffer) > idleBuffer; {
		case full && !large:
			buffer = s.buffers.Get()
		case !full && large:
			s.buffers.Put(buffer)
			buffer = small
		}
		if err == io.EOF {
			return written, nil
		}
		if err != nil {
			return written, err
		}
	}
}
