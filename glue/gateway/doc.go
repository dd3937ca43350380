// Package gateway is a reverse proxy that logs people in with Ucam-WebAuth or OpenID
// Connect before any backend, and tells the backend who they are. It is for sites that are not written in
// Go, or must not change. The program is cmd/wlsgateway, and this its smallest useful
// file:
//
//	base-url = "https://soc.example"
//	wls = "raven"
//	secret-file = "secret"
//	[[rule]]
//	path = "/"
//	access = "login"
//	to = "unix:/run/app.sock"
//
// [Config] describes everything that can be in it. A Go program can have the same:
//
//	cfg, err := gateway.Load("gateway.toml")
//	if err != nil {
//		log.Fatal(err) // every mistake in the file, with line and column
//	}
//	g, err := gateway.New(*cfg)
//	if err != nil {
//		log.Fatal(err)
//	}
//	server, err := gateway.NewServer(g, *cfg, nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	err = server.Serve(ctx)
//
// or mount [Gateway.Handler] in a server of its own.
//
// # Rules
//
// A rule is for a host and what is below a path; the longest path that fits wins, and
// what no rule fits needs a login. Paths are matched in one normal form, the same form is
// what the backend gets, and what has none is refused unless its rule has
// [Rule].OddPaths. /.wls/login, with a path in the query parameter "next" (or, of a front
// server, with a URL of this site in "rd"), logs people in, /.wls/logout out; an OpenID
// Connect provider sends people back to /.wls/login, which is the redirect URI that is registered
// there, and says at /.wls/back-channel-logout who has logged out, if sessions are in Redis; /.wls/whoami
// tells the scripts of the site's own pages who is logged in; /.wls/alive answers probes with
// 204, whatever the host; all else below /.wls/ is not found.
//
// A request that acts on more than the resource at its path must be let in by the rules for
// all of that: by that for Destination, which COPY and MOVE of WebDAV have, and, if its
// method is not known to act on one resource, by the rules for what is below. What an XML
// body names in href elements counts too, but not where a front server asks: it keeps the
// body.
//
// The backend learns who it is from headers ([Identity]). Whatever a client sends that
// looks like one of them is removed, on every path and in every spelling, and so are the
// gateway's cookies. So is every header by which some program takes the path, the method,
// the scheme, the host or the client of a request for another, and every one whose name
// has other characters than letters, digits and hyphens, since programs do not agree on
// those; [Rule.PassHeaders] makes exceptions. Names that were removed are logged once an
// hour.
//
// # Reload
//
// SIGHUP, or [Server.ReloadFile], reads everything again; whatever is wrong, the old
// configuration stays in force as a whole. Replace the configuration file, group and
// password files by renaming a new file over the old one, as most editors do: a file that
// is read while it is being written may say something else than it will. One whose last
// line has no end is refused, and a warning in the log names the rules that are gone or
// ask for less since the last reload. The secret file must be there: only a start makes it.
//
// A connection that became a WebSocket ends with the session that it was made with, but
// not in forward-auth mode, where the front server holds it. A logout does not cut it,
// nor does a reload, whatever the new rules say; a backend that minds must end it itself,
// and a restart of the gateway ends all. Other answers that have begun, such as downloads,
// go on to their end.
//
// # What is left to do
//
// See that nobody but the gateway can connect to the backend: any other program that does can
// claim to be anybody. A unix socket, or an address that a firewall guards, will do; a port on
// loopback is open to every program on the machine. Let only operators reach [Admin].Listen.
// Keep the configuration file from others if it has a password of Redis, or put that into
// RedisURLFile. A front server, if there is one, must be named in [Front], and must keep
// queries out of its logs. "wlsgateway check" points at most of this.
//
// The API is not stable before version 1, nor is the configuration file; what is refused
// will not be accepted later, and the path, header and cookie rules will not become laxer.
package gateway
