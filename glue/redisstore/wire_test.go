package redisstore_test

import (
	"bytes"
	"context"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// wire is the way to Redis. It counts the commands about a site's keys, which are sent one
// by one, and runs what is to happen before one of them.
type wire struct {
	mu     sync.Mutex
	sent   int
	before map[int]func() // by the number of the command
}

// through lets a Store use the wire.
func (w *wire) through(c *redisstore.Config) {
	o, err := redis.ParseURL(c.URL)
	if err != nil {
		panic(err)
	}
	c.URL, c.Redis = "", &redis.UniversalOptions{Addrs: []string{o.Addr}, Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return wired{conn, w}, err
	}}
}

// count returns how many commands f sends. before is what to run ahead of which of them.
func (w *wire) count(f func(), before map[int]func()) int {
	w.set(before)
	f()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

func (w *wire) set(before map[int]func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent, w.before = 0, before
}

// next is for the next command.
func (w *wire) next() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
	f := w.before[w.sent]
	delete(w.before, w.sent)
	return f
}

type wired struct {
	net.Conn
	wire *wire
}

func (c wired) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("wls1:{")) {
		if f := c.wire.next(); f != nil {
			f()
		}
	}
	return c.Conn.Write(b)
}
