package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// addresses are where browsers find everything.
type addresses struct{ site, wls, app string }

// serve starts everything and waits for the context to end.
func serve(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	var listeners []net.Listener
	for _, addr := range []*string{&o.addr, &o.wlsAddr, &o.appAddr} {
		l, err := listen(addr)
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }() // by its server already, unless that did not come about
		listeners = append(listeners, l)
	}
	at := addresses{site: "http://" + o.addr, wls: "http://" + o.wlsAddr, app: "http://" + o.appAddr}
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: at.wls, Now: o.now})
	if err != nil {
		return err
	}
	db, dialect, done, err := openDatabase(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	site, err := newSite(ctx, siteConfig{
		baseURL: at.site, service: fake.Service(), db: db, dialect: dialect, logger: logger, now: o.now,
	})
	if err != nil {
		return err
	}
	handlers := []http.Handler{site, fake, newConsumer(at.app, at.site)}
	printWelcome(stdout, at)
	return serveAll(ctx, handlers, listeners)
}

// listen puts the port into the address, in case that was 0.
func listen(addr *string) (net.Listener, error) {
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(*addr)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	*addr = net.JoinHostPort(cmp.Or(host, "localhost"), port)
	return l, nil
}

// stopGrace is how long requests in flight may take when the program stops.
const stopGrace = 2 * time.Second

func serveAll(ctx context.Context, handlers []http.Handler, listeners []net.Listener) error {
	var servers []*http.Server
	failed := make(chan error, len(handlers))
	for i, h := range handlers {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
		servers = append(servers, s)
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
			stopped = s.Close() // spare connections of browsers, which are nothing to wait for
		}
		err = errors.Join(err, stopped)
	}
	return err
}

func printWelcome(out io.Writer, at addresses) {
	fmt.Fprintf(out, `The site:                     %[1]s
Tokens and applications:      %[1]s/oauth/settings
A third party's application:  %[3]s
The fake login service:       %[2]s (test0001 to test0009, password: test)

Make a personal token on the site, then:

  TOKEN=wlsp_...
  curl -H "Authorization: Bearer $TOKEN" %[1]s/api/records
  curl -H "Authorization: Bearer $TOKEN" --json '{"title":"Milk","text":"two pints"}' %[1]s/api/records
  curl -H "Authorization: Bearer $TOKEN" -X DELETE %[1]s/api/records/1
  curl -i %[1]s/api/records

As %[4]s, who alone may do so here, register the third party's application,
confidential, with the redirect URI %[3]s/callback, and give it
the client ID and the secret. Anybody can then authorise it. Such an application
can also ask for a token of its own:

  curl -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials -d scope=statistics %[1]s/oauth/token
  curl -H "Authorization: Bearer $CLIENT_TOKEN" %[1]s/api/statistics
  curl %[1]s/.well-known/oauth-authorization-server

Stop with Ctrl-C.
`, at.site, at.wls, at.app, developer)
}
