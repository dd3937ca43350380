// Package wlsbridge is a web login service (WLS) for sites that speak Ucam-WebAuth and cannot
// change. It logs people in by package glue, at an OpenID Connect provider or another WLS, and
// answers the sites under its own key.
//
//	auth, err := glue.New(glue.Config{
//		Site: login, Service: oidclogin.Cambridge(clientID, secretFile), Policy: glue.Policy{AnyPtags: true},
//		LoginPath: "/login", LogoutPath: "/auth/logout.html",
//	})
//	// ...
//	bridge, err := wlsbridge.New(wlsbridge.Config{
//		Auth:  auth,
//		AAuth: map[string]string{"": "pwd"}, // whatever the provider says of how people logged in
//		Keys:  []wlsbridge.Key{{Kid: "700", Private: key}},
//		Sites: []wlsbridge.Site{{URLPrefix: "https://soc.example/", Ptags: []string{"current"}}},
//	})
//	// ...
//	mux.Handle("/auth/", bridge.Handler()) // authenticate.html, logout.html, pubkey700
//	mux.HandleFunc("/login", auth.Login)
//	log.Fatal(http.ListenAndServe("localhost:8080", login.Handler(mux)))
//
// Its sites are configured with https://login.example/auth/authenticate.html as the login
// service, and with the file pubkey700 among the keys that they trust. Only sites that
// [Config.Sites] lists are answered; people who come from any other see a page and are
// sent nowhere, whatever is wrong with their request.
//
// A response is made for one request of one browser, when a person opens the page: never for
// what a script, a frame or a prefetch asks. Where a site wants a password (iact=yes), one is
// typed after its request came, and proves something to that request only.
//
// What the service must still do: serve https; keep queries and Location headers out of the
// front server's logs, as sites must; and keep the private keys and the site's secret to
// itself: with either, anybody can log in as anybody at all sites.
//
// The protocol is "The Cambridge Web Authentication System: WAA->WLS communication protocol",
// version 3.0 of June 2013, cited as WAA2WLS. The API is not stable before version 1.
package wlsbridge
