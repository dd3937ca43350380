package remoteuser

import (
	"maps"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/password"
)

// field is a header that something is taken from.
type field int

const (
	fieldPrincipal field = iota // Config.Header
	fieldSame                   // X-AAPrincipal beside another Config.Header
	fieldPtags
	fieldAuth
	fieldSSO
	fieldIssue
	fieldLife
	fieldID
	fields
)

// aaHeaders are those of mod_ucam_webauth (and of wlsgateway) that are read with
// Config.AAHeaders.
var aaHeaders = map[string]field{
	aaheader.Principal: fieldSame, aaheader.Ptags: fieldPtags, aaheader.Auth: fieldAuth, aaheader.SSO: fieldSSO,
	aaheader.Issue: fieldIssue, aaheader.Life: fieldLife, aaheader.ID: fieldID,
}

// knownHeader is a header that something is taken from.
type knownHeader struct {
	canonical string
	field     field
}

// knownHeaders returns the headers to read, by their folded names.
func knownHeaders(cfg *Config) map[string]knownHeader {
	known := map[string]knownHeader{}
	if cfg.AAHeaders {
		for name, f := range aaHeaders {
			known[headername.FoldString(name)] = knownHeader{http.CanonicalHeaderKey(name), f}
		}
	}
	known[headername.FoldString(cfg.Header)] = knownHeader{http.CanonicalHeaderKey(cfg.Header), fieldPrincipal}
	return known
}

// claim is what a request says of who somebody is, before anybody has looked at who
// says it.
type claim struct {
	value [fields]string // under the very name of the header
	count [fields]int    // of values under that name in any spelling
}

// made reports whether the request says anything.
func (c *claim) made() bool { return c.count != [fields]int{} }

// separate takes everything that claims an identity out of a request's header. The
// request that came in stays as it was, for who logs it.
func (u *RemoteUser) separate(header http.Header) (http.Header, claim) {
	var c claim
	var buf [headername.MaxName]byte
	clean := header
	copied := false
	for name, values := range header {
		folded := headername.Fold(&buf, name)
		known, read := u.known[string(folded)]
		if !read && !u.isIdentity(name, folded) {
			continue
		}
		if read {
			c.count[known.field] += len(values)
			if name == known.canonical && len(values) > 0 {
				c.value[known.field] = values[0]
			}
		}
		if !copied {
			clean, copied = maps.Clone(header), true
		}
		delete(clean, name)
	}
	return clean, c
}

// isIdentity reports whether headers of that name, and folded name, are nobody's to send
// but the front server's.
func (u *RemoteUser) isIdentity(name string, folded []byte) bool {
	return u.strip[string(folded)] || headername.Lookup(name).Class&headername.Identifies != 0
}

// Why a claim of a front server is refused.
const (
	reasonDoubled   = "doubled"         // a header comes twice, perhaps in two spellings
	reasonUnsigned  = "unsigned"        // as Config.HMACKey has it
	reasonSignature = "signature"       // a wrong one
	reasonPrincipal = "principal"       // not a principal
	reasonMalformed = "malformed"       // another value is
	reasonConflict  = "other-principal" // two headers name two people
	reasonUntrusted = "untrusted-peer"  // nobody that we know says so
)

// refusal is an error with a reason for logs and scripts.
type refusal struct {
	reason string
	text   string
}

func (r *refusal) Error() string { return "remoteuser: " + r.text }

// identity is what the claim comes to, if a front server made it; known is false where it
// names nobody. Whatever is not exactly as it should be is refused: a front server that
// writes such a thing passes on what a client wrote.
func (u *RemoteUser) identity(c *claim) (id glue.Identity, known bool, err error) {
	for f := range fields {
		if c.count[f] > 1 {
			return id, false, &refusal{reasonDoubled, "an identity header comes twice, or in two spellings"}
		}
		if c.value[f], err = u.opened(c.value[f]); err != nil {
			return id, false, err
		}
	}
	id.Principal, id.Service = c.value[fieldPrincipal], u.cfg.Service
	if id.Principal == "" || id.Principal == apacheUnset {
		return glue.Identity{}, false, nil
	}
	if !password.ValidName(id.Principal) {
		return id, false, &refusal{reasonPrincipal, "the value of " + u.cfg.Header + " is not a principal"}
	}
	if same := c.value[fieldSame]; same != "" && same != id.Principal {
		return id, false, &refusal{reasonConflict, "X-AAPrincipal names somebody else than " + u.cfg.Header}
	}
	if !fill(&id, c) {
		return id, false, &refusal{reasonMalformed, "the value of an X-AA header is malformed"}
	}
	return id, true, nil
}
