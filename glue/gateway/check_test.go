package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// TestLoad_meaningless is about values that can be read, but do not mean anything.
func TestLoad_meaningless(t *testing.T) {
	// With one line in place of %top% the rule begins at line 5, and what stands for %rule%
	// at line 8.
	const frame = `base-url = "https://soc.example"
wls = "raven"
secret-file = "secret"
%top%
[[rule]]
path = "/"
to = "http://127.0.0.1:8000"
%rule%
`
	for _, row := range []struct {
		name      string
		old, new  string // a replacement in the frame; old may be empty
		top, rule string
		want      []string
	}{
		{name: "as it is", old: "x", new: "x"},
		{name: "no URL", old: "https://soc.example", new: "soc.example", want: []string{`1:12: base-url: "soc.example": not an absolute http or https URL; write it such as https://soc.example`}},
		{name: "URL with a path", old: "soc.example", new: "soc.example/app", want: []string{`1:12: base-url: "https://soc.example/app" has a path: write https://soc.example`}},
		{name: "URL with a query", old: "soc.example", new: "soc.example?a", want: []string{`1:12: base-url: "https://soc.example?a" must not have a query`}},
		{name: "plain http", old: "https", new: "http", want: []string{`1:12: base-url: origin http://soc.example is http: use https`}},
		{name: "http on loopback", old: "https://soc.example", new: "http://localhost:8080"},
		{name: "origin for all names below", top: `origins = ["https://.soc.example"]`, want: []string{`4:12: origins[1]: "https://.soc.example" has a host that begins with a dot`}},
		{name: "origin twice", top: `origins = ["https://wiki.soc.example", "https://SOC.example:443/"]`, want: []string{"4:1: origins: host soc.example comes twice"}},
		{name: "unknown wls", old: "raven", new: "crow", want: []string{`2:7: wls: "crow" is none of raven, raven-demo, nevar, goose, custom`}},
		{name: "nevar without keys", old: "raven", new: "nevar", want: []string{"1:1: key-dir: this is missing: the operators of nevar"}},
		{name: "raven with keys", top: `key-dir = "keys"`, want: []string{"4:11: key-dir: the key of raven is built in"}},
		{name: "demo elsewhere", old: "raven", new: "raven-demo", want: []string{"2:7: wls: anybody can sign as raven-demo"}},
		{name: "custom table for raven", top: "[custom-wls]\nname = \"x\"", want: []string{`4:2: custom-wls: this is for wls = "custom"`}},
		{name: "empty custom", old: "raven", new: "custom", top: "key-dir = \"keys\"", want: []string{"1:1: custom-wls.name: this is missing", "1:1: custom-wls.auth-url: this is missing"}},
		{name: "bad custom", old: "raven", new: "custom", top: "key-dir = \"keys\"\ncustom-wls = {name = \"My WLS\", auth-url = \"http://wls.example/\", logout-url = \"https://wls.example/?a\"}", want: []string{
			`5:22: custom-wls.name: "My WLS": use`, `5:43: custom-wls.auth-url: "http://wls.example/" must be https`, `5:79: custom-wls.logout-url: "https://wls.example/?a" must not have a query`}},
		{name: "redis", top: `redis-url = "http://user:hunter2@redis"`, want: []string{"4:13: redis-url: this is no address of Redis"}},
		{name: "redis without a host", top: `redis-url = "redis:///1"`, want: []string{"4:13: redis-url: this is no address of Redis"}},
		{name: "forward-auth for nobody", top: "forward-auth = true", want: []string{"4:16: forward-auth: name the front servers"}},

		{name: "address without a port", top: "[listen]\nhttps = [\"127.0.0.1\"]", want: []string{`5:10: listen.https[1]: "127.0.0.1" is no address`}},
		{name: "large port", top: "[listen]\nhttps = [\":65536\"]", want: []string{`5:10: listen.https[1]: ":65536": the port must be`}},
		{name: "no host", top: "[listen]\nhttps = [\"soc_ex/:443\"]", want: []string{`5:10: listen.https[1]: "soc_ex/:443": "soc_ex/" is neither a name nor an address`}},
		{name: "address twice", top: "[listen]\nhttps = [\":443\"]\nredirect = [\":80\", \":443\"]", want: []string{"6:20: listen.redirect[2]: listen.https[1] is the same"}},
		{name: "any free port twice", top: "[listen]\nhttps = [\"127.0.0.1:0\", \"127.0.0.1:0\"]"},
		{name: "http for everybody", top: "[listen]\nhttp = [\":8080\"]", want: []string{`5:9: listen.http[1]: ":8080" can be reached from other machines`}},
		{name: "http for front servers", top: "[listen]\nhttp = [\":8080\"]\n[front]\nproxies = [\"192.0.2.7/32\"]"},
		{name: "mode without a socket", top: "[listen]\nunix-mode = \"0600\"", want: []string{"5:13: listen.unix-mode: this is for listen.unix"}},
		{name: "strange mode", top: "[listen]\nunix = \"s\"\nunix-mode = \"rw\"", want: []string{`6:13: listen.unix-mode: "rw": write permissions`}},
		{name: "mode that shuts out the owner", top: "[listen]\nunix = \"s\"\nunix-mode = \"0066\"", want: []string{`6:13: listen.unix-mode: "0066": write permissions`}},
		{name: "half a certificate", top: "[[listen.certificate]]\ncert = \"a\"", want: []string{"4:3: listen.certificate[1].key: this is missing"}},
		{name: "certificate twice", top: "[[listen.certificate]]\ncert = \"a\"\nkey = \"b\"\n[[listen.certificate]]\ncert = \"a\"\nkey = \"b\"", want: []string{"7:3: listen.certificate[2]: listen.certificate[1] is the same"}},
		{name: "admin at the site's address", top: "listen.https = [\"127.0.0.1:443\"]\nadmin.listen = \"127.0.0.1:443\"", want: []string{"5:16: admin.listen: listen.https[1] is the same"}},
		{name: "a socket among addresses", top: "listen.https = [\"unix:/run/a\"]\nlisten.redirect = [\"unix:a\"]", want: []string{`4:17: listen.https[1]: "unix:/run/a": the port must be`, `5:20: listen.redirect[1]: "unix:a": the port must be`}},
		{name: "admin at the site's socket", top: "listen.unix = \"/run/a\"\nadmin.listen = \"unix:/run/a\"", want: []string{"5:16: admin.listen: listen.unix is the same"}},
		{name: "origins", rule: `cross-origin = ["https://App.example", "https://app.example/", "https://app.example:443", "https://app.example/x", "null", "*", "", "app.example"]`, want: []string{
			`8:17: rule[1].cross-origin[1]: "https://App.example" is not how browsers write it: write https://app.example`, "8:40: rule[1].cross-origin[2]: ", "8:64: rule[1].cross-origin[3]: ",
			`8:91: rule[1].cross-origin[4]: "https://app.example/x": write an origin`, "8:116: rule[1].cross-origin[5]: ", "8:124: rule[1].cross-origin[6]: ", "8:129: rule[1].cross-origin[7]: ", "8:133: rule[1].cross-origin[8]: ",
		}},
		{name: "no origins", rule: "cross-origin = []", want: []string{"8:1: rule[1].cross-origin: an empty list"}},
		{name: "a number of origins", rule: "cross-origin = 1", want: []string{"8:16: rule[1].cross-origin: this is a whole number, but must be true, false or an array of origins"}},
		{name: "one origin", rule: `cross-origin = "https://app.example"`, want: []string{"8:16: rule[1].cross-origin: this is a string, but must be true, false or an array of origins"}},
		{name: "no other origins", rule: `cross-origin = false`},
		{name: "names for admin", top: `admin.hosts = ["a.internal", "a.internal:9000", "http://a", "", "*.internal", "[::1]"]`, want: []string{
			`4:30: admin.hosts[2]: "a.internal:9000": write the name`, "4:49: admin.hosts[3]: ", "4:61: admin.hosts[4]: ", "4:65: admin.hosts[5]: ", "4:79: admin.hosts[6]: ",
		}},
		{name: "admin without a path", top: "admin.listen = \"unix:\"", want: []string{"4:16: admin.listen: the path is missing"}},

		{name: "header for nobody", top: "front.header = \"forwarded\"", want: []string{"4:16: front.header: nobody is believed"}},
		{name: "host for nobody", top: "front.host = true", want: []string{"4:14: front.host: nobody is believed"}},
		{name: "a way to ask for nobody", top: "front = {unix-socket = true, url = \"path\"}", want: []string{"4:36: front.url: no front server asks"}},
		{name: "unknown way to ask", top: "forward-auth = true\nfront = {unix-socket = true, url = \"x-url\"}", want: []string{`5:36: front.url: "x-url" is none of x-original-url, path`}},
		{name: "a way to ask without a scheme", top: "forward-auth = true\nfront = {unix-socket = true, url = \"path\", header = \"forwarded\"}", want: []string{"5:36: front.url: front servers that ask so write no Forwarded"}},
		{name: "a host of the client's", top: "forward-auth = true\nfront = {unix-socket = true, url = \"path\", host = true}", want: []string{"5:51: front.host: front servers that ask by path"}},
		{name: "ways to ask", top: "forward-auth = true\nfront = {unix-socket = true, url = \"x-original-url\", host = true}"},
		{name: "unknown header", top: "front = {unix-socket = true, header = \"x-real-ip\"}", want: []string{`4:39: front.header: "x-real-ip" is none of x-forwarded, forwarded`}},
		{name: "everybody a front server", top: "front.proxies = [\"0.0.0.0/0\"]", want: []string{"4:18: front.proxies[1]: 0.0.0.0/0 is everybody"}},
		{name: "bits beyond the length", top: "front.proxies = [\"192.0.2.7/24\"]", want: []string{"4:18: front.proxies[1]: 192.0.2.7/24 has bits beyond its length: write 192.0.2.0/24"}},
		{name: "IPv4 as IPv6", top: "front.proxies = [\"::ffff:192.0.2.0/120\"]", want: []string{"4:18: front.proxies[1]: ::ffff:192.0.2.0/120 is IPv4 written as IPv6"}},

		{name: "short life", top: "session.max-life = \"30s\"", want: []string{"4:20: session.max-life is 30 seconds, want at least 1 minute"}},
		{name: "short inactivity", top: "session.inactivity = \"1m\"", want: []string{"4:22: session.inactivity is 1 minute, want at least 2 minutes"}},
		{name: "long age", top: "session.response-max-age = \"1h\"", want: []string{"4:28: session.response-max-age: 1 hour is too long: the most is 10 minutes"}},
		{name: "negative skew", top: "session.clock-skew = \"-1s\"", want: []string{"4:22: session.clock-skew: minus 1 second is too short"}},
		{name: "logout elsewhere", top: "session.after-logout = \"//evil.example\"", want: []string{`4:24: session.after-logout: "//evil.example" is not a path of this site`}},

		{name: "logout with a fragment", top: "session.after-logout = \"/good#bye\"", want: []string{`4:24: session.after-logout: "/good#bye" is not a path of this site`}},

		{name: "unknown identity", top: "identity.send = [\"remote-user\", \"x-user\"]", want: []string{`4:33: identity.send[2]: "x-user" is none of remote-user, x-forwarded-user, x-aa`}},
		{name: "identity twice", top: "identity.send = [\"x-aa\", \"x-aa\"]", want: []string{`4:26: identity.send[2]: "x-aa" is there already`}},
		{name: "no identity", top: "identity.send = []"},
		{name: "no header", top: "identity.strip = [\"X-User:\"]", want: []string{`4:19: identity.strip[1]: "X-User:" is no name of a header`}},
		{name: "headers of one's own", top: "identity = {principal = \"X-WEBAUTH-USER\", ptags = \"X-Webauth-Ptags\"}"},
		{name: "headers that mean something else", top: "identity = {principal = \"X-Forwarded-For\", ptags = \"X_Ptags\"}", want: []string{
			`4:25: identity.principal: "X-Forwarded-For": it means something else: front servers tell`, `4:52: identity.ptags: "X_Ptags": want a header's name of letters`}},
		{name: "one header for two things", top: "identity = {principal = \"remote-user\", ptags = \"X-Roles\", groups = \"x-roles\"}", want: []string{
			`4:25: identity.principal: "remote-user": identity.send has it already`, `4:68: identity.groups: "x-roles": identity.ptags has it already`, "4:68: identity.groups: no rule has a group-file"}},
		{name: "a header that a client may send too", top: "identity.principal = \"X-Member\"", rule: "pass-headers = [\"X_Member\"]", want: []string{`8:17: rule[1].pass-headers[1]: "X_Member" is what identity.principal has`}},
		{name: "groups of a file for the backend alone", top: "identity.groups = \"Remote-Groups\"", rule: "group-file = \"g\""},
		{name: "a group file for nothing", rule: "group-file = \"g\"", want: []string{"8:14: rule[1].group-file: say with groups which"}},
		{name: "groups of people whom nobody looks at", top: "identity.groups = \"Remote-Groups\"", rule: "access = \"public\"\ngroup-file = \"g\"", want: []string{"9:14: rule[1].group-file: say with groups which"}},
		{name: "HMAC of nothing", top: "identity.hmac-key-file = \"key\"", want: []string{"4:26: identity.hmac-key-file: only the X-AA headers"}},
		{name: "bad headers", top: "[headers]\nhsts = \"1ms\"\nframe-ancestors = \"'self'; x\"\nreferrer-policy = \"never\"\npermissions-policy = \"\\u00e9\"\ncontent-security-policy = \"frame-ancestors 'none'\"", want: []string{
			"5:8: headers.hsts: MaxAge must be a whole number of seconds", "6:19: headers.frame-ancestors: ", "7:19: headers.referrer-policy: ",
			"8:22: headers.permissions-policy: byte 0xc3", "9:27: headers.content-security-policy: "}},
		{name: "subdomains of nothing", top: "headers.hsts-include-subdomains = true", want: []string{"4:35: headers.hsts-include-subdomains: set headers.hsts too"}},
		{name: "small headers", top: "limits.header-bytes = 100", want: []string{"4:23: limits.header-bytes: 100: want 4096 to 1048576"}},
		{name: "negative connections", top: "limits.connections = -1", want: []string{"4:22: limits.connections: -1 must not be negative"}},
		{name: "unknown log", top: "log = {format = \"xml\", level = \"loud\"}", want: []string{`4:17: log.format: "xml" is none of combined, json`, `4:32: log.level: "loud" is none of debug, info, warn, error`}},

		{name: "no path", old: "path = \"/\"\n", new: "", want: []string{"5:3: rule[1].path: this is missing"}},
		{name: "relative path", old: `"/"`, new: `"app"`, want: []string{`6:8: rule[1].path: "app": `}},
		{name: "path with a query", old: `"/"`, new: `"/a?b"`, want: []string{`6:8: rule[1].path: "/a?b": rules look at the path alone`}},
		{name: "path with dots", old: `"/"`, new: `"/a/../b"`, want: []string{`6:8: rule[1].path: "/a/../b" is not how paths are compared: write /b`}},
		{name: "path with slashes", old: `"/"`, new: `"//a"`, want: []string{`6:8: rule[1].path: "//a" is not how paths are compared: write /a`}},
		{name: "path with a backslash", old: `"/"`, new: `'/a\b'`, want: []string{`6:8: rule[1].path: "/a\\b": `}},
		{name: "scripts", rule: "scripts = [\"a/b\", \"*\", \"*.a.b\", \"\", \"..\", \"%61\"]", want: []string{
			`8:12: rule[1].scripts[1]: "a/b": write the name`, `8:19: rule[1].scripts[2]: "*": `, `8:24: rule[1].scripts[3]: "*.a.b": `,
			`8:33: rule[1].scripts[4]: "": `, `8:37: rule[1].scripts[5]: "..": `, `8:43: rule[1].scripts[6]: "%61": `}},
		{name: "good scripts", rule: "scripts = [\"app\", \"*.wsgi\", \"index.xyz\", \"\u00e4 b\"]"},
		{name: "path with a letter", old: `"/"`, new: `"/café"`},
		{name: "reserved path", old: `"/"`, new: `"/.WLS/x"`, want: []string{"6:8: rule[1].path: /.wls and what is below it are the gateway's own"}},
		{name: "other host", rule: `host = "wiki.example"`, want: []string{`8:8: rule[1].host: "wiki.example" is not a host of base-url or origins: those are soc.example`}},
		{name: "own host", rule: `host = "SOC.example"`},
		{name: "rule twice", rule: "[[rule]]\npath = \"/a/\"\n[[rule]]\npath = \"/a\"\n", want: []string{"11:8: rule[3].path: rule[2] is for the same host and path"}},
		{name: "rule twice but for case", top: "ignore-case = true", rule: "[[rule]]\npath = \"/a\"\n[[rule]]\npath = \"/A\"\n", want: []string{"11:8: rule[3].path: rule[2] is for the same host and path"}},
		{name: "rules that differ in case", rule: "[[rule]]\npath = \"/a\"\n[[rule]]\npath = \"/A\"\n"},
		{name: "unknown access", rule: `access = "logn"`, want: []string{`8:10: rule[1].access: "logn" is none of public, optional, login, login-or-bearer, basic: did you mean "login"?`}},
		{name: "public, but not", rule: "access = \"public\"\nptags = [\"current\"]\nfresh = \"5m\"\ncross-origin = true", want: []string{
			`9:1: rule[1].ptags: this means nothing for access = "public", only for "login", "login-or-bearer", "optional"`, "10:9: rule[1].fresh: this means nothing", "11:16: rule[1].cross-origin: this means nothing"}},
		{name: "optional principals", rule: "access = \"optional\"\nprincipals = [\"spqr1\"]", want: []string{`9:1: rule[1].principals: this means nothing for access = "optional", only for "login", "login-or-bearer", "basic"`}},
		{name: "password file for login", rule: "htpasswd = \"x\"", want: []string{`8:12: rule[1].htpasswd: this means nothing for access = "login", only for "basic"`}},
		{name: "basic without a file", rule: "access = \"basic\"", want: []string{"5:3: rule[1].htpasswd: this is missing"}},
		{name: "groups without a file", rule: "groups = [\"a\"]", want: []string{"5:3: rule[1].group-file: this is missing"}},
		{name: "file without groups", rule: "group-file = \"a\"", want: []string{"8:14: rule[1].group-file: say with groups"}},
		{name: "nobody", rule: "principals = []", want: []string{"8:1: rule[1].principals: an empty list would let nobody in"}},
		{name: "somebody without a name", rule: "principals = [\"spqr1\", \" \"]", want: []string{`8:24: rule[1].principals[2]: " ": an entry must not be empty`}},
		{name: "ptags where there are none", old: "raven", new: "goose", top: `key-dir = "keys"`, rule: "ptags = [\"current\"]", want: []string{"8:1: rule[1].ptags: the login service sets no ptags"}},
		{name: "ptags and any", rule: "ptags = [\"current\"]\nany-ptags = true", want: []string{"9:13: rule[1].any-ptags: this contradicts ptags"}},
		{name: "hardly fresh", rule: "fresh = \"10s\"", want: []string{"8:9: rule[1].fresh: 10 seconds is too short: the least is 1 minute"}},
		{name: "fresh without a password", rule: "fresh = \"5m\"\niact = \"no\"", want: []string{`9:8: rule[1].iact: "no" contradicts fresh`}},
		{name: "unknown iact", rule: "iact = \"maybe\"", want: []string{`8:8: rule[1].iact: "maybe" is none of yes, no`}},
		{name: "strange aauth", rule: "aauth = [\"p,w\"]", want: []string{"8:1: rule[1].aauth: webauth: Request.AAuth: \"p,w\": a type is"}},
		{name: "strange text", rule: "desc = \"a\\u0007b\"\nmsg = \"c\\u0000\"", want: []string{"8:8: rule[1].desc: ", "9:7: rule[1].msg: "}},
		{name: "everybody allowed", rule: "allow-from = [\"::/0\"]", want: []string{"8:15: rule[1].allow-from[1]: ::/0 is everybody"}},
		{name: "nobody allowed", rule: "allow-from = []", want: []string{"8:1: rule[1].allow-from: an empty list"}},
		{name: "no backend", old: "to = \"http://127.0.0.1:8000\"\n", new: "", want: []string{"5:3: rule[1].to: this is missing"}},
		{name: "no backend of its own", rule: "[[rule]]\npath = \"/a\""},
		{name: "no backend above", old: `path = "/"`, new: `path = "/ab"`, rule: "[[rule]]\npath = \"/abc\"", want: []string{"8:3: rule[2].to: this is missing"}},
		{name: "backend of another host", top: `origins = ["https://wiki.soc.example"]`, rule: "host = \"soc.example\"\n[[rule]]\npath = \"/a\"\nhost = \"wiki.soc.example\"", want: []string{"9:3: rule[2].to: this is missing"}},
		{name: "backend's settings without it", rule: "[[rule]]\npath = \"/a\"\nstrip-path = true\nbackend-host = \"keep\"\nbackend-ca = \"ca\"\nbackend-idle-timeout = \"1s\"\nbackend-cert = \"a\"\nbackend-key = \"a\"\nbackend-server-name = \"a\"", want: []string{
			"10:14: rule[2].strip-path: this rule has no backend", "11:16: rule[2].backend-host: this rule", "12:14: rule[2].backend-ca: this rule",
			"13:24: rule[2].backend-idle-timeout: this rule", "14:16: rule[2].backend-cert: this rule", "15:15: rule[2].backend-key: this rule", "16:23: rule[2].backend-server-name: this rule"}},
		{name: "backend with a path", old: ":8000", new: ":8000/app", want: []string{`7:6: rule[1].to: "http://127.0.0.1:8000/app": a backend has neither path nor query: write http://127.0.0.1:8000`}},
		{name: "backend without a scheme", old: "http://127.0.0.1:8000", new: "127.0.0.1:8000", want: []string{`7:6: rule[1].to: "127.0.0.1:8000": `}},
		{name: "backend of another scheme", old: "http:", new: "ftp:", want: []string{`7:6: rule[1].to: "ftp://127.0.0.1:8000": not an absolute http or https URL: write it such as`}},
		{name: "backend with a password", old: "127", new: "a:b@127", want: []string{`7:6: rule[1].to: `}},
		{name: "socket without a path", old: "http://127.0.0.1:8000", new: "unix:", want: []string{`7:6: rule[1].to: "unix:": write the socket's path`}},
		{name: "unknown host", rule: "backend-host = \"mine\"", want: []string{`8:16: rule[1].backend-host: "mine" is none of keep, backend`}},
		{name: "backend by h2c", old: "http:", new: "h2c:"},
		{name: "backend by h2c with a path", old: "http://127.0.0.1:8000", new: "h2c://127.0.0.1:8000/app", want: []string{`7:6: rule[1].to: "h2c://127.0.0.1:8000/app": a backend has neither path nor query: write h2c://127.0.0.1:8000`}},
		{name: "authority for http", rule: "backend-ca = \"ca\"", want: []string{"8:14: rule[1].backend-ca: this is for backends that speak https"}},
		{name: "certificate for h2c", old: "http:", new: "h2c:", rule: "backend-cert = \"a\"\nbackend-key = \"a\"\nbackend-server-name = \"a\"", want: []string{
			"8:16: rule[1].backend-cert: this is for backends that speak https", "9:15: rule[1].backend-key: this is", "10:23: rule[1].backend-server-name: this is"}},
		{name: "certificate without its key", old: "http:", new: "https:", rule: "backend-cert = \"a\"", want: []string{"5:3: rule[1].backend-key: this is missing: set it to the file with the key of backend-cert"}},
		{name: "key without its certificate", old: "http:", new: "https:", rule: "backend-key = \"a\"", want: []string{"5:3: rule[1].backend-cert: this is missing: set it to the file with the certificate"}},
		{name: "certificate and key in capitals", old: "http:", new: "HTTPS:", rule: "backend-cert = \"a\"\nbackend-key = \"a\"\nbackend-server-name = \"App.Internal\""},
		{name: "server name with a port", old: "http:", new: "https:", rule: "backend-server-name = \"app.internal:443\"", want: []string{`8:23: rule[1].backend-server-name: "app.internal:443": write the name that stands in the backend's certificate`}},
		{name: "server name that is a URL", old: "http:", new: "https:", rule: "backend-server-name = \"https://app.internal\"", want: []string{`8:23: rule[1].backend-server-name: `}},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.NewReplacer("%top%", row.top, "%rule%", row.rule).Replace(frame)
			if row.old != "" {
				text = strings.Replace(text, row.old, row.new, 1)
			}
			file := writeConfig(t, text)
			_, err := Load(file)
			if len(row.want) == 0 {
				require.NoError(t, err)
				return
			}
			assert.NotContains(t, err.Error(), "hunter2")
			requireProblems(t, err, file, row.want)
		})
	}
}

// TestNormalise_program is a Config of a program: no file, and nothing of the caller's is
// changed.
func TestNormalise_program(t *testing.T) {
	service := webauth.Raven()
	given := Config{BaseURL: "https://SOC.example", SecretFile: "secret", Service: &service, Origins: []string{"https://Wiki.soc.example"},
		Rules: []Rule{{Path: "/", To: "http://127.0.0.1:1", Host: "soc.Example"}}}
	cfg := given
	require.NoError(t, cfg.normalise())
	once := cfg
	require.NoError(t, cfg.normalise())
	once.Now, once.Logger, cfg.Now, cfg.Logger = nil, nil, nil, nil
	assert.Equal(t, once, cfg, "twice is once")
	assert.Equal(t, Login, cfg.Rules[0].Access)
	assert.Empty(t, given.Rules[0].Access)
	assert.Equal(t, "https://Wiki.soc.example", given.Origins[0])
	assert.Equal(t, "secret", cfg.SecretFile)

	cfg.WLS, cfg.BaseURL = "raven", ""
	err := cfg.normalise()
	require.EqualError(t, err, "base-url: this is missing: set it to where browsers see the site, such as \"https://soc.example\"\n"+
		"wls: Config.Service is set already: leave wls, key-dir, custom-wls, oidc and login out\n"+
		"rule[1].host: \"soc.example\" is not a host of base-url or origins: those are wiki.soc.example")
}
