package gateway

import (
	"cmp"
	"net/http"
	"strings"
)

// backendRow is one request of the table that real backends get.
type backendRow struct {
	name, method, path string
	lines              []string // of the header, besides what every request has
	body               string   // what the backend is to read
	wire               string   // what is sent after the header, if not the body with its length
	visitors           []string // whose sessions to send it with, empty being nobody's; nil is nobody's and test0001's
	two                bool     // over HTTP/2 too
	only               string   // the one version of HTTP to send it in
	honest             bool     // it has to arrive, and to be believed
	broken             bool     // its body never comes whole, and some servers do not tell their program
}

var (
	nobody   = []string{""}
	somebody = []string{"test0001"}
)

// hiddenRequest is the body of a request, or what comes after it. No part of the table
// sends it as a request of its own.
const hiddenRequest = "GET /private/smuggled HTTP/1.1\r\nHost: localhost\r\nRemote-User: evil\r\n\r\n"

// backendRows is the whole table.
func backendRows() []backendRow {
	var rows []backendRow
	for _, part := range [][]backendRow{honestRows(), nameRows(believedNames), headerRows(), pathRows(), methodRows(), framingRows(), davRows()} {
		rows = append(rows, part...)
	}
	return completed(rows)
}

// completed says what is not said of rows.
func completed(rows []backendRow) []backendRow {
	for i := range rows {
		rows[i].method = cmp.Or(rows[i].method, http.MethodGet)
		if rows[i].visitors == nil {
			rows[i].visitors = []string{"", "test0001"}
		}
	}
	return rows
}

// honestRows are what browsers and programs send.
func honestRows() []backendRow {
	rows := []backendRow{
		{name: "public", path: "/public/x"},
		{name: "root", path: "/"},
		{name: "optional", path: "/optional/x"},
		{name: "login", path: "/private/x", visitors: somebody},
		{name: "below a public one", path: "/public/deep/x", visitors: somebody},
		{name: "query", path: "/private/x?a=b%2Fc&next=/public", visitors: somebody},
		{name: "not ASCII", path: "/public/caf%C3%A9"},
		{name: "final slash", path: "/public/x/"},
		{name: "to be normalised", path: "/public/../private//x", visitors: somebody},
		{name: "headers of its own", path: "/private/x", lines: []string{"X-Requested-With: XMLHttpRequest", "X-Auth-Token: t", "Accept-Language: cy", "If-None-Match: \"e\""}, visitors: somebody},
		{name: "HEAD", method: http.MethodHead, path: "/private/x", visitors: somebody},
		{name: "OPTIONS", method: http.MethodOptions, path: "/public/x"},
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch} {
		rows = append(rows, backendRow{name: method + " with a body", method: method, path: "/private/x", lines: []string{"Content-Type: text/plain"}, body: "hello", visitors: somebody},
			backendRow{name: method + " with a request as its body", method: method, path: "/optional/x", lines: []string{"Content-Type: text/plain"}, body: strings.Repeat(hiddenRequest, 200)})
	}
	rows = append(rows, backendRow{name: "DELETE", method: http.MethodDelete, path: "/private/x", visitors: somebody},
		backendRow{name: "POST without a body", method: http.MethodPost, path: "/private/x", visitors: somebody})
	for i := range rows {
		rows[i].honest, rows[i].two = true, true
	}
	return rows
}

// oddCharacters may be in the name of a header, and some server or other takes each of
// them for '-', or for '_'.
const oddCharacters = "_.!#$%&'*+^`|~"

type believedName struct{ name, value string }

// believedNames are headers that would frame, route or identify a request, with what
// would do harm as their value: for the length of the body, which has a request in it, that
// it is none.
var believedNames = []believedName{
	{"Remote-User", "evil"}, {"X-Forwarded-User", "evil"}, {"X-AAPrincipal", "evil"}, {"X-Remote-User", "evil"}, {"HTTP-Remote-User", "evil"},
	{"Script-Name", "/optional"}, {"Path-Info", "/private/evil"}, {"Request-Uri", "/private/evil"}, {"X-Script-Name", "/optional"},
	{"X-Original-Url", "/private/evil"}, {"Request-Method", "DELETE"}, {"X-Http-Method-Override", "DELETE"},
	{"X-Forwarded-For", "evil"}, {"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "evil"}, {"Remote-Addr", "evil"}, {"Server-Name", "evil.example"},
	{"Content-Length", "0"}, {"Content-Length", "7"}, {"Transfer-Encoding", "chunked"}, {"Content-Type", "evil/evil"},
}

// nameRows send each of these names with each odd character in place of '-', and mixed.
func nameRows(of []believedName) []backendRow {
	var rows []backendRow
	for _, h := range of {
		names := []string{strings.ToUpper(strings.ReplaceAll(h.name, "-", "_")), strings.Replace(h.name, "-", "_", 1), "HTTP_" + strings.ReplaceAll(h.name, "-", "_")}
		for _, c := range strings.Split(oddCharacters, "") {
			names = append(names, strings.ReplaceAll(h.name, "-", c))
		}
		for _, name := range names {
			rows = append(rows, headerRow(name+": "+h.value)...)
		}
	}
	return rows
}

// headerRow sends a line to rules that tell the backend of whoever is there, and of
// somebody for sure; with a body, in case that it is about that.
func headerRow(line string) []backendRow {
	body := strings.Repeat(hiddenRequest, 2)
	return []backendRow{
		{name: line, method: http.MethodPost, path: "/optional/private/x", lines: []string{line}, body: body, visitors: nobody},
		{name: line, method: http.MethodPost, path: "/private/x", lines: []string{line}, body: body, visitors: somebody, only: "HTTP/2.0"},
	}
}

// headerRows send names that are spelled as they should be, and lines that should not
// be there at all.
func headerRows() []backendRow {
	var rows []backendRow
	for _, h := range believedNames {
		if h.name != "Content-Length" && h.name != "Transfer-Encoding" && h.name != "Content-Type" {
			rows = append(rows, headerRow(h.name+": "+h.value)...)
		}
	}
	for _, line := range []string{
		"X-Forwarded-Prefix: /optional", "X-Original-Uri: /private/evil", "X-Rewrite-Url: /private/evil", "X-Forwarded-Uri: /private/evil", "X-Forwarded-Path: /private/evil",
		"X-Override-Url: /private/evil", "X-Request-Uri: /private/evil", "Path-Translated: /private/evil", "X-Forwarded-Script-Name: /evil",
		"X-Accel-Redirect: /private/evil", "X-Accel-Mapping: /evil=/private/", "X-Sendfile: /private/evil", "X-Sendfile-Type: X-Accel-Redirect",
		"X-Http-Method: DELETE", "X-Method-Override: DELETE", "X-Method: DELETE", "X-Original-Method: DELETE", "X-Forwarded-Method: DELETE",
		"X-Forwarded-Ssl: evil", "X-Forwarded-Scheme: evil", "X-Forwarded-Protocol: evil", "Front-End-Https: evil", "X-Url-Scheme: evil", "X-Scheme: evil", "Https: evil", "X-Forwarded-Https: evil",
		"X-Host: evil.example", "X-Forwarded-Server: evil.example", "X-Forwarded-Port: 666", "X-Original-Host: evil.example", "X-Http-Host-Override: evil.example", "Forwarded: for=evil;host=evil.example;proto=evil",
		"X-Real-Ip: evil", "Client-Ip: evil", "X-Client-Ip: evil", "X-Cluster-Client-Ip: evil", "True-Client-Ip: evil", "Cf-Connecting-Ip: evil", "X-Remote-Addr: evil", "X-Remote-Ip: evil",
		"X-Original-Forwarded-For: evil", "X-Appengine-User-Ip: evil", "Fastly-Client-Ip: evil", "X-ProxyUser-Ip: evil", "X-Envoy-External-Address: evil",
		"Proxy: http://evil.example/", "Oidc-Claim-Sub: evil", "Oidc_Claim_Sub: evil", "Ssl-Client-S-Dn: CN=evil", "Ssl-Client-Verify: SUCCESS evil", "X-Ssl-Client-Cn: evil", "X-Client-Verify: evil", "X-Client-Cert: evil",
		"X-Forwarded-Client-Cert: Subject=evil", "Auth-User: evil", "Auth-Type: evil", "X-Auth-Request-User: evil", "X-Webauth-User: evil", "X-Remote-Groups: evil", "Remote-Groups: evil",
		"X-Forwarded-Groups: evil", "X-Forwarded-Email: evil", "X-Token-Subject: evil", "X-Goog-Authenticated-User-Email: evil", "X-Ms-Client-Principal-Name: evil", "Cf-Access-Authenticated-User-Email: evil",
		"X-Amzn-Oidc-Identity: evil", "Tailscale-User-Login: evil", "Mellon-User: evil", "Shib-User: evil", "Eppn: evil", "Ajp-Remote-User: evil", "Wl-Proxy-Client-Ip: evil", "Proxy-Client-Ip: evil",
	} {
		rows = append(rows, headerRow(line)...)
	}
	for _, line := range headerTricks { // some are not to be had over HTTP/2, or end the header
		if !strings.Contains(line, "Connection: Cookie") {
			rows = append(rows, backendRow{name: line, path: "/optional/x", lines: []string{line}, visitors: nobody},
				backendRow{name: line, path: "/private/x", lines: []string{line}, visitors: somebody})
		}
	}
	return rows
}

// scriptTricks are paths that a server, or a program that knows its own name, takes for
// one below that name.
var scriptTricks = []string{
	"/index.php/private/x", "/index.php//private/x", "/INDEX.PHP/private/x", "/index.php/private", "/index.php/public/../private/x", "/index.php%2fprivate/x", "/index.php/./private/x",
	"/index.php/public/deep/x", "/index.php/optional/../private/x", "/x.php/private/x", "/x.php/..", "/public/index.php/private/x", "/index.php/index.php/private/x", "/index.php./private/x",
	"/index.php%20/private/x", "/index.php%00/private/x", "/index.php;/private/x", "/index.php:x/private/x", "/index.php/%70rivate/x", "/index%2ephp/private/x", "/index.php5/private/x",
	"/env.pl/private/x", "/public/env.pl/private/x", "/app.py/private/x", "/app.fcgi/private/x", "/app.cgi/private/x", "/cgi-bin/env.pl/private/x", "/index.jsp/private/x", "/index.jsp;x=/private/x",
	"/index.php?/private/x", "/index.php?q=/private/x", "/?/private/x", "/index.php/", "/index.php", "/private/index.php", "/private/index.php/../x", "/private.php/x",
	"/private/x.", "/private./x", "/private%20", "/private.", "/private%2e", "/public/.%2e/private/x", "/public/%2e%2e%2fprivate/x", "/public;/../private/x", "/public/%c0%af../private/x",
	"/public%3f/../private/x", "/public/x%3f/../../private/x", "/%3f/../private/x", "/public/x%23/../../private/x", "/public/%0d%0aX:/../private/x", "/public/x%20HTTP/1.1%0d%0a",
	"/WEB-INF/web.xml", "/WEB-INF/../private/x", "/.;/WEB-INF/web.xml", "/private/x;jsessionid=1", "/public/x;/../../private/x", "/public/~/private/x", "/public/*/private/x", "/private/x/.htaccess",
}

// pathRows lead past a rule for some program or other.
func pathRows() []backendRow {
	var rows []backendRow
	for _, path := range append(append([]string(nil), scriptTricks...), pathTricks...) {
		rows = append(rows, backendRow{name: "path", path: path, visitors: nobody, two: true},
			backendRow{name: "path", path: strings.ReplaceAll(path, "private", "named"), visitors: somebody})
	}
	return rows
}

// methodRows send methods that a program may not know, in all spellings.
func methodRows() []backendRow {
	var rows []backendRow
	for _, method := range []string{
		"get", "GeT", "HEAd", "POST_", "FROB", "G-T", "PRI", "SOURCE", "M-SEARCH", "QUERY", "TRACE", "TRACK", "DEBUG", "CONNECT", "GET_", "EVIL", "MKCOL", "PROPPATCH", "LOCK", "UNLOCK", "LINK", "UNLINK",
	} {
		rows = append(rows, backendRow{name: "method", method: method, path: "/private/x", two: true},
			backendRow{name: "method with a body", method: method, path: "/public/x", body: hiddenRequest, visitors: nobody})
	}
	return rows
}

// framingRows leave the end of a request in doubt.
func framingRows() []backendRow {
	rows := []backendRow{
		{name: "chunks", method: http.MethodPost, path: "/private/x", lines: []string{"Transfer-Encoding: chunked"}, body: "hello world",
			wire: "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n", visitors: somebody},
		{name: "a chunk that is a request", method: http.MethodPost, path: "/public/x", lines: []string{"Transfer-Encoding: chunked"}, body: hiddenRequest,
			wire: hexadecimal(len(hiddenRequest)) + "\r\n" + hiddenRequest + "\r\n0\r\n\r\n"},
		{name: "chunks of GET", path: "/public/x", lines: []string{"Transfer-Encoding: chunked"}, body: hiddenRequest,
			wire: hexadecimal(len(hiddenRequest)) + "\r\n" + hiddenRequest + "\r\n0\r\n\r\n"},
		{name: "trailers", method: http.MethodPost, path: "/optional/x", lines: []string{"Trailer: Remote-User", "Transfer-Encoding: chunked"}, body: "hello",
			wire: "5\r\nhello\r\n0\r\nRemote-User: evil\r\nRemote_User: evil\r\nContent_Length: 0\r\nX-AAPrincipal: evil\r\nScript_Name: /public\r\n\r\n"},
		{name: "a trailer that is a request", method: http.MethodPost, path: "/public/x", lines: []string{"Transfer-Encoding: chunked"}, body: "hello",
			wire: "5\r\nhello\r\n0\r\nX: \r\n" + hiddenRequest, broken: true},
	}
	for _, body := range []string{hiddenRequest, strings.Repeat(hiddenRequest, 200)} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND", "FROB"} {
			rows = append(rows, backendRow{name: "a body that is a request", method: method, path: "/public/x", body: body, two: true})
		}
		for _, line := range []string{"Expect: 100-continue", "Connection: close", "Connection: keep-alive, Content-Length", "Connection: Transfer-Encoding", "Upgrade: websocket", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings", "Content-Encoding: gzip", "Content-Type: application/x-www-form-urlencoded", "Te: trailers"} {
			rows = append(rows, backendRow{name: line, method: http.MethodPost, path: "/public/x", lines: []string{line}, body: body})
		}
	}
	for _, trick := range framingTricks(hiddenRequest) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			rows = append(rows, backendRow{name: trick.name, method: method, path: "/public/x", lines: []string{trick.head}, wire: trick.body, visitors: nobody, broken: !trick.passes})
		}
	}
	return rows
}

// davRows name a second path, or act on all that is below one, with something stricter
// below.
func davRows() []backendRow {
	var rows []backendRow
	for _, method := range []string{"COPY", "MOVE"} {
		for _, to := range []string{
			"/named/x", "/public/../named/x", "//named/x", "/%6eamed/x", "/public/%2e%2e/named/x", "/index.php/named/x", "https://HOST/named/x", "https://HOST/public/../named/x", "HTTPS://HOST/named/x",
			"https://evil.example/x", "http://HOST/named/x", "https://HOST@evil.example/named/x", "named/x", "/named", "/", "", "?/named/x", "/public/deep/../../named/x", "//evil.example/named/x",
		} {
			rows = append(rows, backendRow{name: "to " + to, method: method, path: "/public/x", lines: []string{"Destination: " + to}})
		}
		rows = append(rows, backendRow{name: "two destinations", method: method, path: "/public/x", lines: []string{"Destination: /public/y", "Destination: /named/x"}},
			backendRow{name: "a destination with another spelling", method: method, path: "/public/x", lines: []string{"Destination: /public/y", "Destinatio_n: /named/x", "DESTINATION: /named/x"}},
			backendRow{name: "within", method: method, path: "/optional/x", lines: []string{"Destination: /optional/y", "Overwrite: F"}, honest: true},
			backendRow{name: "to what is theirs", method: method, path: "/optional/x", lines: []string{"Destination: https://HOST/private/y"}, visitors: somebody, honest: true})
	}
	for _, method := range []string{"DELETE", "MOVE", "COPY", "PROPFIND", "SEARCH", "REPORT", "LOCK"} {
		for _, path := range []string{"/", "/public", "/public/", "/public/deep/.."} {
			rows = append(rows, backendRow{name: "tree", method: method, path: path, lines: []string{"Destination: /optional/y"}},
				backendRow{name: "tree, depth", method: method, path: path, lines: []string{"Depth: infinity", "Destination: /optional/y"}},
				backendRow{name: "tree, two depths", method: method, path: path, lines: []string{"Depth: 0", "Depth: 1", "Destination: /optional/y"}})
		}
	}
	for _, method := range []string{"PROPFIND", "LOCK"} {
		rows = append(rows, backendRow{name: "one resource", method: method, path: "/", lines: []string{"Depth: 0"}, honest: true},
			backendRow{name: "tree with nothing stricter below", method: method, path: "/optional/", lines: []string{"Depth: infinity"}, honest: true})
	}
	return append(rows, backendRow{name: "tree with nothing stricter below", method: http.MethodDelete, path: "/optional/x", honest: true},
		backendRow{name: "tree with nothing stricter for them", method: http.MethodDelete, path: "/public/", visitors: somebody, honest: true})
}
