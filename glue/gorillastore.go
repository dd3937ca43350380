package glue

import (
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

// Values of a session in a gorilla store; strings and integers only, so that every
// store can hold them. Stores that list a person's sessions may rely on
// ValuePrincipal and ValueExpires.
const (
	ValuePrincipal = "principal" // string
	ValueExpires   = "expires"   // int64, Unix seconds
	valueData      = "data"      // string, session.encode
	valueRealm     = "realm"     // string, service and origin the session is good for
)

// keptAfterEnd is how long a store keeps an ended session, so that we still know
// whose form we keep.
const keptAfterEnd = time.Hour

// gorillaStore keeps sessions in any gorilla/sessions store. It goes round gorilla's
// registry, which remembers sessions by request and would not see a derived request.
type gorillaStore struct {
	store   sessions.Store
	service string // webauth.Service.ID
	now     func() time.Time
}

func (st gorillaStore) realm(p *place) string { return st.service + " " + p.origin + p.prefix }

func (st gorillaStore) load(r *http.Request, p *place) (*session, error) {
	gs, err := st.open(r, p)
	if gs == nil || err != nil {
		return nil, err
	}
	if realm, _ := gs.Values[valueRealm].(string); realm != st.realm(p) {
		return nil, nil
	}
	data, _ := gs.Values[valueData].(string)
	s, ok := decodeSession(data)
	if !ok {
		return nil, nil
	}
	expires, _ := gs.Values[ValueExpires].(int64)
	s.Expires = time.Unix(expires, 0).UTC()
	return s, nil
}

// open gives the stored session; nil where there is none or the cookie is bad.
func (st gorillaStore) open(r *http.Request, p *place) (*sessions.Session, error) {
	if p.cookies.get(r, p.cookies.session) == "" {
		return nil, nil
	}
	gs, err := st.store.New(r, p.cookies.session)
	switch {
	case err == nil && gs != nil && !gs.IsNew:
		return gs, nil
	case err == nil, isBadCookie(err), errors.Is(err, fs.ErrNotExist):
		return nil, nil
	default:
		return nil, err
	}
}

// isBadCookie tells a cookie that does not decode from a store that does not answer.
func isBadCookie(err error) bool {
	e, ok := errors.AsType[securecookie.Error](err)
	return ok && e.IsDecode()
}

func (st gorillaStore) save(w http.ResponseWriter, r *http.Request, p *place, s *session) error {
	// The old session goes from the store, not only from the browser: an id that
	// outlives login is what session fixation needs.
	if err := st.end(discardHeaders{}, r, p); err != nil {
		return err
	}
	gs := sessions.NewSession(st.store, p.cookies.session)
	gs.IsNew = true
	gs.Options = st.options(p, int(s.Expires.Add(keptAfterEnd).Sub(st.now()).Seconds()))
	gs.Values[ValuePrincipal] = s.Principal
	gs.Values[ValueExpires] = s.Expires.Unix()
	gs.Values[valueData] = s.encode()
	gs.Values[valueRealm] = st.realm(p)
	return st.store.Save(r, w, gs)
}

func (st gorillaStore) drop(w http.ResponseWriter, r *http.Request, p *place) error {
	err := st.end(discardHeaders{}, r, p)
	p.cookies.clear(w, p.cookies.session)
	return err
}

func (st gorillaStore) end(w http.ResponseWriter, r *http.Request, p *place) error {
	old, err := st.open(r, p)
	if old == nil || err != nil {
		return err
	}
	clear(old.Values) // some stores seal the values into the cookie that deletes them
	old.Options = st.options(p, -1)
	return st.store.Save(r, w, old)
}

func (st gorillaStore) options(p *place, maxAge int) *sessions.Options {
	c := p.cookies.make(p.cookies.session, "")
	return &sessions.Options{
		Path: c.Path, Domain: c.Domain, MaxAge: maxAge,
		Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
	}
}

// discardHeaders takes the cookie that a store writes when it deletes a session; the
// browser gets a new one in the same answer.
type discardHeaders struct{}

func (discardHeaders) Header() http.Header         { return http.Header{} }
func (discardHeaders) Write(b []byte) (int, error) { return len(b), nil }
func (discardHeaders) WriteHeader(int)             {}
