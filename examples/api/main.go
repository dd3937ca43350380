// Api is a site with a small REST API, the pages where people make tokens for it and
// register applications, and such an application of somebody else's, in one process
// beside a fake login service: go run ./examples/api, then open the addresses that it
// prints. Everything listens on this machine only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags, and the clock for tests.
type options struct {
	addr, wlsAddr, appAddr string
	db, postgres           string

	now func() time.Time // nil means time.Now
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit code: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if err := serve(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "api:", err)
		return 1
	}
	return 0
}

// parseFlags says what is wrong on stderr itself.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("api", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.addr, "addr", "localhost:8080", "loopback `address` the site listens on")
	fs.StringVar(&o.wlsAddr, "wls-addr", "127.0.0.1:8081", "loopback `address` the fake login service listens on")
	fs.StringVar(&o.appAddr, "app-addr", "127.0.0.1:8082", "loopback `address` the third party's application listens on")
	fs.StringVar(&o.db, "db", "", "keep applications and tokens in this SQLite `file` (default: one that goes with the program)")
	fs.StringVar(&o.postgres, "postgres", "", "keep them in PostgreSQL at this `URL` instead, such as postgres://user@127.0.0.1/soc")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	err := o.check()
	if fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, "api:", err)
	}
	return o, err
}

// check refuses to let other machines in: anybody can log in to the fake as anybody.
func (o options) check() error {
	for _, addr := range []string{o.addr, o.wlsAddr, o.appAddr} {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return err
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("%s: want an address of this machine only, such as 127.0.0.1 or localhost", addr)
		}
	}
	if o.db != "" && o.postgres != "" {
		return errors.New("-db and -postgres contradict each other")
	}
	return nil
}
