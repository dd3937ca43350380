// Package remoteuser is for Go programs behind a front server that logs people in, such
// as wlsgateway, or Apache with mod_ucam_webauth: it takes the person from a header of
// the request, and makes sure that only the front server can have put it there.
//
//	people, err := remoteuser.New(remoteuser.Config{
//		Site:  soc, // of site.New
//		Peers: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	http.ListenAndServe("127.0.0.1:8000", soc.Handler(people.Require(app))) // in app: id, ok := glue.IdentityFrom(r.Context())
//
// The header is believed if the other end of the connection is named in [Config], and
// removed from the request otherwise, in every spelling that some software takes for it.
// All other headers that front servers use to tell who somebody is are removed in any
// case, from trailers too.
//
// Config.Lookup finds the site's own user, or says that there is none. Config.Password and
// Config.Form let people in who come past the front server, by a name and a password of the
// site; see package password. glue.Identity.Service says how somebody came in. A local name
// is not a principal: look at Service before you take one for the other.
//
// # Who is believed
//
// A program that can connect from a named address, or open the unix socket, can claim to be
// anybody: let the program listen where only the front server reaches it. On a machine with
// other users, loopback addresses are open to all of them; use a unix socket in a directory
// that only the front server may enter, or Config.HMACKeyFile as well.
//
// The front server must set the header on every request that it passes on, or remove
// what clients sent, on public paths too: this package cannot tell the front server's word
// from a header that it merely passed on.
//
// Handlers that change r.RemoteAddr to what X-Forwarded-For says must be inside, not
// around: this package needs the address of the front server itself. site.Handler does
// no such thing and goes around, so that log lines and limits have the client's address;
// but it removes all X-Forwarded headers, so that Config.Header must be another.
//
// With Config.Password or Config.Form, site.Handler (with its Proxies) is a must: without it
// all clients have the front server's address, wrong passwords can be limited per name only,
// and a stranger who guesses at a name locks out its owner.
//
// # The signed form of mod_ucam_webauth
//
// With Config.HMACKeyFile, or HMACKey, the value V of a header is written as
//
//	base64(HMAC-SHA1(key, V + key)) + " " + V
//
// which is what AAHeaderKey makes mod_ucam_webauth do, and hmac-key-file wlsgateway. It covers
// neither the time nor the header's name nor the request: somebody who has seen one such value
// can send it again, at any time and in another header. So it is checked in addition to the
// peer and never instead. It helps where others could connect as the peer, but have not seen a
// value.
//
// # What the site must still do
//
// Protect its forms against cross-site requests (glue/xsrf), whichever way people come
// in: front server, session and HTTP Basic are all things that browsers send by
// themselves. Serve https, or listen on loopback or a unix socket behind a server that
// does.
//
// The API is not stable before version 1; what is not believed now will not be believed later.
package remoteuser
