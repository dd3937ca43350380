package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// serve starts the site, and its fake unless the login service is a real one, and waits
// for the context to end.
func serve(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	addrs := []*string{&o.addr}
	if o.usesFake() {
		addrs = append(addrs, &o.wlsAddr)
	}
	listeners, err := demo.Listen(addrs...)
	if err != nil {
		return err
	}
	defer demo.Close(listeners)
	fake, err := newFake(o)
	if err != nil {
		return err
	}
	soc, cfg, err := configure(o, fake)
	if err != nil {
		return err
	}
	soc.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	handler, err := newSite(soc, cfg)
	if err != nil {
		return err
	}
	handlers := []http.Handler{handler}
	if fake != nil {
		handlers = append(handlers, fake)
	}
	printWelcome(stdout, soc.BaseURL, cfg.Service.Info().URL, fake)
	return demo.Serve(ctx, listeners, handlers...)
}

func printWelcome(out io.Writer, baseURL string, loginURL string, fake *webauthtest.WLS) {
	fmt.Fprintf(out, "Open %s in a browser.\n", baseURL)
	if fake == nil {
		fmt.Fprintf(out, "People log in at %s.\n", loginURL)
	} else {
		fmt.Fprintf(out, "The fake login service is at %s; it lets in test0001 to test0010, password: test.\n"+
			"test0001 may see the admin page; test0010 lacks ptag \"current\".\n", strings.TrimSuffix(loginURL, "/auth/authenticate.html"))
	}
	fmt.Fprintln(out, demo.Ready)
}
