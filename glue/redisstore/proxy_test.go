package redisstore_test

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between a Store and Redis, and spoils the connection as told.
type proxy struct {
	addr, target string
	listener     net.Listener
	running      sync.WaitGroup

	mu      sync.Mutex
	change  *sync.Cond
	stalled bool
	toDrop  int
	drops   int
	closed  bool
	conns   map[net.Conn]bool
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{addr: l.Addr().String(), target: target, listener: l, conns: map[net.Conn]bool{}}
	p.change = sync.NewCond(&p.mu)
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// stall stops all bytes in both directions, or lets them flow again.
func (p *proxy) stall(on bool) {
	p.mu.Lock()
	p.stalled = on
	p.mu.Unlock()
	p.change.Broadcast()
}

// dropReplies closes the connection in place of each of the next n replies.
func (p *proxy) dropReplies(n int) {
	p.mu.Lock()
	p.toDrop = n
	p.mu.Unlock()
}

func (p *proxy) dropped() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drops
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.change.Broadcast()
	_ = p.listener.Close()
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		p.conns[in], p.conns[out] = true, true
		if p.closed {
			_, _ = in.Close(), out.Close()
		}
		p.mu.Unlock()
		p.running.Go(func() { p.copy(out, in, false) })
		p.running.Go(func() { p.copy(in, out, true) })
	}
}

func (p *proxy) copy(to, from net.Conn, replies bool) {
	defer func() {
		_, _ = to.Close(), from.Close()
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && !p.pass(replies) {
			return
		}
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

// pass waits until bytes may flow; false if the connection is to break instead.
func (p *proxy) pass(reply bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled && !p.closed {
		p.change.Wait()
	}
	if reply && p.toDrop > 0 {
		p.toDrop--
		p.drops++
		return false
	}
	return !p.closed
}
