package gateway

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/config"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/listen"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

func (k *weaknesses) lookAtRules() {
	if !slices.ContainsFunc(k.Rules, func(r Rule) bool { return r.Path == "/" }) {
		k.note("rule", `no rule is for "/": what no rule fits asks for a login, and then is not found`)
	}
	for i := range k.Rules {
		k.lookAtAccess(i)
		k.lookAtPassHeaders(i)
		k.lookAtBackend(i)
		k.lookAtScripts(i)
	}
	k.lookAtCase()
}

func (k *weaknesses) lookAtAccess(i int) {
	r := &k.Rules[i]
	if r.Access == Public && r.Path == "/" {
		k.warn(ruleKey(i, "access"), "everybody may have everything that no other rule is for; what is forgotten is public")
	}
	for j, p := range r.AllowFrom {
		if isWide(p) {
			k.warn(config.Element(ruleKey(i, "allow-from"), j+1), "%v is many networks, and whoever is in one of them needs no login", p)
		}
	}
	if r.AllowFrom != nil && len(k.Front.Proxies) == 0 && !k.Front.UnixSocket && k.servesFronts() {
		k.warn(ruleKey(i, "allow-from"), "behind a front server that is not named in [front], everybody seems to come from its address")
	}
	if r.AnyPtags && k.setsPtags() {
		k.note(ruleKey(i, "any-ptags"), "people who are no longer members of the University can log in too")
	}
	if r.IAct == "yes" && r.Fresh == 0 {
		k.note(ruleKey(i, "iact"), "the password may have been typed at any time since the session began: fresh bounds that")
	}
	if r.CrossOrigin {
		k.note(ruleKey(i, "cross-origin"), "pages of other sites can send requests here in the name of whoever reads them, unless the backend sees to that")
	}
}

func (k *weaknesses) lookAtPassHeaders(i int) {
	for j, name := range k.Rules[i].PassHeaders {
		e := headername.Lookup(name)
		switch key := config.Element(ruleKey(i, "pass-headers"), j+1); {
		case e.Class&headername.Routes != 0:
			k.warn(key, "%s: rules are about the path and host of the request itself, and whoever sends another in this header may get past them, unless the backend ignores it: %s", name, e.Reason)
		case e.Class&headername.Methods != 0:
			k.note(key, "%s: the gateway looks at the method of the request itself; the backend may do another. What that does below the path is judged, and nothing else is", name)
		case e.Class&(headername.Peers|headername.Suspects) != 0:
			k.note(key, "%s: clients can write it, unless a front server replaces it: %s", name, e.Reason)
		}
	}
}

func (k *weaknesses) servesFronts() bool {
	l := k.listening()
	return len(l.HTTP) > 0 || l.Unix != ""
}

func (k *weaknesses) lookAtBackend(i int) {
	r := &k.Rules[i]
	key := ruleKey(i, "to")
	if path, ok := strings.CutPrefix(r.To, listen.Unix); ok {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			k.note(key, "%s cannot be found now: until it is there, people see an error", path)
		case info.Mode().Type() != os.ModeSocket:
			k.warn(key, "%s is no socket", path)
		case info.Mode().Perm()&0o002 != 0:
			k.warn(key, "everybody on this machine can reach %s and claim to be anybody%s", path, k.claims())
		}
		return
	}
	u, err := url.Parse(r.To)
	if err != nil || r.To == "" {
		return
	}
	switch loopback := isLoopbackHost(u.Hostname()); {
	case u.Scheme == "http" && !loopback:
		k.warn(key, "whoever is on the way to %s can read and change everything, and whoever reaches it can claim to be anybody%s: use https, and let only the gateway connect", u.Host, k.claims())
	case !loopback && len(k.Identity.Send) > 0:
		k.note(key, "see that only the gateway can connect to %s: whoever else does can claim to be anybody%s", u.Host, k.claims())
	case len(k.Identity.Send) > 0:
		k.note(key, "every program on this machine can connect to %s and claim to be anybody%s; a unix socket keeps the others out", u.Host, k.claims())
	}
}

// claims says how one would claim to be somebody.
func (k *weaknesses) claims() string {
	names := map[string]string{sendRemoteUser: "Remote-User", sendXForwardedUser: "X-Forwarded-User", sendXAA: "X-AAPrincipal"}
	var used []string
	for _, way := range k.Identity.Send {
		used = append(used, names[way])
	}
	if used == nil {
		return ""
	}
	return " (" + strings.Join(used, ", ") + ")"
}
