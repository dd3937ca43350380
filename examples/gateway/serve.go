package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// serve starts everything and waits for the context to end.
func serve(ctx context.Context, o options, stdout, stderr io.Writer) error {
	listeners, err := listenAll(&o.addr, &o.wlsAddr, &o.backendAddr)
	defer closeAll(listeners)
	if err != nil {
		return err
	}
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://" + o.wlsAddr, Now: o.now})
	if err != nil {
		return err
	}
	defer fake.Close()
	dir, err := os.MkdirTemp("", "gateway") // for a secret that ends with the program
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg := configure(o, fake, dir, slog.New(slog.NewTextHandler(stderr, nil)))
	if o.show {
		if err := cfg.Show(stdout); err != nil {
			return err
		}
	}
	g, err := gateway.New(cfg)
	if err != nil {
		return err
	}
	server, err := gateway.NewServer(g, cfg, map[string][]net.Listener{"http": listeners[:1]})
	if err != nil {
		return errors.Join(err, g.Close())
	}
	welcome(stdout, cfg, o)
	stopOthers := serveBeside(listeners[1:], fake, http.HandlerFunc(tell))
	err = server.Serve(ctx)
	return errors.Join(err, stopOthers(), g.Close())
}

// configure is what a configuration file says otherwise.
func configure(o options, fake *webauthtest.WLS, dir string, log *slog.Logger) gateway.Config {
	service := fake.Service()
	to := "http://" + o.backendAddr
	return gateway.Config{
		BaseURL:    "http://" + o.addr,
		Service:    &service,
		SecretFile: filepath.Join(dir, "secret"),
		Identity:   gateway.Identity{Send: []string{"remote-user", "x-forwarded-user", "x-aa"}},
		Limits:     gateway.Limits{StopTimeout: gateway.Duration(2 * time.Second)},
		Log:        gateway.Log{Access: "off"},
		Rules: []gateway.Rule{
			{Path: "/", Access: gateway.Optional, To: to},
			{Path: "/public", Access: gateway.Public},
			{Path: "/private", Access: gateway.Login, Desc: "the gateway example"},
			{Path: "/private/admin", Access: gateway.Login, Principals: []string{"test0001"}, Fresh: gateway.Duration(5 * time.Minute)},
		},
		Logger: log,
		Now:    o.now,
	}
}

// listenAll opens all addresses, and puts the ports into them in case those were 0. The
// fake's key is public, and the backend believes whoever connects: loopback it must be.
func listenAll(addrs ...*string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, addr := range addrs {
		host, _, err := net.SplitHostPort(*addr)
		if err != nil {
			return listeners, err
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			return listeners, fmt.Errorf("%s is no loopback address: others could be anybody here", *addr)
		}
		l, err := net.Listen("tcp", *addr)
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, l)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		*addr = net.JoinHostPort(host, port)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close() // most are closed already
	}
}

// serveBeside serves what is not the gateway's, until the function that it gives is
// called.
func serveBeside(listeners []net.Listener, handlers ...http.Handler) (stop func() error) {
	servers := make([]*http.Server, len(handlers))
	failed := make(chan error, len(handlers))
	for i, h := range handlers {
		servers[i] = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		go func() { failed <- servers[i].Serve(listeners[i]) }()
	}
	return func() error {
		var errs []error
		for _, s := range servers {
			errs = append(errs, s.Close())
			if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
}

func welcome(out io.Writer, cfg gateway.Config, o options) {
	fmt.Fprintf(out, "Open %s in a browser.\n", cfg.BaseURL)
	fmt.Fprintf(out, "The fake login service is at %s; it lets in test0001 to test0010, password: test.\n",
		strings.TrimSuffix(cfg.Service.AuthURL, "/auth/authenticate.html"))
	fmt.Fprintf(out, "test0001 may see /private/admin; test0010 lacks ptag \"current\".\n"+
		"The backend is at http://%s; it believes whoever asks it there.\n", o.backendAddr)
	fmt.Fprintln(out, "Stop with Ctrl-C.")
}
