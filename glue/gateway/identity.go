package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
)

// identity makes the headers that tell a backend who somebody is.
type identity struct {
	plain []string // names of headers that hold the bare name of the person
	aa    []string // names of the X-AA headers, in the order of aaHeaders; nil for none
	names []string // of all that set may put

	ptags, groups string // names of the headers for these; empty for none

	key     aaheader.Key  // signs the X-AA headers, if it is set
	timeout time.Duration // Session.Inactivity
	now     func() time.Time
}

// buildIdentity prepares what is said about people and what they must not say themselves.
func (c *core) buildIdentity() error {
	cfg := &c.cfg.Identity
	id := newIdentity(cfg.Send)
	id.addNamed(cfg)
	id.timeout, id.now = time.Duration(c.cfg.Session.Inactivity), c.cfg.Now
	if err := c.readHMACKey(id); err != nil {
		return err
	}
	stripping, err := newStripping(cfg.Strip)
	if err != nil {
		return c.cfg.file.Errorf("identity.strip", "%v", err)
	}
	stripping.stripNamed(cfg)
	c.identity, c.stripping = id, stripping
	return nil
}

func newIdentity(send []string) *identity {
	id := &identity{}
	for _, way := range send {
		if way == sendXAA {
			id.aa = aaHeaders[:]
			continue
		}
		for _, name := range identityHeaders[way] {
			id.plain = append(id.plain, http.CanonicalHeaderKey(name))
		}
	}
	id.names = slices.Concat(id.plain, id.aa)
	return id
}

// errUnsafe says that a name cannot stand in a header.
var errUnsafe = errors.New("the person's name or status has characters that a header cannot have")

// set puts headers about whoever the rule let in. Of people with HTTP Basic nothing is
// known but the name and the groups: they get no X-AA header.
func (id *identity) set(h http.Header, r *http.Request, ru *rule) error {
	user, who := personOf(r.Context(), ru)
	if user == "" {
		return nil
	}
	observe.RecordOf(r.Context()).Principal = user
	if !isHeaderSafe(user) {
		return errUnsafe
	}
	for _, name := range id.plain {
		h[name] = []string{user}
	}
	if err := id.setNamed(h, user, &who, ru); err != nil {
		return err
	}
	if id.aa != nil && ru.cfg.Access != Basic {
		return id.setAA(h, &who)
	}
	return nil
}

// personOf returns whom a rule has let in: the name, and what else is known of people with
// a session. It is empty for nobody, and for rules that do not ask, whatever a handler
// around the gateway put into the context.
func personOf(ctx context.Context, ru *rule) (user string, who glue.Identity) {
	switch ru.cfg.Access {
	case Public:
		return "", glue.Identity{}
	case Basic:
		return basicUser(ctx), glue.Identity{}
	}
	if id, known := glue.IdentityFrom(ctx); known {
		return id.Principal, id
	}
	return "", glue.Identity{}
}

// identityHeaders are the headers of each way of Identity.Send; the first one names the
// person.
var identityHeaders = map[string][]string{sendRemoteUser: {"Remote-User"}, sendXForwardedUser: {"X-Forwarded-User"}, sendXAA: aaHeaders[:]}

// isHeaderSafe reports whether a value reaches every backend as it is: printable ASCII
// with no blank at either end. An empty one does.
func isHeaderSafe(value string) bool {
	return strings.TrimSpace(value) == value && !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' })
}
