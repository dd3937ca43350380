package demo

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// CheckLoopback refuses an address that other machines reach: at a fake login service
// anybody is anybody.
func CheckLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return cli.Usage(err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return cli.Usagef("%s: want an address of this machine only, such as 127.0.0.1 or localhost", addr)
	}
	return nil
}

// Listen opens all the addresses, and puts the ports into them in case those were 0.
// After an error none is open.
func Listen(addrs ...*string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, addr := range addrs {
		l, err := net.Listen("tcp", *addr)
		if err != nil {
			Close(listeners)
			return nil, err
		}
		listeners = append(listeners, l)
		host, _, _ := net.SplitHostPort(*addr)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		*addr = net.JoinHostPort(cmp.Or(host, "localhost"), port)
	}
	return listeners, nil
}

// Close closes listeners; those of servers that have stopped are closed already.
func Close(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// stopGrace is how long requests in flight may take when the program stops.
const stopGrace = 2 * time.Second

// Serve serves each handler at the listener of the same place until the context ends or
// one of them fails, and then stops them all.
func Serve(ctx context.Context, listeners []net.Listener, handlers ...http.Handler) error {
	servers := make([]*http.Server, len(handlers))
	failed := make(chan error, len(handlers))
	for i, h := range handlers {
		servers[i] = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
		go func() { failed <- servers[i].Serve(listeners[i]) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	for _, s := range servers {
		stopped := s.Shutdown(grace)
		if errors.Is(stopped, context.DeadlineExceeded) {
			// Browsers keep spare connections that they never send anything on, which
			// is nothing to wait for.
			stopped = s.Close()
		}
		err = errors.Join(err, stopped)
	}
	return err
}
