package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
)

// lookAtCase notes where another spelling of a rule's path would be judged by another
// rule, if the backend takes the two for the same. One finding will do, of a rule that
// somebody may get around if there is one.
func (k *checker) lookAtCase() {
	if k.IgnoreCase {
		return
	}
	text := ""
	for i := range k.Rules {
		r := &k.Rules[i]
		for _, other := range otherCases(r.Path) {
			next := k.judges(r.Host, other)
			if next == nil || !judgeDifferently(r, next) || text != "" && !asksMore(r, next) {
				continue
			}
			text = fmt.Sprintf("%s is judged by %s, and not by that for %s: if a backend ignores letter case (on Windows and macOS, or as Express does), set ignore-case = true",
				r.Host+other, nameOfRule(next), r.Host+r.Path)
			if asksMore(r, next) {
				k.Notef("ignore-case", "%s", text)
				return
			}
		}
	}
	if text != "" {
		k.Notef("ignore-case", "%s", text)
	}
}

func nameOfRule(r *Rule) string {
	if r.Path == "" {
		return "no rule"
	}
	return "the rule for " + r.Host + r.Path
}

// judgeDifferently reports whether one of two rules may keep out whom the other lets in.
// That public and optional ones tell the backend different things is no such difference.
func judgeDifferently(a, b *Rule) bool {
	open := func(r *Rule) bool { return r.Access == Public || r.Access == Optional }
	return !(open(a) && open(b)) && (asksMore(a, b) || asksMore(b, a))
}

// otherCases returns spellings of a path that differ in letter case, from each segment on.
func otherCases(path string) []string {
	var all []string
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		other := path[:i] + strings.ToUpper(path[i:])
		if other == path {
			other = path[:i] + strings.ToLower(path[i:])
		}
		if other != path {
			all = append(all, other)
		}
	}
	return all
}

// judges returns the rule for a path, as written, at one of the hosts of a rule with that
// host; nil if none is.
func (c *Config) judges(host, path string) *Rule {
	var best *Rule
	for i := range c.Rules {
		r := &c.Rules[i]
		if !paths.Covers(paths.TrimSlash(r.Path), paths.TrimSlash(path)) || host != "" && r.Host != "" && r.Host != host {
			continue
		}
		if best == nil || len(paths.TrimSlash(r.Path)) > len(paths.TrimSlash(best.Path)) || len(r.Path) == len(best.Path) && best.Host == "" {
			best = r
		}
	}
	if best == nil && c.ForwardAuth {
		return &Rule{Access: Login} // the front server's backend may have something there
	}
	return best
}

// lookAtScripts warns of rules below whose path everything is refused, because of the
// script that it names.
func (k *checker) lookAtScripts(i int) {
	r := &k.Rules[i]
	path, err := rulePath(r.Path)
	if err != nil || r.Scripts != nil && len(r.Scripts) == 0 {
		return
	}
	names := slices.Concat(paths.UsualScripts, paths.ScriptNames(r.Scripts))
	found, _ := names.In(paths.TrimSlash(path) + "/x")
	for _, s := range found {
		if next := k.judges(r.Host, s.Without); next != nil && next != r && asksMore(next, r) {
			k.Warnf(ruleKey(i, "path"), "what is below is refused, as a front controller takes it for what is below %s, for which %s asks more: if this script does not route so, add scripts = [] to the rule",
				s.Before+"/", nameOfRule(next))
			return
		}
	}
}
