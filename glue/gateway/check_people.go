package gateway

import (
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
)

// lookAtPeople warns of names and ptags in a rule that let nobody in. What people are called who
// have passwords is up to the operator.
func (k *checker) lookAtPeople(i int) {
	r, service := &k.Rules[i], k.login()
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

// notePeople looks at the files of people: at names of theirs that let nobody in, and at rules
// that name somebody who has no password.
func (c *core) notePeople(i int, ru *rule) {
	service := c.cfg.login()
	for _, group := range ru.cfg.Groups {
		for _, name := range ru.groups[group] {
			if err := service.CheckPrincipal(name); err != nil && ru.cfg.Access != Basic {
				c.noted.Warnf(ruleKey(i, "group-file"), "group %s in %s: %v", group, ru.cfg.GroupFile, err)
			}
		}
	}
	if ru.passwords == nil {
		return
	}
	for j, name := range ru.cfg.Principals {
		if !ru.passwords.Has(name) {
			c.noted.Warnf(config.Element(ruleKey(i, "principals"), j+1), "%q has no password in %s, and so cannot come in", name, ru.cfg.Htpasswd)
		}
	}
}
