package gateway

import (
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/config"
)

// lookAtPeople warns of names and ptags in a rule that let nobody in. What people are called who
// have passwords is up to the operator.
func (k *checker) lookAtPeople(i int) {
	r, service := &k.Rules[i], k.serviceWithoutKeys()
	if r.Access != Login && r.Access != Optional {
		return
	}
	for j, name := range r.Principals {
		if err := service.CheckPrincipal(name); err != nil && name != "" && strings.TrimSpace(name) == name { // else it is an error already
			k.Warnf(config.Element(ruleKey(i, "principals"), j+1), "%v", err)
		}
	}
	for j, ptag := range r.Ptags {
		if err := service.CheckPtag(ptag); err != nil && ptag != "" {
			k.Notef(config.Element(ruleKey(i, "ptags"), j+1), "%v", err)
		}
	}
}

// tryPeople looks at the files of people: at names of theirs that let nobody in, and at rules
// that name somebody who has no password.
func (k *checker) tryPeople(c *core) {
	service := k.serviceWithoutKeys()
	for i := range k.Rules {
		ru := c.ruleNumber(i)
		if ru == nil {
			continue
		}
		for _, group := range ru.cfg.Groups {
			for _, name := range ru.groups[group] {
				if err := service.CheckPrincipal(name); err != nil && ru.cfg.Access != Basic {
					k.Warnf(ruleKey(i, "group-file"), "group %s in %s: %v", group, ru.cfg.GroupFile, err)
				}
			}
		}
		if ru.passwords == nil {
			continue
		}
		for j, name := range ru.cfg.Principals {
			if !ru.passwords.Has(name) {
				k.Warnf(config.Element(ruleKey(i, "principals"), j+1), "%q has no password in %s, and so cannot come in", name, ru.cfg.Htpasswd)
			}
		}
	}
}

// ruleNumber returns a rule at work, at one of its hosts; nil if it has none.
func (c *core) ruleNumber(i int) *rule {
	for _, rules := range c.rules {
		for _, ru := range rules {
			if ru.cfg == &c.cfg.Rules[i] {
				return ru
			}
		}
	}
	return nil
}

// lookAtService warns of addresses that the service sends nobody back to.
func (k *checker) lookAtService() {
	for i, origin := range append([]string{k.BaseURL}, k.Origins...) {
		key := "base-url"
		if i > 0 {
			key = config.Element("origins", i)
		}
		if err := k.serviceWithoutKeys().CheckOrigin(origin); err != nil && origin != "" {
			k.Warnf(key, "%v", err)
		}
	}
}

// tryKeys looks at the service's keys.
func (k *checker) tryKeys() {
	if service, err := k.service(); err == nil { // else New has said so
		if err := service.CheckKeys(); err != nil {
			k.Warnf("key-dir", "%v", err)
		}
	}
}
