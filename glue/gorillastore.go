package glue

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
)

// Values of a session in a gorilla store; strings and integers only, so that every
// store can hold them. Stores that list a person's sessions may rely on
// ValuePrincipal and ValueExpires.
const (
	ValuePrincipal = "principal" // string
	ValueExpires   = "expires"   // int64, Unix seconds
	// ValueLogout is a string, absent for sessions that no provider ends: words for
	// [SessionEnder], with blanks between them. ValueIssued is when their login was made, in
	// int64 Unix seconds.
	ValueLogout = "logout"
	ValueIssued = "issued"
	valueData   = "data"  // string, session.encode
	valueRealm  = "realm" // string, service and origin the session is good for
)

// keptAfterEnd is how long a store keeps an ended session, so that we still know
// whose form we keep.
const keptAfterEnd = time.Hour

// gorillaStore keeps sessions in any gorilla/sessions store. It goes round gorilla's
// registry, which remembers sessions by request and would not see a derived request.
type gorillaStore struct {
	store sessions.Store
	now   func() time.Time
}

func (st gorillaStore) load(r *http.Request, o *origin) (*session, error) {
	gs, err := st.open(r, o)
	if gs == nil || err != nil {
		return nil, err
	}
	realm, _ := gs.Values[valueRealm].(string)
	i := slices.IndexFunc(o.ways, func(w *way) bool { return w.realm == realm })
	if i < 0 {
		return nil, nil
	}
	data, _ := gs.Values[valueData].(string)
	s, ok := decodeSession(data)
	if !ok {
		return nil, nil
	}
	expires, _ := gs.Values[ValueExpires].(int64)
	s.Expires, s.way = time.Unix(expires, 0).UTC(), o.ways[i]
	return s, nil
}

// open returns the stored session; nil where there is none or the cookie is bad.
func (st gorillaStore) open(r *http.Request, o *origin) (*sessions.Session, error) {
	if cookie.Get(r, o.cookies.session) == "" {
		return nil, nil
	}
	gs, err := st.store.New(r, o.cookies.session)
	switch {
	case err == nil && gs != nil && !gs.IsNew:
		return gs, nil
	case err == nil, isBadCookie(err), errors.Is(err, fs.ErrNotExist):
		return nil, nil
	default:
		return nil, err
	}
}

// isBadCookie reports whether an error is that of a cookie that does not decode, and not
// of a store that does not answer.
func isBadCookie(err error) bool {
	e, ok := errors.AsType[securecookie.Error](err)
	return ok && e.IsDecode()
}

func (st gorillaStore) save(w http.ResponseWriter, r *http.Request, o *origin, s *session) error {
	// The old session goes from the store, not only from the browser: an id that
	// outlives login is what session fixation needs.
	if err := st.end(r, o); err != nil {
		return err
	}
	gs := sessions.NewSession(st.store, o.cookies.session)
	gs.IsNew = true
	gs.Options = st.options(o, int(s.Expires.Add(keptAfterEnd).Sub(st.now()).Seconds()))
	gs.Values[ValuePrincipal] = s.Principal
	gs.Values[ValueExpires] = s.Expires.Unix()
	gs.Values[valueData] = s.encode()
	gs.Values[valueRealm] = s.way.realm
	if words := s.logoutWords(); words != nil {
		gs.Values[ValueLogout], gs.Values[ValueIssued] = strings.Join(words, " "), s.Issue.Unix()
	}
	return st.store.Save(r, w, gs)
}

func (st gorillaStore) drop(w http.ResponseWriter, r *http.Request, o *origin) error {
	err := st.end(r, o)
	o.cookies.clear(w, o.cookies.session)
	return err
}

func (st gorillaStore) end(r *http.Request, o *origin) error {
	old, err := st.open(r, o)
	if old == nil || err != nil {
		return err
	}
	clear(old.Values) // some stores seal the values into the cookie that deletes them
	old.Options = st.options(o, -1)
	return st.store.Save(r, discardHeaders{}, old)
}

func (st gorillaStore) options(o *origin, maxAge int) *sessions.Options {
	c := o.cookies.make(o.cookies.session, "")
	return &sessions.Options{
		Path: c.Path, Domain: c.Domain, MaxAge: maxAge,
		Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
	}
}

// discardHeaders takes the cookie that a store writes when it deletes a session: the
// browser gets a new one in the same answer.
type discardHeaders struct{}

func (discardHeaders) Header() http.Header         { return http.Header{} }
func (discardHeaders) Write(b []byte) (int, error) { return len(b), nil }
func (discardHeaders) WriteHeader(int)             {}
