// Minimal is the smallest complete site: one page, for people at the University.
package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func main() {
	soc, err := site.New(site.Config{
		BaseURL:    "http://localhost:8080", // where browsers see the site
		SecretFile: "secret",                // made on first use
	})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: webauth.Raven(), LogoutPath: "/logout"})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/", auth.Require(http.HandlerFunc(hello)))
	http.HandleFunc("/logout", auth.Logout)
	log.Fatal(http.ListenAndServe("localhost:8080", soc.Handler(http.DefaultServeMux)))
}

func hello(w http.ResponseWriter, r *http.Request) {
	id, _ := glue.IdentityFrom(r.Context()) // always there, under Require
	fmt.Fprintf(w, "Hello, %s.\n", id.Principal)
}
