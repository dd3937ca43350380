package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue/gateway"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// serve starts everything and waits for the context to end.
func (o *options) serve(ctx context.Context, stdout, stderr io.Writer) error {
	// The fake's key is public, and the backend believes whoever connects.
	if err := errors.Join(demo.CheckLoopback(o.addr), demo.CheckLoopback(o.wlsAddr), demo.CheckLoopback(o.backendAddr)); err != nil {
		return err
	}
	listeners, err := demo.Listen(&o.addr, &o.wlsAddr, &o.backendAddr)
	if err != nil {
		return err
	}
	defer demo.Close(listeners)
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
	others, stopOthers := context.WithCancel(context.WithoutCancel(ctx)) // the gateway's requests in flight need them
	stopped := make(chan error, 1)
	go func() { stopped <- demo.Serve(others, listeners[1:], fake, http.HandlerFunc(tell)) }()
	err = server.Serve(ctx)
	stopOthers()
	return errors.Join(err, <-stopped, g.Close())
}

// configure is what a configuration file says otherwise.
func configure(o *options, fake *webauthtest.WLS, dir string, log *slog.Logger) gateway.Config {
	service := fake.Service()
	to := "http://" + o.backendAddr
	return gateway.Config{
		BaseURL:    "http://" + o.addr,
		Service:    service,
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

func welcome(out io.Writer, cfg gateway.Config, o *options) {
	fmt.Fprintf(out, "Open %s in a browser.\n", cfg.BaseURL)
	fmt.Fprintf(out, "The fake login service is at %s; it lets in test0001 to test0010, password: test.\n",
		strings.TrimSuffix(cfg.Service.Info().URL, "/auth/authenticate.html"))
	fmt.Fprintf(out, "test0001 may see /private/admin; test0010 lacks ptag \"current\".\n"+
		"The backend is at http://%s; it believes whoever asks it there.\n", o.backendAddr)
	fmt.Fprintln(out, demo.Ready)
}
