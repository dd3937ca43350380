package glue

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// session is what a store keeps of a login.
type session struct {
	Identity
	binding string // of the browser's secret, see webauth.BrowserSecret.Binding
	way     *way   // by which it began; nil before a store has it
	client  string // what the session is bound to beside the secret, see request.clientBinding

	provider string // the person's session at an OpenID Connect provider, see webauth.Proof.Session

	// Every page needs these, so they are a part of the object; see BenchmarkRequire. The
	// request's context is not: who keeps an Identity would keep that, too.
	lists   [2][2]string // room for Ptags and SSO
	headers [2]string    // room for what marks an answer
}

// sessionStore keeps sessions: in sealed cookies, or in any gorilla store.
type sessionStore interface {
	// load returns the session that the request brought, expired ones too; nil for none
	// or a bad one. An error means that the store is out of order.
	load(r *http.Request, o *origin) (*session, error)
	// save starts a session in place of whatever the request brought.
	save(w http.ResponseWriter, r *http.Request, o *origin, s *session) error
	// drop ends what the request brought.
	drop(w http.ResponseWriter, r *http.Request, o *origin) error
}

var errSessionTooLarge = errors.New("glue: the session does not fit into a cookie (very many ptags?)")

func newSession(w *way, p *webauth.Proof, secret webauth.BrowserSecret, now time.Time, cfg *Session) *session {
	s := &session{binding: secret.Binding(), way: w, provider: p.Session}
	s.Identity = Identity{
		Principal: p.Principal, Ptags: p.Ptags, Auth: p.Auth, SSO: p.SSO,
		Issue: p.Issue, Accepted: now, Service: w.info.Name, SessionID: randomID(), ResponseID: keptID(p.ID),
		Subject: p.Subject, ObjectID: p.ObjectID,
	}
	switch {
	case s.Auth == "":
	case p.Password.IsZero():
		s.Password = now
	default:
		s.Password = inSeconds(p.Password)
	}
	life := cfg.MaxLife
	if p.HasLife && !cfg.IgnoreWLSLife {
		// Under a minute counts as a minute: a session that has ended before its first
		// page would send the browser round and round.
		life = min(life, max(p.Life, minLife))
	}
	s.Expires = now.Add(life)
	return s
}

// keptID returns a response's id if a session can keep it, else "": cookies have little room,
// and the WLS may make it of anything.
func keptID(id string) string {
	if len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return id
}

// randomID returns 128 random bits as 22 characters.
func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// The encoded session is lines of printable ASCII, in this order.
const sessionLines = 14

func (s *session) encode() string {
	return strings.Join([]string{
		s.SessionID, s.binding, s.Principal, strings.Join(s.Ptags, ","), s.Auth, strings.Join(s.SSO, ","),
		formatUnix(s.Issue), formatUnix(s.Password), formatUnix(s.Accepted), s.ResponseID, s.client,
		s.Subject, s.ObjectID, s.provider,
	}, "\n")
}

// decodeSession reads what encode wrote. What is not in there is the caller's: when the
// session ends, and the service's name.
func decodeSession(text string) (*session, bool) {
	var line [sessionLines]string
	last, start := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n' && last < sessionLines-1:
			line[last] = text[start:i]
			last, start = last+1, i+1
		case c <= ' ' || c > '~': // responses have no blanks in their names and lists either
			return nil, false
		}
	}
	if last != sessionLines-1 {
		return nil, false
	}
	line[last] = text[start:]
	s := &session{Identity: Identity{SessionID: line[0], Principal: line[2], Auth: line[4], ResponseID: line[9], Subject: line[11], ObjectID: line[12]}, binding: line[1], client: line[10], provider: line[13]}
	s.Ptags, s.SSO = splitList(line[3], &s.lists[0]), splitList(line[5], &s.lists[1])
	var ok [3]bool
	s.Issue, ok[0] = parseUnix(line[6])
	s.Password, ok[1] = parseUnix(line[7])
	s.Accepted, ok[2] = parseUnix(line[8])
	return s, s.Principal != "" && s.SessionID != "" && !slices.Contains(ok[:], false)
}

// splitList cuts a list at its commas, into room where it is short.
func splitList(s string, room *[2]string) []string {
	switch first, second, more := strings.Cut(s, ","); {
	case s == "":
		return nil
	case !more:
		room[0] = s
		return room[:1:1]
	case !strings.Contains(second, ","):
		*room = [2]string{first, second}
		return room[:]
	}
	return strings.Split(s, ",")
}

// formatUnix writes whole seconds; the zero time is 0.
func formatUnix(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.Unix(), 10)
}

func parseUnix(s string) (time.Time, bool) {
	n, ok := parseSeconds(s)
	if !ok || n == 0 {
		return time.Time{}, ok
	}
	return time.Unix(n, 0).UTC(), true
}

// parseSeconds reads a number in the one form that strconv.FormatInt gives it.
func parseSeconds(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	var b [len("-9223372036854775808")]byte
	return n, err == nil && string(strconv.AppendInt(b[:0], n, 10)) == s
}

// checkProof checks that a session can keep what a service says of a person, letter by
// letter: lists are kept with commas between their entries, one list in a line.
func checkProof(p *webauth.Proof) error {
	if !webauth.IsName(p.Principal) {
		return fmt.Errorf("the principal %q is not 1 to 255 printable ASCII characters without blanks", p.Principal)
	}
	for _, ptag := range p.Ptags {
		if !webauth.IsPtag(ptag) {
			return fmt.Errorf("the ptag %q is not 1 to 255 printable ASCII characters without blanks and commas", ptag)
		}
	}
	for _, kind := range append([]string{p.Auth}, p.SSO...) {
		if kind != "" && !webauth.IsPtag(kind) {
			return fmt.Errorf("the authentication type %q is not of at most 255 printable ASCII characters without blanks and commas", kind)
		}
	}
	for _, id := range []string{p.Subject, p.Session, p.ObjectID} {
		if id != "" && !webauth.IsName(id) {
			return fmt.Errorf("the identifier %q is not of at most 255 printable ASCII characters without blanks", id)
		}
	}
	return nil
}
