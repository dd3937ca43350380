// Command fakewls is a fake web login service that speaks Ucam-WebAuth, for trying any
// client of the protocol, in any language, by hand.
//
//	fakewls -addr 127.0.0.1:8081 -key FILE -write-pubkey DIR
//
// It prints where to send people to log in, the users, and where the key is; then one
// line for every request, with what was wrong with it: at level WARN, with a complaint, where
// it was answered all the same. Interrupt it to stop.
//
// It is for tests only: the passwords are public, and anybody who can reach it can log
// in as anyone. So it listens on loopback addresses alone, unless -insecure-any-addr is
// given.
package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

func main() {
	os.Exit(run(cli.UntilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it serves until ctx ends and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args)
	if err == nil {
		err = serve(ctx, o, stdout)
	}
	return cli.Program{Name: "fakewls", Help: help()}.Finish(err, stdout, stderr)
}

func serve(ctx context.Context, o *options, stdout io.Writer) error {
	key, err := signingKey(o.keyFile)
	if err != nil {
		return err
	}
	published := "not written; -write-pubkey DIR does"
	if o.pubkeyDir != "" {
		if published, err = writePublicKey(o.pubkeyDir, o.kid, &key.private.PublicKey); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stdout, nil))
	wls, err := webauthtest.NewWLS(webauthtest.Config{
		BaseURL: baseURL(listener.Addr()), Users: o.users, Key: key.private, Kid: o.kid, Quirks: o.quirks, Faults: o.faults,
		Seed: uint64(time.Now().UnixNano()), OnExchange: func(e webauthtest.Exchange) { report(log, e) },
	})
	if err != nil {
		_ = listener.Close()
		return err
	}
	introduce(stdout, wls.Service(), o, key, published)
	return listen(ctx, log, listener, wls)
}

// listen serves until ctx ends and lets the requests under way finish.
func listen(ctx context.Context, log *slog.Logger, listener net.Listener, wls *webauthtest.WLS) error {
	server := &http.Server{Handler: wls, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	since := time.Now()
	wls.Close() // so that slow answers do not hold us up
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(last)
	log.Info("stopped", cli.Ended(ctx, since)...)
	return err
}

// baseURL returns the URL at which browsers find a server that listens on addr.
func baseURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return "http://" + net.JoinHostPort("localhost", port)
	}
	return "http://" + addr.String()
}
