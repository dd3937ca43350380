// Package site is a web site, said once, with or without logins: its address and hosts,
// its proxies, security headers, secret, clock and log. A [Site] stands in front of the
// whole site, where it keeps out requests for other hosts and believes only proxies that
// it was told of, and whatever logs people in or guards forms there is made with it.
//
//	s, err := site.New(site.Config{
//		BaseURL:  "https://soc.example",
//		Hosts:    []string{"www.soc.example"},
//		Redirect: site.RedirectCanonical,
//		Proxies: site.Proxies{
//			Ranges: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
//			Header: site.XForwarded,
//		},
//	})
//	if err != nil {
//		log.Fatal(err) // says what is wrong and how to mend it
//	}
//	err = http.ListenAndServe("localhost:8080", s.Handler(mux))
//
// Behind it, [ClientIP] and [Scheme] tell where a request comes from, [URL] makes
// absolute links, and [Nonce] goes into the scripts of templates. [Check] lists what is
// weak about a configuration.
//
// What the site must still do: have its proxies write their headers on every request,
// keep everybody else from connecting in their place, say in [Headers.CSP] where its
// scripts may come from, and protect its forms against cross-site requests.
//
// # Secret
//
// A site has one secret, in one file: [Config.SecretFile]. It is made on first use, is
// never sent anywhere, and every key in use is derived from it for one purpose:
//
//	keys := s.Keys("newsletter links")
//
// Whoever reads the secret can log in as anybody, so keep it out of the web
// root, out of version control and out of backups that others can read. Sites
// that run on several machines need the same file on each of them.
//
// # Rotation
//
// A secret may have several lines. The first one seals what is new; all of
// them open what is old. To rotate, put a new line above the others and restart
// the site (on several machines: first add the new line below the others on
// every machine, then move it to the top on every machine). Remove the old line
// when whatever it sealed has expired; remove it at once, and log everybody
// out, when somebody may have read it. Lines that start with # are comments.
//
// # Stability
//
// The API is not stable before version 1. Default headers may become stricter, and
// more headers may be removed from requests; nothing that is refused will be accepted.
package site
