// Gateway is a fake login service, a gateway, and a plain backend that shows what it was
// told, in one process and with no set-up: go run ./examples/gateway, then open the
// address that it prints. The backend knows nothing of logins: it could be in any
// language.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags, and the clock for tests.
type options struct {
	addr, wlsAddr, backendAddr string
	show                       bool

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
		fmt.Fprintln(stderr, "gateway:", err)
		return 1
	}
	return 0
}

// parseFlags says what is wrong on stderr itself.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("gateway", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.addr, "addr", "localhost:8080", "`address` the gateway listens on")
	fs.StringVar(&o.wlsAddr, "wls-addr", "127.0.0.1:8081", "`address` the fake login service listens on")
	fs.StringVar(&o.backendAddr, "backend-addr", "127.0.0.1:8082", "`address` the backend listens on")
	fs.BoolVar(&o.show, "show", false, "print the gateway's configuration as a file for wlsgateway would have it")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		err := fmt.Errorf("unexpected argument %q", fs.Arg(0))
		fmt.Fprintln(stderr, "gateway:", err)
		return o, err
	}
	return o, nil
}
