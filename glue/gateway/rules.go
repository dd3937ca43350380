package gateway

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// rule is a Rule at work, at one host.
type rule struct {
	cfg    *Rule
	host   string // as configured; empty for all
	prefix string // the path in its form for comparing, without a final slash
	path   string // in its normal form, without a final slash
	label  string // for logs and metrics

	auth      *glue.Auth // with the rule's policy
	groups    groups
	basic     *basic
	backend   *backend    // nil where there is none
	strip     string      // the path that is removed for it, as path; empty for none
	renamed   bool        // Host is the backend's own
	pass      passHeaders // Rule.PassHeaders
	overrides []string    // those of pass by which the backend takes the method for another
	noBasic   bool        // names and passwords of the host's .htpasswd files may be in Authorization
	scripts   scripts     // segments that the backend may route without

	serve   http.Handler // access, then the backend
	check   http.Handler // access, then "yes", for front servers that ask
	judge   http.Handler // access, then a verdict, for requests that reach beyond their path
	respond http.Handler // for a response of the login service; goes no further
}

// buildRules makes the rules of each host, the first that fits being the right one. The
// caller holds g.mu, or nobody else knows g yet.
func (g *Gateway) buildRules(c *core) error {
	var errs []error
	parts := make([]*rule, len(c.cfg.Rules))
	for i := range parts {
		var err error
		if parts[i], err = c.newRule(i); err != nil {
			errs = append(errs, err)
		}
	}
	c.nothing = c.finish(&rule{cfg: &Rule{Access: Login}, label: "none", auth: c.auth})
	c.unclear = &rule{cfg: &Rule{Access: Login}, label: "none", auth: c.auth,
		serve: http.HandlerFunc(c.unclearPath), check: http.HandlerFunc(c.unclearPath)}
	c.unclear.respond = c.spendOr(c.unclearPath)
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	c.rules = map[string][]*rule{}
	for _, origin := range c.auth.Origins() {
		host := hostOf(origin)
		rules, err := g.rulesOf(c, parts, host)
		if err != nil {
			return err
		}
		c.rules[host] = rules
	}
	return nil
}

// rulesOf gives the rules of one host in order. Where a rule names no backend, that of
// the next one which would fit depends on the host; so does whether browsers have
// passwords for it.
func (g *Gateway) rulesOf(c *core, all []*rule, host string) ([]*rule, error) {
	var rules []*rule
	for _, ru := range all {
		if ru.host == "" || isHost(ru.host, host) {
			own := *ru
			rules = append(rules, &own)
		}
	}
	slices.SortStableFunc(rules, func(a, b *rule) int {
		return cmp.Or(cmp.Compare(len(b.prefix), len(a.prefix)), cmp.Compare(len(b.host), len(a.host)))
	})
	passwords := slices.ContainsFunc(rules, func(ru *rule) bool { return ru.cfg.Access == Basic })
	for i, ru := range rules {
		ru.noBasic, ru.scripts = passwords, scriptsOf(rules[i:])
		if from := backedBy(rules[i:]); from != nil {
			if err := g.connect(c, ru, from); err != nil {
				return nil, err
			}
		}
		c.finish(ru)
	}
	return rules, nil
}

// backedBy gives the rule whose backend the first of these rules has, itself or the next
// one which would fit; nil if there is none.
func backedBy(rules []*rule) *rule {
	for _, ru := range rules {
		if ru.cfg.To != "" && fits(ru.prefix, rules[0].prefix) {
			return ru
		}
	}
	return nil
}

// connect gives a rule the backend of another, or its own, and how that is spoken to. The
// time that it has to answer may be the rule's alone.
func (g *Gateway) connect(c *core, ru, from *rule) error {
	how := *from.cfg
	how.ResponseTimeout = cmp.Or(ru.cfg.ResponseTimeout, how.ResponseTimeout)
	b, err := g.backendFor(&c.cfg, &how)
	if err != nil {
		i := slices.IndexFunc(c.cfg.Rules, func(r Rule) bool { return r.To == how.To && r.BackendCA == how.BackendCA })
		return c.problemAt(i, "to", err)
	}
	ru.backend, ru.renamed = b, how.BackendHost == hostBackend
	if how.StripPath {
		ru.strip = from.path
	}
	if !slices.Contains(c.backends, b) {
		c.backends = append(c.backends, b)
		b.users++
	}
	return nil
}

// isHost reports whether a rule's host, in lower case, is that of an origin, with its
// port or without.
func isHost(ruleHost, host string) bool {
	if ruleHost == host {
		return true
	}
	i := strings.LastIndexByte(host, ':')
	return i > strings.LastIndexByte(host, ']') && ruleHost == host[:i]
}

// newRule reads all of a rule that is the same at every host.
func (c *core) newRule(i int) (*rule, error) {
	cfg := &c.cfg.Rules[i]
	ru := &rule{cfg: cfg, host: cfg.Host, label: cfg.Host + cfg.Path, pass: newPassHeaders(cfg.PassHeaders)}
	for name := range ru.pass {
		if headername.Lookup(name).Class&headername.Methods != 0 {
			ru.overrides = append(ru.overrides, name)
		}
	}
	normal, err := rulePath(cfg.Path)
	if err != nil {
		return nil, c.problemAt(i, "path", err)
	}
	ru.path = strings.TrimSuffix(normal, "/")
	ru.prefix = ru.path
	if c.cfg.IgnoreCase {
		folded, clear := foldPath(ru.prefix)
		if !clear || strings.Contains(folded, ":") {
			return nil, c.problemAt(i, "path", errUnclear) // no request for it would be clear
		}
		ru.prefix = folded
	}
	if cfg.GroupFile != "" {
		if ru.groups, err = loadGroups(cfg.GroupFile); err != nil {
			return nil, c.problemAt(i, "group-file", err)
		}
		for _, name := range cfg.Groups {
			if _, ok := ru.groups[name]; !ok {
				return nil, c.problemAt(i, "groups", errors.New("there is no group "+name+" in "+cfg.GroupFile))
			}
		}
	}
	if cfg.Access == Basic {
		p, err := loadPasswords(cfg.Htpasswd)
		if err != nil {
			return nil, c.problemAt(i, "htpasswd", err)
		}
		ru.basic = newBasic(c.auth, cfg.Host, p, c.attempts, c.metrics)
		ru.auth = c.auth
		return ru, nil
	}
	ru.auth = c.auth.With(ru.policy)
	if err := ru.auth.Err(); err != nil {
		return nil, c.problemAt(i, "path", err)
	}
	return ru, nil
}

// rulePath gives the normal form of a path as people write it into a configuration:
// percent-encoded or not.
func rulePath(path string) (string, error) {
	if !strings.Contains(path, "%") {
		path = escapePath(path)
	}
	return normalisePath(path)
}

// policy is what the rule asks of a login.
func (ru *rule) policy(p *glue.Policy) {
	r := ru.cfg
	p.Ptags, p.AnyPtags = r.Ptags, r.AnyPtags
	p.IAct, p.AAuth, p.Fresh = webauth.Interact(r.IAct), r.AAuth, durationOf(r.Fresh)
	p.Desc, p.Msg = r.Desc, r.Msg
	switch {
	case r.Groups != nil:
		p.Allow = func(_ *http.Request, id glue.Identity) bool { return ru.admits(id.Principal) }
	case r.Principals != nil:
		p.Principals = glue.Only(r.Principals...)
	}
}

// admits reports whether a person is one that the rule names, or in a group that it
// names. A rule that names nobody is for everybody; lists that are there but empty name
// nobody and are for nobody.
func (ru *rule) admits(user string) bool {
	r := ru.cfg
	if r.Principals == nil && r.Groups == nil || slices.Contains(r.Principals, user) {
		return true
	}
	for _, group := range r.Groups {
		if ru.groups.has(group, user) {
			return true
		}
	}
	return false
}

// ruleFor finds the rule for a path in its normal form. It is never nil: what no rule
// fits needs a login, and has no backend. Where a backend might read the path as one of
// another rule, it is a rule that refuses.
func (c *core) ruleFor(host, path string) *rule {
	ru := c.match(host, path)
	others := otherReadings(path, c.cfg.IgnoreCase)
	for _, other := range others {
		if c.match(host, other) != ru {
			return c.unclear
		}
	}
	if c.isRoutedElsewhere(host, path, ru) {
		return c.unclear
	}
	for _, other := range others {
		if c.isRoutedElsewhere(host, other, ru) {
			return c.unclear
		}
	}
	return ru
}

// isRoutedElsewhere reports whether a program that routes by what follows a script's name
// might take a path of rule ru for one of another rule.
func (c *core) isRoutedElsewhere(host, path string, ru *rule) bool {
	found, few := ru.scripts.in(path)
	if !few {
		return true
	}
	for _, s := range found {
		if !s.isRouted() {
			continue
		}
		if other := c.match(host, s.without); other != ru && !(s.isNamedBy(ru) && other.asksNoMore(ru)) {
			return true
		}
		if other := c.match(host, s.after); other != ru && !other.asksNoMore(ru) {
			return true
		}
	}
	return false
}

// ruleOf finds the rule for a request, by its path and by what else may route it.
func (c *core) ruleOf(r *http.Request) *rule {
	ru := c.ruleFor(r.Host, r.URL.RawPath)
	if c.routedByQuery(r.Host, r.URL.RawPath, r.URL.RawQuery, ru) {
		return c.unclear
	}
	return ru
}

// allRules gives the rules of a host, with that for what no rule fits if there is such.
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
		folded, clear := foldPath(path)
		if !clear {
			return c.unclear
		}
		path = folded
	}
	for _, ru := range c.rules[host] {
		if fits(ru.prefix, path) {
			return ru
		}
	}
	return c.nothing
}

// fits reports whether a path is prefix or below it.
func fits(prefix, path string) bool {
	return strings.HasPrefix(path, prefix) && (len(path) == len(prefix) || path[len(prefix)] == '/')
}
