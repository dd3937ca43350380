// Package site describes a web site in one place, with or without logins: its address and
// hosts, its proxies, security headers, secret, clock and log. A [Site] stands in front of the
// whole site, where it keeps out requests for other hosts and believes only the proxies that it
// was told of. The packages that log people in, or protect forms, are configured with it.
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
// A secret may have several lines. The first one seals what is new; all of them open what is
// old. Lines that start with # are comments. To rotate the secret of a site while people use it:
//
//  1. On every machine add a new line below the others, and have the site read the file again:
//     by [Site.ReloadSecret], by SIGHUP for the gateway, or by a restart. Now all can open what
//     the new line will seal. A site that is one process needs no first step.
//  2. When that is done on all of them, move the new line to the top on every machine, and have
//     the file read again. Now the new line seals.
//  3. When what the old line sealed has expired, remove it on every machine, and have the file
//     read again. That is after glue.Session.MaxLife (2 hours unless it is set), at least an
//     hour, for logins under way and forms that are kept, and as long as whatever the site
//     makes with [Site.Keys] shall last.
//
// Where somebody may have read the old line, there is one step: replace it on every machine at
// once. That logs everybody out.
//
// # Stability
//
// The API is not stable before version 1. Default headers may become stricter, and
// more headers may be removed from requests; nothing that is refused will be accepted.
package site
