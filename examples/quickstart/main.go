// Quickstart is a protected site and a fake login service in one process, with no
// set-up: go run ./examples/quickstart, then open the address that it prints. With
// -login oidc the service is an OpenID Connect provider. Flags point it at a real service
// instead.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// options are the flags, and the clock for tests.
type options struct {
	addr, wlsAddr, baseURL      string
	wls, authURL, logoutURL     string
	keys, desc, ptags, secretIn string
	redis                       string
	check                       bool

	login                                   string
	issuer, clientID, secretFile, principal string
	crsid                                   bool
	loginPath                               string

	now func() time.Time // nil means time.Now
}

func main() { program(&options{}).Main() }

func program(o *options) demo.Program {
	return demo.Program{Name: "quickstart", Flags: o.define, Check: o.checkLogin, Run: func(ctx context.Context, stdout, stderr io.Writer) error {
		if o.check {
			return check(o, stdout)
		}
		return serve(ctx, o, stdout, stderr)
	}}
}

func (o *options) define(fs *flag.FlagSet) {
	fs.StringVar(&o.addr, "addr", "localhost:8080", "`address` the site listens on")
	fs.StringVar(&o.wlsAddr, "wls-addr", "127.0.0.1:8081", "`address` the fake login service listens on")
	fs.StringVar(&o.baseURL, "base-url", "", "`URL` where browsers see the site (default http://ADDR)")
	fs.StringVar(&o.login, "login", "wls", "`kind` of login: wls (Ucam-WebAuth) or oidc (OpenID Connect)")
	fs.StringVar(&o.wls, "wls", "fake", "login `service`: fake, raven, raven-demo, nevar or goose")
	fs.StringVar(&o.authURL, "auth-url", "", "authenticate `URL` of any other login service; needs -keys")
	fs.StringVar(&o.logoutURL, "logout-url", "", "its logout `URL`")
	fs.StringVar(&o.keys, "keys", "", "`directory` of pubkeyN files; needed for nevar, goose and -auth-url")
	fs.StringVar(&o.issuer, "issuer", "", "issuer `URL` of any OpenID Connect provider, where the site is registered; needs -client-id and -client-secret-file")
	fs.StringVar(&o.clientID, "client-id", "", "`name` of the site at the provider")
	fs.StringVar(&o.secretFile, "client-secret-file", "", "`file` with its secret there")
	fs.StringVar(&o.principal, "principal-claim", "", "`claim` that says who somebody is (default sub)")
	fs.BoolVar(&o.crsid, "crsid", false, "take @cam.ac.uk away from it")
	fs.StringVar(&o.loginPath, "login-path", "", "`path` where the provider sends people back to (default /login): register the site's address and this as a redirect URI")
	fs.StringVar(&o.desc, "desc", "the go-webauth quickstart", "`text` that the login service shows about who is asking")
	fs.StringVar(&o.ptags, "ptags", "", "let in people with one of these `ptags`, or \"any\" (default current, where the service has ptags); with -issuer, groups of theirs (default any)")
	fs.StringVar(&o.redis, "redis", "", "keep sessions in the Redis at this `URL`, such as redis://127.0.0.1:6379, and show them at /sessions")
	fs.StringVar(&o.secretIn, "secret", "", "`file` with the site's secret, made if absent (default: one in memory)")
	fs.BoolVar(&o.check, "check", false, "print what is weak about this configuration, and exit")
}

// check prints what is weak about the site and its login, without listening anywhere.
func check(o *options, stdout io.Writer) error {
	fake, err := newFake(o)
	if err != nil {
		return err
	}
	defer fake.Close()
	soc, cfg, err := configure(o, fake)
	if err != nil {
		return err
	}
	found := site.Findings(site.Check(soc))
	soc.SecretFile, soc.Secret = "", rand.Text()+rand.Text() // to look is not to make the file
	if cfg.Site, err = site.New(soc); err == nil {
		found = append(found, glue.Check(cfg)...).Sorted()
	}
	if len(found) == 0 {
		fmt.Fprintln(stdout, "nothing weak found")
		return nil
	}
	for _, f := range found {
		fmt.Fprintln(stdout, f)
	}
	if found[0].Severity == site.SeverityError { // they come first
		return errors.New("this configuration does not work")
	}
	return nil
}
