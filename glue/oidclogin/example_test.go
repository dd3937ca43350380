package oidclogin_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	gluesite "github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

var soc *gluesite.Site

func ExampleCambridge() {
	const clientID = "11111111-2222-3333-4444-555555555555" // the application's, from its registration
	auth, err := glue.New(glue.Config{
		Site:      soc,
		Service:   oidclogin.Cambridge(clientID, "/etc/soc/entra-secret"),
		LoginPath: "/login",
		Policy:    glue.Policy{Principals: []string{"spqr1@cam.ac.uk"}},
		Also:      []webauth.LoginService{webauth.Raven()}, // sessions that began there go on until they end
	})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/login", auth.Login)
}

func ExampleProvider() {
	// A provider for tests, and a file with the site's secret there.
	providerServer := httptest.NewUnstartedServer(nil)
	fake, err := oidctest.NewProvider(oidctest.Config{BaseURL: "http://" + providerServer.Listener.Addr().String()})
	if err != nil {
		log.Fatal(err)
	}
	defer fake.Close()
	providerServer.Config.Handler = fake
	providerServer.Start()
	defer providerServer.Close()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	secretFile := filepath.Join(dir, "client-secret")
	if err := os.WriteFile(secretFile, []byte(oidctest.ClientSecret), 0o600); err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	soc, err := gluesite.New(gluesite.Config{BaseURL: server.URL, Secret: rand.Text() + rand.Text()})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{
		Site: soc,
		Service: &oidclogin.Provider{
			Issuer: fake.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: secretFile,
			Scopes: []string{"profile"}, PrincipalClaim: "upn", CRSid: true,
			PtagsClaim: "groups", Ptags: []string{"current"},
		},
		LoginPath: "/login",
		Policy:    glue.Policy{Ptags: []string{"current"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux.HandleFunc("/login", auth.Login)
	mux.Handle("/private/", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		fmt.Fprintln(w, id.Principal, id.Ptags)
	})))

	resp, err := fake.Client("test0001").Get(server.URL + "/private/")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(os.Stdout, resp.Body)
	// Output: test0001 [current]
}
