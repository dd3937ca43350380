package oauth2server

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// Scope is something that a token may allow. The application registers its scopes in
// Config.Scopes and names them where it calls Server.RequireAPI.
type Scope struct {
	// Name is what clients ask for and what tokens carry, such as "records:write": 1 to
	// 64 characters of printable ASCII without blank, '"' and '\' (RFC 6749 section 3.3).
	Name string
	// Text is a sentence for people that says what the scope allows, such as "Change and
	// delete your records."
	Text string
	// Group is the heading under which pages list it; empty for none.
	Group string
	// Internal scopes are for the site's own programs: no page offers them, no
	// application can be authorised for them, no browser session has them, and the
	// metadata do not name them. Only confidential clients get them, for themselves,
	// where Config.ClientScopes lists them: all such clients of everybody who may
	// register applications, so New wants Config.MayRegister to say who that is. It is
	// also those that were registered earlier, under whatever rule held then: look
	// through them first.
	Internal bool
}

// scopeSet is the registered scopes in the order of Config.Scopes.
type scopeSet []Scope

// find returns a scope by its name.
func (s scopeSet) find(name string) (Scope, bool) {
	i := slices.IndexFunc(s, func(c Scope) bool { return c.Name == name })
	if i < 0 {
		return Scope{}, false
	}
	return s[i], true
}

// names returns the names of all scopes.
func (s scopeSet) names() []string {
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = c.Name
	}
	return names
}

// where returns the scopes for which a condition holds, in the same order.
func (s scopeSet) where(holds func(Scope) bool) scopeSet {
	return slices.DeleteFunc(slices.Clone(s), func(c Scope) bool { return !holds(c) })
}

// offered returns the scopes that people can give: all but the internal ones.
func (s scopeSet) offered() scopeSet {
	return s.where(func(c Scope) bool { return !c.Internal })
}

// pick returns the scopes of these names, in the order of registration; what is not
// registered any more is left out.
func (s scopeSet) pick(names []string) scopeSet {
	return s.where(func(c Scope) bool { return slices.Contains(names, c.Name) })
}

// check returns what is wrong with the registration.
func (s scopeSet) check() error {
	if len(s) == 0 {
		return errors.New("oauth2server: Config.Scopes is empty: register at least one scope")
	}
	var errs []error
	for i, c := range s {
		switch {
		case !scopelist.Valid(c.Name):
			errs = append(errs, fmt.Errorf("oauth2server: Config.Scopes: %q is no scope: want 1 to %d characters of printable ASCII without blank, '\"' and '\\'", c.Name, scopelist.MaxName))
		case slices.ContainsFunc(s[:i], func(o Scope) bool { return o.Name == c.Name }):
			errs = append(errs, fmt.Errorf("oauth2server: Config.Scopes: %q is there twice", c.Name))
		case strings.TrimSpace(c.Text) == "":
			errs = append(errs, fmt.Errorf("oauth2server: Config.Scopes: %q has no Text: people must be told what it allows", c.Name))
		}
	}
	return errors.Join(errs...)
}
