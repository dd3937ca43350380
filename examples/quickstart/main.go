// Quickstart is a protected site and a fake login service in one process, with no
// set-up: go run ./examples/quickstart, then open the address that it prints. Flags
// point it at a real service instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

type options struct {
	addr, wlsAddr, baseURL      string
	wls, authURL, logoutURL     string
	keys, desc, ptags, secretIn string
	check                       bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit code: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	fs := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.addr, "addr", "localhost:8080", "`address` the site listens on")
	fs.StringVar(&o.wlsAddr, "wls-addr", "127.0.0.1:8081", "`address` the fake login service listens on")
	fs.StringVar(&o.baseURL, "base-url", "", "`URL` where browsers see the site (default http://ADDR)")
	fs.StringVar(&o.wls, "wls", "fake", "login service: fake, raven, raven-demo, nevar or goose")
	fs.StringVar(&o.authURL, "auth-url", "", "authenticate `URL` of any other login service; needs -keys")
	fs.StringVar(&o.logoutURL, "logout-url", "", "its logout `URL`")
	fs.StringVar(&o.keys, "keys", "", "`directory` of pubkeyN files; needed for nevar, goose and -auth-url")
	fs.StringVar(&o.desc, "desc", "the go-webauth quickstart", "what the login service says is asking")
	fs.StringVar(&o.ptags, "ptags", "", "let in people with one of these `ptags`, or \"any\" (default current, where the service has ptags)")
	fs.StringVar(&o.secretIn, "secret", "", "`file` with the site's secret, made if absent (default: one in memory)")
	fs.BoolVar(&o.check, "check", false, "print what is weak about this configuration, and exit")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(stderr, "quickstart: unexpected argument %q\n", fs.Arg(0))
		return 2
	}
	if err := serve(ctx, o, stdout); err != nil {
		fmt.Fprintln(stderr, "quickstart:", err)
		return 1
	}
	return 0
}

// serve starts everything and waits for the context to end.
func serve(ctx context.Context, o options, stdout io.Writer) error {
	siteListener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	defer siteListener.Close()
	if o.baseURL == "" {
		o.baseURL = "http://" + browserAddr(o.addr, siteListener)
	}
	var fake *webauthtest.WLS
	var fakeListener net.Listener
	if o.wls == "fake" && o.authURL == "" {
		if fakeListener, err = net.Listen("tcp", o.wlsAddr); err != nil {
			return err
		}
		defer fakeListener.Close()
		fake, err = webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://" + browserAddr(o.wlsAddr, fakeListener)})
		if err != nil {
			return err
		}
	}
	cfg, err := configure(o, fake)
	if err != nil {
		return err
	}
	if o.check {
		return printFindings(stdout, cfg)
	}
	site, err := newSite(cfg)
	if err != nil {
		return err
	}
	servers := []*http.Server{newServer(site)}
	listeners := []net.Listener{siteListener}
	if fake != nil {
		servers, listeners = append(servers, newServer(fake)), append(listeners, fakeListener)
	}
	printWelcome(stdout, cfg, fake)
	return serveAll(ctx, servers, listeners)
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}

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
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, s := range servers {
		err = errors.Join(err, s.Shutdown(grace))
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// browserAddr keeps the host name as it was given, which the browser will use too, and
// takes the port from the listener, in case 0 was given.
func browserAddr(given string, l net.Listener) string {
	host, _, err := net.SplitHostPort(given)
	if err != nil || host == "" {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort(host, port)
}

func printWelcome(out io.Writer, cfg glue.Config, fake *webauthtest.WLS) {
	fmt.Fprintf(out, "Open %s in a browser.\n", cfg.BaseURL)
	if fake == nil {
		fmt.Fprintf(out, "People log in at %s.\n", cfg.Service.AuthURL)
		return
	}
	fmt.Fprintf(out, "The fake login service is at %s; it lets in test0001 to test0010, password: test.\n"+
		"test0001 may see the admin page; test0010 lacks ptag \"current\".\nStop with Ctrl-C.\n", strings.TrimSuffix(cfg.Service.AuthURL, "/auth/authenticate.html"))
}

func printFindings(out io.Writer, cfg glue.Config) error {
	found := glue.Check(cfg)
	if len(found) == 0 {
		fmt.Fprintln(out, "nothing weak found")
	}
	for _, f := range found {
		fmt.Fprintln(out, f)
		if f.Severity == glue.SeverityError {
			return errors.New("this configuration does not work")
		}
	}
	return nil
}
