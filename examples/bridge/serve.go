package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// serve starts everything and waits for the context to end.
func (o *options) serve(ctx context.Context, stdout, stderr io.Writer) error {
	addrs := []*string{&o.addr, &o.oldAddr, &o.bridgeAddr, &o.providerAddr}
	for _, addr := range addrs { // anybody is anybody at the provider
		if err := demo.CheckLoopback(*addr); err != nil {
			return err
		}
	}
	listeners, err := demo.Listen(addrs...)
	if err != nil {
		return err
	}
	defer demo.Close(listeners)
	dir, err := os.MkdirTemp("", "bridge") // for a secret that ends with the program
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	provider, err := oidctest.NewProvider(oidctest.Config{BaseURL: "http://" + o.providerAddr, Now: o.now})
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	bridge, handler, err := o.newBridge(provider, dir, log)
	if err != nil {
		return err
	}
	service := bridge.Service("bridge")
	soc, err := o.newSite(service, log)
	if err != nil {
		return err
	}
	old := &oldSite{url: "http://" + o.oldAddr + "/", login: service.AuthURL, keys: service.Keys, now: o.now, pages: demo.Dress(site.Config{SiteName: "The old site"})}
	fmt.Fprintf(stdout, "Open http://%s/, made with this SDK, or %s, an old script.\n", o.addr, old.url)
	fmt.Fprintf(stdout, "Their login service is at %s; it asks the OpenID Connect provider at http://%s,\n"+
		"which lets in test0001 to test0010 with any password. test0010 lacks ptag \"current\".\n", service.AuthURL, o.providerAddr)
	fmt.Fprintln(stdout, demo.Ready)
	return demo.Serve(ctx, listeners, soc, old, handler, provider)
}

// newBridge makes the login service.
func (o *options) newBridge(provider *oidctest.Provider, dir string, log *slog.Logger) (*wlsbridge.Bridge, http.Handler, error) {
	secret := filepath.Join(dir, "client-secret")
	key, err := rsa.GenerateKey(rand.Reader, 2048) // which ends with the program, too
	err = errors.Join(err, os.WriteFile(secret, []byte(oidctest.ClientSecret), 0o600))
	if err != nil {
		return nil, nil, err
	}
	home, err := site.New(site.Config{BaseURL: "http://" + o.bridgeAddr, SiteName: "The login service", Secret: rand.Text() + rand.Text(), Logger: log, Now: o.now})
	if err != nil {
		return nil, nil, err
	}
	auth, err := glue.New(glue.Config{
		Site: home,
		Service: &oidclogin.Provider{
			Name: "demo", Title: "the demonstration provider", Issuer: provider.Issuer(),
			ClientID: oidctest.ClientID, ClientSecretFile: secret,
			PrincipalClaim: "upn", CRSid: true, PtagsClaim: "groups", Ptags: []string{"current"},
		},
		Policy:    glue.Policy{AnyPtags: true}, // each site judges its own visitors
		LoginPath: "/login", LogoutPath: "/auth/logout.html",
	})
	if err != nil {
		return nil, nil, err
	}
	confirm := wlsbridge.ConfirmNever
	if o.ask {
		confirm = wlsbridge.ConfirmEachSite
	}
	bridge, err := wlsbridge.New(wlsbridge.Config{
		Auth: auth,
		Keys: []wlsbridge.Key{{Kid: "20261130", Private: key}},
		Sites: []wlsbridge.Site{
			{URLPrefix: "http://" + o.addr + "/", Name: "The new site", Ptags: []string{"current"}},
			{URLPrefix: "http://" + o.oldAddr + "/", Name: "The old site"},
		},
		Confirm: confirm,
		AAuth:   map[string]string{"": "pwd"}, // the provider lets in nobody without a password
	})
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", bridge.Handler())
	mux.HandleFunc("/login", auth.Login)
	return bridge, home.Handler(mux), nil
}

// newSite makes a site as it is made for any WLS.
func (o *options) newSite(service webauth.Service, log *slog.Logger) (http.Handler, error) {
	home, err := site.New(site.Config{BaseURL: "http://" + o.addr, SiteName: "The new site", Secret: rand.Text() + rand.Text(), Logger: log, Now: o.now})
	if err != nil {
		return nil, err
	}
	auth, err := glue.New(glue.Config{Site: home, Service: service})
	if err != nil {
		return nil, err
	}
	return home.Handler(auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		greet(home, w, r, "new", id.Principal)
	}))), nil
}

// greet shows who is there, on every page of a site.
func greet(home *site.Site, w http.ResponseWriter, r *http.Request, name, principal string) {
	home.Show(w, r, site.Page{Kind: name, Status: http.StatusOK, Title: "The " + name + " site",
		Body: template.HTML(`<p>You are <strong id="principal">` + html.EscapeString(principal) + `</strong>.</p>`)})
}
