package gateway

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func (k *checker) checkRules() {
	if len(k.Rules) == 0 {
		k.Errorf("rule", "there is none: add a [[rule]] with path, access and to")
	}
	if !slices.ContainsFunc(k.Rules, func(r Rule) bool { return r.Path == "/" }) {
		k.Notef("rule", `no rule is for "/": what no rule fits asks for a login, and then is not found`)
	}
	for i := range k.Rules {
		k.checkScope(i)
		k.checkWho(i)
		k.checkPolicy(i)
		k.checkOpen(i)
		k.noteLost(i)
		k.checkCrossOrigin(i)
		k.lookAtPeople(i)
		k.lookAtAccess(i)
		k.checkBackend(i)
		k.lookAtBackend(i)
		k.checkPassHeaders(i)
		k.lookAtScripts(i)
	}
	k.lookAtCase()
}

// checkScope checks what a rule is for.
func (k *checker) checkScope(i int) {
	r := &k.Rules[i]
	hosts := k.hosts()
	if r.Host != "" && !slices.ContainsFunc(hosts, func(h string) bool { return isHost(r.Host, h) }) {
		k.Errorf(ruleKey(i, "host"), "%q is not a host of base-url or origins: those are %s", r.Host, strings.Join(hosts, ", "))
	}
	if r.Path == "" {
		k.Need(ruleKey(i, "path"), "", `where the rule begins; "/" is the whole site`)
		return
	}
	normal, err := rulePath(r.Path)
	switch {
	case err != nil:
		k.Errorf(ruleKey(i, "path"), "%q: %v", r.Path, err)
	case strings.ContainsAny(r.Path, "?#"):
		k.Errorf(ruleKey(i, "path"), "%q: rules look at the path alone: leave out what begins with ? or #", r.Path)
	case normal != r.Path && normal != paths.Escape(r.Path):
		k.Errorf(ruleKey(i, "path"), "%q is not how paths are compared: write %s", r.Path, normal)
	case isReserved(normal):
		k.Errorf(ruleKey(i, "path"), "/.wls and what is below it are the gateway's own")
	}
	for j, other := range k.Rules[:i] {
		if theirs, err := rulePath(other.Path); err == nil && other.Host == r.Host && k.sameFold(paths.FoldPlus(paths.TrimSlash(theirs)), paths.FoldPlus(paths.TrimSlash(normal))) {
			k.Errorf(ruleKey(i, "path"), "rule[%d] is for the same host and path: make them one", j+1)
			return
		}
	}
}

// sameFold compares paths as rules are.
func (c *Config) sameFold(a, b string) bool {
	return a == b || c.IgnoreCase && strings.EqualFold(a, b)
}

// checkWho checks the kind of access, and that nothing is set that it has no use for.
func (k *checker) checkWho(i int) {
	r := &k.Rules[i]
	if _, known := strictness[r.Access]; !known {
		k.OneOf(ruleKey(i, "access"), string(r.Access), "public", "optional", "login", "login-or-bearer", "basic")
		return
	}
	for _, f := range []struct {
		field string
		set   bool
		uses  []Access
	}{
		{"principals", r.Principals != nil, []Access{Login, LoginOrBearer, Basic}},
		{"groups", r.Groups != nil, []Access{Login, LoginOrBearer, Basic}},
		{"ptags", r.Ptags != nil, []Access{Login, LoginOrBearer, Optional}},
		{"any-ptags", r.AnyPtags, []Access{Login, LoginOrBearer, Optional}},
		{"iact", r.IAct != "", []Access{Login, LoginOrBearer, Optional}},
		{"aauth", r.AAuth != nil, []Access{Login, LoginOrBearer, Optional}},
		{"fresh", r.Fresh != 0, []Access{Login, LoginOrBearer, Optional}},
		{"desc", r.Desc != "", []Access{Login, LoginOrBearer}},
		{"msg", r.Msg != "", []Access{Login, LoginOrBearer}},
		{"allow-from", r.AllowFrom != nil, []Access{Login, LoginOrBearer, Basic}},
		{"htpasswd", r.Htpasswd != "", []Access{Basic}},
		{"cross-origin", r.CrossOrigin != nil, []Access{Login, LoginOrBearer, Optional, Basic}},
	} {
		if f.set && !slices.Contains(f.uses, r.Access) {
			k.Errorf(ruleKey(i, f.field), "this means nothing for access = %q, only for %s", r.Access, words(f.uses))
		}
	}
	if r.Access == Basic {
		k.Need(ruleKey(i, "htpasswd"), r.Htpasswd, "a file with lines as htpasswd -B makes them")
	}
	if r.Groups != nil && r.GroupFile == "" {
		k.Need(ruleKey(i, "group-file"), "", `a file with lines such as "editors: spqr1 spqr2"`)
	}
	if r.Groups == nil && r.GroupFile != "" && (k.Identity.Groups == "" || r.Access == Public) {
		k.Errorf(ruleKey(i, "group-file"), "say with groups which groups of the file may come in, or with identity.groups how the backend learns of them")
	}
}

func words(all []Access) string {
	quoted := make([]string, len(all))
	for i, a := range all {
		quoted[i] = fmt.Sprintf("%q", a)
	}
	return strings.Join(quoted, ", ")
}

// checkPolicy checks who may come in, and how they must have logged in.
func (k *checker) checkPolicy(i int) {
	r := &k.Rules[i]
	for _, f := range []struct {
		field string
		list  []string
	}{{"principals", r.Principals}, {"groups", r.Groups}, {"ptags", r.Ptags}, {"aauth", r.AAuth}} {
		k.NotEmpty(ruleKey(i, f.field), f.list)
	}
	if r.AllowFrom != nil && len(r.AllowFrom) == 0 {
		k.Errorf(ruleKey(i, "allow-from"), "an empty list lets nobody in without a login: leave it out")
	}
	k.CheckRanges(ruleKey(i, "allow-from"), r.AllowFrom)
	if r.Ptags != nil && r.AnyPtags {
		k.Errorf(ruleKey(i, "any-ptags"), "this contradicts ptags: leave one of them out")
	}
	if r.Ptags != nil && !k.login().SetsPtags() {
		k.Errorf(ruleKey(i, "ptags"), "the login service sets no ptags, so nobody would get in")
	}
	if r.Fresh != 0 {
		k.Between(ruleKey(i, "fresh"), r.Fresh, time.Minute, 0)
	}
	if r.IAct != "" {
		k.OneOf(ruleKey(i, "iact"), r.IAct, "yes", "no")
	}
	if r.Fresh != 0 && r.IAct == "no" {
		k.Errorf(ruleKey(i, "iact"), `"no" contradicts fresh, which asks for a password`)
	}
	k.checkRequest(i, "desc", webauth.Request{Desc: r.Desc})
	k.checkRequest(i, "msg", webauth.Request{Msg: r.Msg})
	k.checkRequest(i, "aauth", webauth.Request{AAuth: r.AAuth})
}

// checkRequest reports what cannot be said to a login service.
func (k *checker) checkRequest(i int, field string, request webauth.Request) {
	request.URL = "https://soc.example/"
	if _, err := webauth.Raven().LoginURL(request); err != nil {
		k.Errorf(ruleKey(i, field), "%v", err)
	}
}

// checkBackend checks where a rule's pages come from.
func (k *checker) checkBackend(i int) {
	r := &k.Rules[i]
	for j, name := range r.Scripts {
		if !paths.IsScriptName(name) {
			k.Errorf(config.Element(ruleKey(i, "scripts"), j+1), "%q: write the name of a path segment, such as app, or an ending, such as *.wsgi", name)
		}
	}
	if r.BackendHost != "" {
		k.OneOf(ruleKey(i, "backend-host"), r.BackendHost, hostKeep, hostBackend)
	}
	if r.To != "" {
		if err := checkTo(r.To); err != nil {
			k.Errorf(ruleKey(i, "to"), "%q: %v", r.To, err)
		}
		k.checkBackendTLS(i)
		return
	}
	for _, f := range backendFields(r) {
		if f.set {
			k.Errorf(ruleKey(i, f.field), "this rule has no backend of its own: set to as well, or set this where to is set")
		}
	}
	if !k.inherits(i) && !k.ForwardAuth {
		k.Errorf(ruleKey(i, "to"), "this is missing, and no rule for a shorter path has a backend: set it to one, such as http://127.0.0.1:8000 or unix:/run/app.sock")
	}
}

// checkPassHeaders checks which headers a rule lets through.
func (k *checker) checkPassHeaders(i int) {
	r := &k.Rules[i]
	for j, name := range r.PassHeaders {
		key, e := config.Element(ruleKey(i, "pass-headers"), j+1), headername.Lookup(name)
		if err := checkPassHeader(name); err != nil {
			k.Errorf(key, "%q: %v", name, err)
		}
		switch {
		case e.Class&headername.Routes != 0:
			k.Warnf(key, "%s: rules are about the path and host of the request itself, and whoever sends another in this header may get past them, unless the backend ignores it: %s", name, e.Reason)
		case e.Class&headername.Methods != 0:
			k.Notef(key, "%s: the gateway looks at the method of the request itself; the backend may do another. What that does below the path is judged, and nothing else is", name)
		case e.Class&(headername.Peers|headername.Suspects) != 0:
			k.Notef(key, "%s: clients can write it, unless a front server replaces it: %s", name, e.Reason)
		}
	}
	if r.PassHeaders != nil && r.To == "" && k.ForwardAuth && !k.inherits(i) {
		k.Errorf(ruleKey(i, "pass-headers"), "this rule has no backend: what goes on to the application is up to the front server")
	}
}

// checkTo checks the address of a backend.
func checkTo(to string) error {
	if path, ok := strings.CutPrefix(to, listen.Unix); ok {
		if path == "" || strings.HasPrefix(path, "//") {
			return fmt.Errorf("write the socket's path behind unix:, such as unix:/run/app.sock")
		}
		return nil
	}
	scheme, address := schemeOf(to), to
	if scheme == schemeH2C {
		address = "http" + to[len(schemeH2C):]
	}
	origin, err := webauth.Origin(address)
	if err != nil {
		return fmt.Errorf("%v: write it such as http://127.0.0.1:8000, https://app.internal, h2c://127.0.0.1:50051 or unix:/run/app.sock", err)
	}
	if serve.HasPath(address) {
		return fmt.Errorf("a backend has neither path nor query: write %s://%s", scheme, serve.HostOf(origin))
	}
	return nil
}

// inherits reports whether rule i can get a backend from the rule that is next for what
// it is for, at one host at least.
func (c *Config) inherits(i int) bool {
	r := &c.Rules[i]
	return slices.ContainsFunc(c.Rules, func(other Rule) bool {
		if other.To == "" || other.Host != "" && r.Host != "" && other.Host != r.Host {
			return false
		}
		path, prefix := paths.TrimSlash(r.Path), paths.TrimSlash(other.Path)
		if len(path) == len(prefix) { // one with a host comes before one without
			return c.sameFold(path, prefix) && r.Host != "" && other.Host == ""
		}
		return len(prefix) < len(path) && path[len(prefix)] == '/' && c.sameFold(path[:len(prefix)], prefix)
	})
}

func (k *checker) lookAtAccess(i int) {
	r := &k.Rules[i]
	if r.Access == Public && r.Path == "/" {
		k.Warnf(ruleKey(i, "access"), "everybody may have everything that no other rule is for; what is forgotten is public")
	}
	if r.Access == LoginOrBearer {
		k.Notef(ruleKey(i, "access"), "whoever sends Authorization: Bearer with any token gets through to the backend, as nobody: see that it refuses tokens that it does not know, and pages for people where nobody is named")
	}
	for j, p := range r.AllowFrom {
		if serve.IsWide(p) {
			k.Warnf(config.Element(ruleKey(i, "allow-from"), j+1), "%v is many networks, and whoever is in one of them needs no login", p)
		}
	}
	if r.AllowFrom != nil && len(k.Front.Proxies) == 0 && !k.Front.UnixSocket && k.servesFronts() {
		k.Warnf(ruleKey(i, "allow-from"), "behind a front server that is not named in [front], everybody seems to come from its address")
	}
	if r.AnyPtags && (k.login().SetsPtags() || k.login().Open() != nil) {
		k.Notef(ruleKey(i, "any-ptags"), "people who are no longer members of the University can log in too")
	}
	if r.IAct == "yes" && r.Fresh == 0 {
		k.Notef(ruleKey(i, "iact"), "the password may have been typed at any time since the session began: fresh bounds that")
	}
}

func (k *checker) servesFronts() bool {
	l := k.common().Listening(false)
	return len(l.HTTP) > 0 || l.Unix != ""
}

// lookAtBackend warns of who else may reach a backend, and what is on the way there.
func (k *checker) lookAtBackend(i int) {
	r := &k.Rules[i]
	key := ruleKey(i, "to")
	u, err := url.Parse(r.To)
	if err != nil || u.Host == "" { // none, or a socket: trySockets looks at those
		return
	}
	switch loopback := serve.IsLoopbackHost(u.Hostname()); {
	case u.Scheme != "https" && !loopback:
		k.Warnf(key, "whoever is on the way to %s can read and change everything, and whoever reaches it can claim to be anybody%s: use https, and let only the gateway connect", u.Host, k.claims())
	case !loopback && k.claims() != "":
		k.Notef(key, "see that only the gateway can connect to %s: whoever else does can claim to be anybody%s", u.Host, k.claims())
	case k.claims() != "":
		k.Notef(key, "every program on this machine can connect to %s and claim to be anybody%s; a unix socket keeps the others out", u.Host, k.claims())
	}
}

// claims says how one would claim to be somebody.
func (k *checker) claims() string {
	var used []string
	for _, way := range k.Identity.Send {
		if headers, known := identityHeaders[way]; known { // else it is an error already
			used = append(used, headers[0])
		}
	}
	if name := k.Identity.Principal; name != "" {
		used = append(used, name)
	}
	if used == nil {
		return ""
	}
	return " (" + strings.Join(used, ", ") + ")"
}
