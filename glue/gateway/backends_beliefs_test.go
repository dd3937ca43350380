package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
)

// belief is what a backend's program was told about a request: the variables of CGI, or
// what the server has in their place, and the body.
type belief struct {
	Env    map[string]string `json:"env"`
	Length int               `json:"length"`
	SHA256 string            `json:"sha256"`
}

// judged is what the gateway made of a request before it passed it on.
type judged struct {
	rule    string // its path
	visitor string // whose session it is; empty for nobody's
	method  string
	host    string
	body    string
	anyBody bool // it is known that the server does not get this one
}

// Nobody may tell a backend these; programs, frameworks and the recipes for running them
// behind a proxy take them for the path, the method, the scheme, the host, the peer or
// the person.
var mustBeAbsent = []string{
	"HTTP_SCRIPT_NAME", "HTTP_PATH_INFO", "HTTP_PATH_TRANSLATED", "HTTP_REQUEST_URI", "HTTP_X_SCRIPT_NAME", "HTTP_X_FORWARDED_PREFIX",
	"HTTP_X_ORIGINAL_URL", "HTTP_X_ORIGINAL_URI", "HTTP_X_REWRITE_URL", "HTTP_X_FORWARDED_URI", "HTTP_X_FORWARDED_PATH", "HTTP_X_REQUEST_URI",
	"HTTP_X_OVERRIDE_URL", "HTTP_X_ACCEL_REDIRECT", "HTTP_X_ACCEL_MAPPING", "HTTP_X_SENDFILE", "HTTP_X_SENDFILE_TYPE",
	"HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE", "HTTP_X_METHOD", "HTTP_X_ORIGINAL_METHOD", "HTTP_X_FORWARDED_METHOD", "HTTP_REQUEST_METHOD",
	"HTTP_X_FORWARDED_SSL", "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_PROTOCOL", "HTTP_FRONT_END_HTTPS", "HTTP_X_URL_SCHEME", "HTTP_X_SCHEME", "HTTP_HTTPS", "HTTP_X_SSL_CLIENT_DN",
	"HTTP_X_HOST", "HTTP_X_FORWARDED_SERVER", "HTTP_X_FORWARDED_PORT", "HTTP_X_ORIGINAL_HOST", "HTTP_X_HTTP_HOST_OVERRIDE", "HTTP_FORWARDED", "HTTP_SERVER_NAME",
	"HTTP_X_REAL_IP", "HTTP_CLIENT_IP", "HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_REMOTE_ADDR", "HTTP_X_REMOTE_ADDR",
	"HTTP_PROXY", "HTTP_REMOTE_GROUPS", "HTTP_X_REMOTE_USER", "HTTP_AUTH_USER", "HTTP_X_AUTH_REQUEST_USER", "HTTP_X_WEBAUTH_USER", "HTTP_OIDC_CLAIM_SUB", "HTTP_SSL_CLIENT_S_DN",
	"HTTP_HTTP_REMOTE_USER",
}

// user is whom the backend may take the visitor for: rules that are public tell of nobody.
func (j *judged) user() string {
	if j.rule == "/" || j.rule == "/public" {
		return ""
	}
	return j.visitor
}

// mismatches lists what the backend believed and the gateway did not judge. The script is
// the server's own name for its program.
func (b *belief) mismatches(want judged, script string) []string {
	var wrong []string
	expect := func(name, may string, others ...string) {
		if value, ok := b.Env[name]; ok && value != may && !slices.Contains(others, value) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, not %q", name, value, may))
		}
	}
	for _, name := range mustBeAbsent {
		expect(name, "")
	}
	expect("SCRIPT_NAME", "", script)
	for _, path := range b.paths(script) {
		if rule := ruleOf(path); rule != want.rule {
			wrong = append(wrong, fmt.Sprintf("path %q is for the rule of %s, judged by that of %s", path, rule, want.rule))
		}
	}
	expect("REQUEST_METHOD", want.method)
	expect("rack.methodoverride.original_method", "")
	for _, name := range []string{"HTTP_REMOTE_USER", "HTTP_X_FORWARDED_USER", "HTTP_X_AAPRINCIPAL"} {
		if b.Env[name] != want.user() {
			wrong = append(wrong, fmt.Sprintf("%s is %q, not %q", name, b.Env[name], want.user()))
		}
	}
	expect("REMOTE_USER", "")
	name, _, _ := strings.Cut(want.host, ":")
	expect("HTTP_HOST", want.host, name)
	expect("HTTP_X_FORWARDED_HOST", want.host, "")
	for _, name := range []string{"wsgi.url_scheme", "rack.url_scheme", "REQUEST_SCHEME"} {
		expect(name, "https", "http")
	}
	expect("HTTP_X_FORWARDED_PROTO", "https", "")
	expect("HTTPS", "on", "off", "")
	expect("REMOTE_ADDR", "127.0.0.1")
	expect("HTTP_X_FORWARDED_FOR", "127.0.0.1", "")
	for name, value := range b.Env {
		if strings.Contains(value, "evil") && !tellsOfItself(name) {
			wrong = append(wrong, fmt.Sprintf("%s is %q", name, value))
		}
	}
	wrong = append(wrong, b.trees(want, script)...)
	if sum := sha256.Sum256([]byte(want.body)); !want.anyBody && b.SHA256 != hex.EncodeToString(sum[:]) {
		wrong = append(wrong, fmt.Sprintf("its body has %d bytes, not the %d that were sent", b.Length, len(want.body)))
	}
	return wrong
}

// tellsOfItself reports whether a variable may have in it whatever was sent: the query,
// the body, Accept, which a folded line becomes part of, and what is no variable of CGI.
func tellsOfItself(name string) bool {
	return name == "QUERY_STRING" || name == "REQUEST_URI" || name == "RAW_URI" || name == "REDIRECT_URI" || name == "HTTP_ACCEPT" ||
		strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != ""
}

// paths are those that a program may route the request by.
func (b *belief) paths(script string) []string {
	var paths []string
	if info := b.Env["PATH_INFO"]; info != "" {
		paths = append(paths, info)
		if name := b.Env["SCRIPT_NAME"]; name != script {
			paths = append(paths, name+info)
		}
	}
	for _, name := range []string{"REQUEST_URI", "RAW_URI", "REQUEST_PATH", "ORIG_PATH_INFO"} {
		if uri := b.Env[name]; uri != "" {
			path, _, _ := strings.Cut(uri, "?")
			paths = append(paths, path)
		}
	}
	return paths
}

// ruleOf is the path of the rule of openWorld for a path as the most obliging of programs
// would read it.
func ruleOf(path string) string {
	longest, reading := "/", asAnyProgramMight(path)
	for _, rule := range openRules {
		if paths.Covers(rule, reading) && len(rule) > len(longest) {
			longest = rule
		}
	}
	return longest
}

// openRules are the paths of openWorld's rules, and what is the gateway's own.
var openRules = []string{"/public", "/public/deep", "/optional", "/private", "/named", "/basic", "/.wls"}

// admits reports whether somebody gets past the rule of a path: nobody has the name or
// the password that some ask for.
func admits(rule, user string) bool {
	switch rule {
	case "/", "/public", "/optional":
		return true
	case "/private", "/public/deep":
		return user != ""
	}
	return false
}

// trees lists what a method reaches beside its path: the second path of COPY and MOVE,
// and what lies below either.
func (b *belief) trees(want judged, script string) []string {
	var wrong []string
	tops := b.paths(script)
	if destination, ok := b.Env["HTTP_DESTINATION"]; ok {
		path := destination
		if _, rest, found := strings.Cut(destination, "://"); found {
			host, below, _ := strings.Cut(rest, "/")
			if path = "/" + below; host != want.host {
				wrong = append(wrong, fmt.Sprintf("destination %q is elsewhere", destination))
			}
		}
		if !admits(ruleOf(path), want.visitor) {
			wrong = append(wrong, fmt.Sprintf("destination %q is for the rule of %s", destination, ruleOf(path)))
		}
		tops = append(tops, path)
	}
	if !b.actsOnTree() {
		return wrong
	}
	for _, top := range tops {
		top = strings.TrimSuffix(asAnyProgramMight(top), "/")
		for _, rule := range openRules {
			if rule != "/.wls" && paths.Covers(top, rule) && !admits(rule, want.visitor) {
				wrong = append(wrong, fmt.Sprintf("%s %s reaches %s", b.Env["REQUEST_METHOD"], top+"/", rule))
			}
		}
	}
	return wrong
}

func (b *belief) actsOnTree() bool {
	switch b.Env["REQUEST_METHOD"] {
	case http.MethodDelete, "COPY", "MOVE", "SEARCH", "REPORT":
		return true
	case "PROPFIND", "LOCK":
		return b.Env["HTTP_DEPTH"] != "0"
	}
	return false
}
