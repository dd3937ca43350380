package gateway

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// stripping knows the headers that do not go on to a backend: those whose names programs
// do not read alike; those by which some program takes the path, the method, the scheme,
// the host, the client or the person for another, in every spelling; and names that the
// configuration chooses (more), each with the reason.
// The gateway's own headers about the request are set afterwards.
type stripping struct{ more map[string]*headername.Entry }

// newStripping knows more names beside those that are always removed.
func newStripping(more []string) (*stripping, error) {
	s := &stripping{map[string]*headername.Entry{}}
	for _, name := range more {
		folded := headername.FoldString(name)
		if folded == "" || len(name) > headername.MaxName || neededHeaders[folded] {
			return nil, fmt.Errorf("%q cannot be removed from requests", name)
		}
		s.more[folded] = moreName
	}
	return s, nil
}

// neededHeaders are those that no request would work without, or that say less than is
// meant without them: PROPFIND without Depth is about the whole tree.
var neededHeaders = map[string]bool{
	"host": true, "cookie": true, "content-length": true, "content-type": true, "transfer-encoding": true,
	"connection": true, "upgrade": true, "origin": true,
	"depth": true, "destination": true, "if": true, "overwrite": true,
}

// newPassHeaders returns the set of the headers that a rule lets through, as net/http spells
// their names.
func newPassHeaders(names []string) map[string]bool {
	pass := map[string]bool{}
	for _, name := range names {
		pass[http.CanonicalHeaderKey(name)] = true
	}
	return pass
}

// checkPassHeader reports why no rule can let a header through.
func checkPassHeader(name string) error {
	if err := headername.MayPass(name); err != nil {
		return err
	}
	switch http.CanonicalHeaderKey(name) {
	case "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto":
		return errors.New("the gateway tells backends itself where a request comes from")
	}
	return nil
}

// Why headers are removed that the table of names has not.
var (
	oddName  = &headername.Entry{Reason: "programs do not agree on names with other characters than letters, digits and hyphens"}
	moreName = &headername.Entry{Reason: "identity.strip has it"}
)

// removes returns why a header is removed from requests; nil if it is not.
func (s *stripping) removes(name string, pass map[string]bool) *headername.Entry {
	e := headername.Lookup(name)
	more := s.chosen(name)
	switch {
	case more != nil:
		return more
	case e.Class&headername.Identifies != 0:
		return e
	case e.Class&(headername.Frames|headername.Judged) != 0:
		if headername.IsOwn(name) {
			return nil
		}
		return e
	case pass[name]:
		return nil
	case e.Class != 0:
		return e
	case !headername.IsPlain(name):
		return oddName
	}
	return nil
}

// chosen returns why the configuration has a header removed; nil if it does not.
func (s *stripping) chosen(name string) *headername.Entry {
	if len(s.more) == 0 {
		return nil
	}
	var buf [headername.MaxName]byte
	return s.more[string(headername.Fold(&buf, name))]
}

// stripHeaders removes what a client must not tell the backend of a rule.
func (c *core) stripHeaders(h http.Header, ru *rule) {
	for name := range h {
		if why := c.stripping.removes(name, ru.pass); why != nil {
			delete(h, name)
			c.removals.header(c.cfg.Logger, name, why)
		}
	}
}

// removedBefore notes what package site has removed; of what front servers ask about with,
// there is nothing to say.
func (c *core) removedBefore(_ *http.Request, name string) {
	if c.cfg.ForwardAuth && isForwardedName(name) {
		return
	}
	c.removals.header(c.cfg.Logger, name, headername.Lookup(name))
}

// passAnywhere are the names that some rule lets through and package site would not.
func (c *core) passAnywhere() []string {
	var names []string
	for i := range c.cfg.Rules {
		names = append(names, c.cfg.Rules[i].PassHeaders...)
	}
	return names
}
