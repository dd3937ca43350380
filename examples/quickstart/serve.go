package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue"
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
	defer fake.Close()
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
	if o.usesFake() {
		handlers = append(handlers, fake)
	}
	printWelcome(stdout, o, soc.BaseURL, cfg)
	return demo.Serve(ctx, listeners, handlers...)
}

func printWelcome(out io.Writer, o *options, baseURL string, cfg glue.Config) {
	fmt.Fprintf(out, "Open %s in a browser.\n", baseURL)
	if o.usesFake() {
		fmt.Fprintf(out, "The fake login service is at %s; it lets in test0001 to test0010, password: test.\n"+
			"test0001 may see the admin page; test0010 lacks ptag \"current\".\n", httpURL(o.wlsAddr))
	} else {
		fmt.Fprintf(out, "People log in at %s.\n", cfg.Service.Info().URL)
	}
	if o.login == "oidc" && !o.usesFake() {
		fmt.Fprintf(out, "It must know %s%s as a redirect URI.\n", baseURL, cfg.LoginPath)
		if cfg.Policy.AnyPtags {
			fmt.Fprintln(out, "Whoever can log in there comes in; -ptags names groups.")
		}
	}
	fmt.Fprintln(out, demo.Ready)
}
