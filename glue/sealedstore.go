package glue

import (
	"errors"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
)

// maxCookie is what browsers keep of one cookie's value and attributes, less room
// for the latter.
const maxCookie = 3800

// sealedStore keeps a session in the browser, sealed. The cookie itself has no
// expiry, the seal has: an expired session still tells whose form we keep.
type sealedStore struct{ now func() time.Time }

func (st sealedStore) load(r *http.Request, o *origin) (*session, error) {
	value := cookie.Get(r, o.cookies.session)
	if value == "" {
		return nil, nil
	}
	for _, w := range o.ways {
		plain, expires, err := w.session.Open(o.cookies.session, value, st.now())
		if errors.Is(err, seal.ErrInvalid) {
			continue // a bad cookie is an anonymous visitor
		}
		s, ok := decodeSession(plain)
		if !ok {
			return nil, nil
		}
		s.Expires, s.way = expires, w
		return s, nil
	}
	return nil, nil
}

func (st sealedStore) save(w http.ResponseWriter, _ *http.Request, o *origin, s *session) error {
	value, err := s.way.session.Seal(o.cookies.session, s.Expires, []byte(s.encode()))
	if err != nil {
		return err
	}
	if len(value) > maxCookie {
		return errSessionTooLarge
	}
	o.cookies.set(w, o.cookies.session, value)
	return nil
}

func (st sealedStore) drop(w http.ResponseWriter, _ *http.Request, o *origin) error {
	o.cookies.clear(w, o.cookies.session)
	return nil
}
