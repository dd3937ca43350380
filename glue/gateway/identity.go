package gateway

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // mod_ucam_webauth's choice; a MAC, where SHA-1 still holds
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/observe"
)

// identity makes the headers that tell a backend who somebody is.
type identity struct {
	plain []string // names of headers that hold the bare name of the person
	aa    []string // names of the X-AA headers, in the order of aaHeaders; nil for none
	names []string // of all that set may put

	key     []byte        // for the HMAC form of the X-AA headers; nil for plain values
	timeout time.Duration // Session.Inactivity
	now     func() time.Time
}

// buildIdentity prepares what is said about people and what they must not say themselves.
func (c *core) buildIdentity() error {
	cfg := &c.cfg.Identity
	id := newIdentity(cfg.Send)
	id.timeout, id.now = time.Duration(c.cfg.Session.Inactivity), c.cfg.Now
	if cfg.HMACKeyFile != "" {
		var err error
		if id.key, err = readKey(cfg.HMACKeyFile); err != nil {
			return c.cfg.file.Errorf("identity.hmac-key-file", "%v", err)
		}
	}
	stripping, err := newStripping(cfg.Strip)
	if err != nil {
		return c.cfg.file.Errorf("identity.strip", "%v", err)
	}
	c.identity, c.stripping = id, stripping
	return nil
}

func newIdentity(send []string) *identity {
	id := &identity{}
	for _, way := range send {
		group := &id.plain
		if way == sendXAA {
			group = &id.aa
		}
		for _, name := range identityHeaders[way] {
			*group = append(*group, http.CanonicalHeaderKey(name))
		}
	}
	id.names = slices.Concat(id.plain, id.aa)
	return id
}

const (
	minKey = 16      // bytes
	maxKey = 4 << 10 // bytes
)

// readKey reads the key that a file holds, without the line break at its end.
func readKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key := bytes.TrimRight(text, "\r\n")
	if len(key) < minKey || len(key) > maxKey || bytes.ContainsAny(key, "\r\n") {
		return nil, fmt.Errorf("%s must hold one line of %d to %d bytes: make it with: openssl rand -base64 33", file, minKey, maxKey)
	}
	return key, nil
}

// errUnsafe says that a name cannot stand in a header.
var errUnsafe = errors.New("the person's name or status has characters that a header cannot have")

// set puts headers about whoever the rule let in. Of people with HTTP Basic nothing is
// known but the name: they get Remote-User and X-Forwarded-User, and no X-AA header.
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

// aaTime is how mod_ucam_webauth writes a time, in UTC.
const aaTime = "20060102T150405Z"

// aaHeaders are the headers of mod_ucam_webauth, as it spells them.
var aaHeaders = [...]string{
	"X-AAPrincipal", "X-AAPtags", "X-AAAuth", "X-AASSO", "X-AAIssue", "X-AALast", "X-AALife", "X-AATimeout", "X-AAID",
}

// identityHeaders are the headers of each way of Identity.Send; the first one names the
// person.
var identityHeaders = map[string][]string{sendRemoteUser: {"Remote-User"}, sendXForwardedUser: {"X-Forwarded-User"}, sendXAA: aaHeaders[:]}

// setAA puts the headers of mod_ucam_webauth. As there, the life is that of the session
// from its issue on, not what is left of it.
func (id *identity) setAA(h http.Header, who *glue.Identity) error {
	now := id.now()
	for i, value := range [len(aaHeaders)]string{
		who.Principal, strings.Join(who.Ptags, ","), who.Auth, strings.Join(who.SSO, ","),
		who.Issue.UTC().Format(aaTime), now.UTC().Format(aaTime),
		strconv.FormatInt(int64(max(0, who.Expires.Sub(who.Issue))/time.Second), 10),
		strconv.FormatInt(int64(id.timeout/time.Second), 10),
		who.SessionID,
	} {
		if !isHeaderSafe(value) {
			return errUnsafe
		}
		if id.key != nil {
			value = id.sign(value) + " " + value
		}
		h[id.aa[i]] = []string{value}
	}
	return nil
}

// sign returns the MAC of mod_ucam_webauth's AAHeaderKey: over the value, and the key after
// it. It covers neither the header's name nor a time.
func (id *identity) sign(value string) string {
	mac := hmac.New(sha1.New, id.key)
	mac.Write([]byte(value))
	mac.Write(id.key)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// isHeaderSafe reports whether a value reaches every backend as it is: printable ASCII
// with no blank at either end. An empty one does.
func isHeaderSafe(value string) bool {
	return strings.TrimSpace(value) == value && !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' })
}
