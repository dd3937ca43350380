package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
)

// named is a header whose name the configuration chooses, and the key that does.
type named struct{ key, name string }

// named returns those that are set.
func (i *Identity) named() []named {
	return slices.DeleteFunc([]named{
		{"identity.principal", i.Principal}, {"identity.ptags", i.Ptags}, {"identity.groups", i.Groups},
	}, func(n named) bool { return n.name == "" })
}

// addNamed has an identity put these headers too.
func (id *identity) addNamed(cfg *Identity) {
	if cfg.Principal != "" {
		id.plain = append(id.plain, http.CanonicalHeaderKey(cfg.Principal))
	}
	id.ptags, id.groups = http.CanonicalHeaderKey(cfg.Ptags), http.CanonicalHeaderKey(cfg.Groups)
	for _, n := range cfg.named() {
		id.names = append(id.names, http.CanonicalHeaderKey(n.name))
	}
}

// setNamed puts the lists that have a header of their own.
func (id *identity) setNamed(h http.Header, user string, who *glue.Identity, ru *rule) error {
	if id.ptags != "" {
		if err := setList(h, id.ptags, who.Ptags); err != nil {
			return err
		}
	}
	if id.groups != "" {
		return setList(h, id.groups, ru.groups.Of(user))
	}
	return nil
}

// setList puts a list into a header. An empty list has none.
func setList(h http.Header, name string, values []string) error {
	if len(values) == 0 {
		return nil
	}
	value := strings.Join(values, ",")
	if !isHeaderSafe(value) {
		return errUnsafe
	}
	h[name] = []string{value}
	return nil
}

// theirsAlone is why the headers of the configuration's choice are removed from requests.
var theirsAlone = &headername.Entry{Class: headername.Identifies, Reason: "the configuration has backends take it for who is logged in"}

// stripNamed removes headers of these names, in any spelling, from what clients send.
func (s *stripping) stripNamed(cfg *Identity) {
	for _, n := range cfg.named() {
		s.more[headername.FoldString(n.name)] = theirsAlone
	}
}

// checkNamed checks the names of headers that the configuration chooses.
func (k *checker) checkNamed() {
	taken := map[string]string{}
	for _, way := range k.Identity.Send {
		for _, name := range identityHeaders[way] {
			taken[headername.FoldString(name)] = "identity.send"
		}
	}
	for _, n := range k.Identity.named() {
		if err := headername.MayIdentify(n.name); err != nil {
			k.Errorf(n.key, "%q: %v", n.name, err)
			continue
		}
		folded := headername.FoldString(n.name)
		if other := taken[folded]; other != "" {
			k.Errorf(n.key, "%q: %s has it already: choose another name, or leave one of the two out", n.name, other)
		}
		taken[folded] = n.key
		for i := range k.Rules {
			for j, pass := range k.Rules[i].PassHeaders {
				if headername.FoldString(pass) == folded {
					k.Errorf(config.Element(ruleKey(i, "pass-headers"), j+1), "%q is what %s has backends take for who is logged in", pass, n.key)
				}
			}
		}
	}
	if k.Identity.Ptags != "" && !k.login().SetsPtags() {
		k.Warnf("identity.ptags", "the login service sets no ptags, so this header never comes: leave it out")
	}
	if k.Identity.Groups != "" && !slices.ContainsFunc(k.Rules, func(r Rule) bool { return r.GroupFile != "" }) {
		k.Errorf("identity.groups", "no rule has a group-file, so nobody is in any group: set it in rules whose backends are to know")
	}
}
