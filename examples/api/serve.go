package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// addresses are where browsers find everything.
type addresses struct{ site, wls, app, spa, library string }

// serve starts everything and waits for the context to end.
func (o *options) serve(ctx context.Context, stdout, stderr io.Writer) (err error) {
	listeners, err := demo.Listen(&o.addr, &o.wlsAddr, &o.appAddr, &o.spaAddr, &o.libraryAddr)
	if err != nil {
		return err
	}
	defer demo.Close(listeners)
	at := addresses{
		site: "http://" + o.addr, wls: "http://" + o.wlsAddr, app: "http://" + o.appAddr,
		spa: "http://" + o.spaAddr, library: "http://" + o.libraryAddr,
	}
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
		resourceServer: o.resourceServer,
	})
	if err != nil {
		return err
	}
	printWelcome(stdout, at)
	return demo.Serve(ctx, listeners, site, fake, newConsumer(at.app, at.site), newSPA(at), newLibrary(at.site))
}

func printWelcome(out io.Writer, at addresses) {
	fmt.Fprintf(out, `The site:                     %[1]s
Tokens and applications:      %[1]s/oauth/settings
A third party's application:  %[3]s
Another, in the browser:      %[6]s
The library's API:            %[7]s
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

The application in the browser is registered as public, with the redirect URI
%[6]s/, and is told the client ID alone.

The library is a resource server: it asks the site about each token that it is
shown. Register it as confidential, without a redirect URI, and start this program
again with -resource-server and its client ID, and with -db, so that it is still
registered. Then give it the client ID and the secret, and:

  curl -H "Authorization: Bearer $TOKEN" %[7]s/loans

%[5]s
`, at.site, at.wls, at.app, developer, demo.Ready, at.spa, at.library)
}
