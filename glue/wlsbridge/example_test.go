package wlsbridge_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// A login service in front of Raven, for a site of its own and a part of another.
func Example() {
	login, err := site.New(site.Config{BaseURL: "https://login.example", Secret: rand.Text() + rand.Text()})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{Site: login, Service: webauth.Raven(), LoginPath: "/login", LogoutPath: "/auth/logout.html"})
	if err != nil {
		log.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048) // once, and kept in a file
	if err != nil {
		log.Fatal(err)
	}
	bridge, err := wlsbridge.New(wlsbridge.Config{
		Auth: auth,
		Keys: []wlsbridge.Key{{Kid: "700", Private: key}},
		Sites: []wlsbridge.Site{
			{URLPrefix: "https://soc.example/", Name: "The Society", Ptags: []string{"current"}},
			{URLPrefix: "https://people.example/~spqr1/"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", bridge.Handler())
	mux.HandleFunc("/login", auth.Login)
	_ = login.Handler(mux) // to be served behind TLS

	service := bridge.Service("ours") // as the sites configure it
	fmt.Println(service.AuthURL)
	fmt.Println(service.LogoutURL)
	fmt.Println(service.Keys.Keys()[0].Kid())
	// Output:
	// https://login.example/auth/authenticate.html
	// https://login.example/auth/logout.html
	// 700
}

// Mistakes are found when the service is made, all at once.
func ExampleNew() {
	login, err := site.New(site.Config{BaseURL: "https://login.example", Secret: rand.Text() + rand.Text()})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{Site: login, Service: webauth.Raven()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = wlsbridge.New(wlsbridge.Config{Auth: auth, Sites: []wlsbridge.Site{{URLPrefix: "soc.example"}}})
	fmt.Println(err)
	// Output:
	// wlsbridge: Config.Keys is missing: a service signs with at least one key
	// wlsbridge: Config.Sites[0].URLPrefix: "soc.example": not an absolute http or https URL
}
