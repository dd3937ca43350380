// Package glue adds logins to a net/http site, by Ucam-WebAuth or, with package oidclogin, by
// OpenID Connect: an auth decorator with sessions, a policy per route, logout, and the pages
// that people see when something goes wrong.
//
//	soc, err := site.New(site.Config{BaseURL: "https://soc.example", SecretFile: "/var/lib/soc/secret"}) // made on first use
//	if err != nil {
//		log.Fatal(err)
//	}
//	auth, err := glue.New(glue.Config{Site: soc, Service: webauth.Raven(), LogoutPath: "/logout"})
//	if err != nil {
//		log.Fatal(err)
//	}
//	http.Handle("/private/", auth.Require(app)) // in app: id, ok := glue.IdentityFrom(r.Context())
//	http.HandleFunc("/logout", auth.Logout)     // link to it: a page with a button
//	log.Fatal(http.ListenAndServe("localhost:8080", soc.Handler(http.DefaultServeMux)))
//
// What the site must still do: protect its own forms against cross-site requests;
// keep queries and referrers out of its front server's logs, error log included
// (WLS-Response lets its reader in for half a minute, should the request never reach
// this program); serve https.
//
// The API is not stable before version 1; what is accepted will not become laxer.
package glue
