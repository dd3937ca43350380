package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// serve starts everything and waits for the context to end.
func serve(ctx context.Context, o options, stdout, stderr io.Writer) error {
	siteListener, err := listen(&o.addr)
	if err != nil {
		return err
	}
	defer siteListener.Close()
	listeners := []net.Listener{siteListener}
	if o.usesFake() {
		fakeListener, err := listen(&o.wlsAddr)
		if err != nil {
			return err
		}
		defer fakeListener.Close()
		listeners = append(listeners, fakeListener)
	}
	fake, err := newFake(o)
	if err != nil {
		return err
	}
	cfg, err := configure(o, fake)
	if err != nil {
		return err
	}
	cfg.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	handler, err := newSite(cfg)
	if err != nil {
		return err
	}
	servers := []*http.Server{newServer(handler)}
	if fake != nil {
		servers = append(servers, newServer(fake))
	}
	printWelcome(stdout, cfg, fake)
	return serveAll(ctx, servers, listeners)
}

// listen puts the port into the address, in case that was 0.
func listen(addr *string) (net.Listener, error) {
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(*addr)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	*addr = net.JoinHostPort(host, port)
	return l, nil
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}

// stopGrace is how long requests in flight may take when the program stops.
const stopGrace = 2 * time.Second

func serveAll(ctx context.Context, servers []*http.Server, listeners []net.Listener) error {
	failed := make(chan error, len(servers))
	for i, s := range servers {
		go func() { failed <- s.Serve(listeners[i]) }()
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

func printWelcome(out io.Writer, cfg glue.Config, fake *webauthtest.WLS) {
	fmt.Fprintf(out, "Open %s in a browser.\n", cfg.BaseURL)
	if fake == nil {
		fmt.Fprintf(out, "People log in at %s.\n", cfg.Service.AuthURL)
	} else {
		fmt.Fprintf(out, "The fake login service is at %s; it lets in test0001 to test0010, password: test.\n"+
			"test0001 may see the admin page; test0010 lacks ptag \"current\".\n", strings.TrimSuffix(cfg.Service.AuthURL, "/auth/authenticate.html"))
	}
	fmt.Fprintln(out, "Stop with Ctrl-C.")
}
