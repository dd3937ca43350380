package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
)

// ruleFor finds the rule for a path in its normal form, or an odd one. It is never nil: what
// no rule fits needs a login, and has no backend. Where a backend might read the path as one
// of another rule, it is a rule that refuses.
func (c *core) ruleFor(host, path string) *rule {
	if c.isOdd(path) {
		return c.oddRule(host, path)
	}
	return c.plainRule(host, path)
}

// plainRule is ruleFor for one reading.
func (c *core) plainRule(host, path string) *rule {
	ru := c.match(host, path)
	if c.isRoutedElsewhere(host, path, ru) {
		return c.ambiguous
	}
	for _, other := range paths.Interpretations(path, c.cfg.IgnoreCase) {
		if c.match(host, other) != ru || c.isRoutedElsewhere(host, other, ru) {
			return c.ambiguous
		}
	}
	return ru
}

// isRoutedElsewhere reports whether a program that routes by what follows a script's name
// might take a path of rule ru for one of another rule.
func (c *core) isRoutedElsewhere(host, path string, ru *rule) bool {
	found, few := ru.scripts.In(path)
	if !few {
		return true
	}
	for _, s := range found {
		if !s.IsRouted() {
			continue
		}
		if other := c.match(host, s.Without); other != ru && !(isNamedBy(s, ru) && other.asksNoMore(ru)) {
			return true
		}
		if other := c.match(host, s.After); other != ru && !other.asksNoMore(ru) {
			return true
		}
	}
	return false
}

// isNamedBy reports whether a rule's path has a script's name in it.
func isNamedBy(s paths.Script, ru *rule) bool { return len(ru.prefix) > len(s.Before) }

// routedByQuery reports whether a front controller might take a path of rule ru with a
// query that begins with a slash for a path of another rule, which is stricter. CodeIgniter
// does so by itself where the path is that of its directory or its script: /?/admin is
// /admin there, and /app/index.php?/admin is /app/admin.
func (c *core) routedByQuery(host, path, query string, ru *rule) bool {
	if !strings.HasPrefix(query, "/") || len(ru.scripts) == 0 || !c.mayDiffer(host, ru) {
		return false
	}
	route, _, _ := strings.Cut(query, "?")
	route, _, _ = strings.Cut(route, "&")
	normal, err := paths.Normalise(route)
	if err != nil || !paths.IsResolved(route, normal) {
		return true // such programs have ways of their own with dots
	}
	directory := path
	if slash := strings.LastIndexByte(path, '/'); ru.scripts.Has(path[slash+1:]) {
		directory = path[:slash]
	}
	for _, interpretation := range []string{normal, paths.TrimSlash(directory) + normal} {
		if other := c.ruleFor(host, interpretation); other == c.ambiguous || other != ru && !other.asksNoMore(ru) {
			return true
		}
	}
	return false
}

// ruleOf finds the rule for a request, by its path and by what else may route it.
func (c *core) ruleOf(r *http.Request) *rule {
	ru := c.ruleFor(r.Host, r.URL.RawPath)
	if c.routedByQuery(r.Host, r.URL.RawPath, r.URL.RawQuery, ru) {
		return c.ambiguous
	}
	return ru
}

// allRules returns the rules of a host, with that for what no rule fits if there is such.
func (c *core) allRules(host string) []*rule {
	rules := c.rules[host]
	if c.match(host, "/") == c.nothing {
		rules = append(slices.Clip(rules), c.nothing)
	}
	return rules
}

// mayDiffer reports whether any rule of a host may keep out a request that ru lets in.
func (c *core) mayDiffer(host string, ru *rule) bool {
	return slices.ContainsFunc(c.allRules(host), func(other *rule) bool { return other != ru && !other.asksNoMore(ru) })
}

// asksNoMore reports whether a rule lets in all that another one does.
func (ru *rule) asksNoMore(than *rule) bool { return !asksMore(ru.cfg, than.cfg) }

func (c *core) match(host, path string) *rule {
	if c.cfg.IgnoreCase {
		folded, clear := paths.Fold(path)
		if !clear {
			return c.ambiguous
		}
		path = folded
	}
	path = paths.FoldPlus(path)
	for _, ru := range c.rules[host] {
		if paths.Covers(ru.prefix, path) {
			return ru
		}
	}
	return c.nothing
}
