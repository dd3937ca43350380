package gateway

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/htpasswd"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
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
	groups    htpasswd.Groups
	checker   *password.Checker // of names and passwords, for access = "basic"
	passwords *htpasswd.Passwords
	backend   *backend        // nil where there is none
	strip     string          // the path that is removed for it, as path; empty for none
	renamed   bool            // Host is the backend's own
	pass      map[string]bool // Rule.PassHeaders
	overrides []string        // those of pass by which the backend takes the method for another
	noBasic   bool            // names and passwords of the host's .htpasswd files may be in Authorization
	scripts   paths.Scripts   // segments that the backend may route without

	serve   http.Handler // access, then the backend
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
			continue
		}
		c.notePeople(i, parts[i])
	}
	c.nothing = c.finish(&rule{cfg: &Rule{Access: Login}, label: "none", auth: c.auth})
	c.ambiguous = &rule{cfg: &Rule{Access: Login}, label: "none", auth: c.auth}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	c.rules = map[string][]*rule{}
	for _, origin := range c.site.Origins() {
		host := serve.HostOf(origin)
		rules, err := g.rulesOf(c, parts, host)
		if err != nil {
			return err
		}
		c.rules[host] = rules
	}
	return nil
}

// rulesOf returns the rules of one host in order. Where a rule names no backend, that of
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

// scriptsOf returns the names for the first of these rules, which are those of the next
// ones that would fit.
func scriptsOf(rules []*rule) paths.Scripts {
	for _, ru := range rules {
		if ru.cfg.Scripts == nil || !paths.Covers(ru.prefix, rules[0].prefix) {
			continue
		}
		if len(ru.cfg.Scripts) == 0 {
			return nil
		}
		return slices.Concat(paths.UsualScripts, paths.ScriptNames(ru.cfg.Scripts))
	}
	return paths.UsualScripts
}

// backedBy returns the rule whose backend the first of these rules has, itself or the next
// one which would fit; nil if there is none.
func backedBy(rules []*rule) *rule {
	for _, ru := range rules {
		if ru.cfg.To != "" && paths.Covers(ru.prefix, rules[0].prefix) {
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
		return c.backendProblem(from, err)
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

// backendProblem names the field of a rule by which its backend cannot be spoken to.
func (c *core) backendProblem(ru *rule, err error) error {
	i := 0
	for &c.cfg.Rules[i] != ru.cfg {
		i++
	}
	if of := (*fieldError)(nil); errors.As(err, &of) {
		return c.problemAt(i, of.field, of.err)
	}
	return c.problemAt(i, "to", err)
}

// isHost reports whether a rule's host, in lower case, is that of an origin, with its
// port or without.
func isHost(ruleHost, host string) bool {
	return ruleHost == host || ruleHost+":"+(&url.URL{Host: host}).Port() == host
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
	ru.prefix = paths.FoldPlus(ru.path)
	if c.cfg.IgnoreCase {
		folded, clear := paths.Fold(ru.prefix)
		if !clear || strings.Contains(folded, ":") {
			return nil, c.problemAt(i, "path", paths.ErrAmbiguous) // no request for it would be clear
		}
		ru.prefix = folded
	}
	if cfg.GroupFile != "" {
		if ru.groups, err = htpasswd.LoadGroups(cfg.GroupFile); err != nil {
			return nil, c.problemAt(i, "group-file", err)
		}
		for j, name := range cfg.Groups {
			if _, ok := ru.groups[name]; !ok {
				return nil, c.problemAt(i, config.Element("groups", j+1), errors.New("there is no group "+name+" in "+cfg.GroupFile))
			}
		}
	}
	if cfg.Access == Basic {
		p, err := htpasswd.Load(cfg.Htpasswd)
		if err != nil {
			return nil, c.problemAt(i, "htpasswd", err)
		}
		ru.passwords, ru.checker = p, c.checkerOf(cfg.Htpasswd, p)
		ru.auth = c.auth
		return ru, nil
	}
	ru.auth = c.auth.With(ru.policy)
	return ru, c.policyProblems(i, ru.auth.Err())
}

// policyFields are the fields of a rule for those of a policy.
var policyFields = map[string]string{
	"Policy.Principals": "principals", "Policy.Ptags": "ptags", "Policy.AnyPtags": "any-ptags", "Policy.AAuth": "aauth",
	"Policy.IAct": "iact", "Policy.Fresh": "fresh", "Policy.Desc": "desc", "Policy.Msg": "msg",
}

// policyProblems returns what package glue finds wrong about a rule's policy as errors about its
// fields; nil for nothing.
func (c *core) policyProblems(i int, err error) error {
	var found site.Findings
	for _, f := range Findings(err) {
		found.Errorf(ruleKey(i, cmp.Or(policyFields[f.Key], "path")), "%s", f.Text)
	}
	return c.cfg.file.Err(found)
}

// rulePath returns the normal form of a path as people write it into a configuration:
// percent-encoded or not.
func rulePath(path string) (string, error) {
	if !strings.Contains(path, "%") {
		path = paths.Escape(path)
	}
	return paths.Normalise(path)
}

// policy is what the rule asks of a login.
func (ru *rule) policy(p *glue.Policy) {
	r := ru.cfg
	p.Ptags, p.AnyPtags = r.Ptags, r.AnyPtags || r.Access == Public // where nobody is asked
	p.IAct, p.AAuth, p.Fresh = webauth.Interact(r.IAct), r.AAuth, time.Duration(r.Fresh)
	p.Desc, p.Msg = r.Desc, r.Msg
	switch {
	case r.Groups != nil:
		p.Allow = func(_ *http.Request, id glue.Identity) bool { return ru.admits(id.Principal) }
		p.AllowDenial = glue.DeniedGroup
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
		if ru.groups.Has(group, user) {
			return true
		}
	}
	return false
}
