package glue

import (
	"net/http"
	"strconv"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// noteEvery bounds how often the last use of a session is written down.
const noteEvery = time.Minute

// Last use is kept beside the session, in a small sealed cookie bound to the
// session's id, so that the session's own cookie is written at login only.

// lastUse returns when the session was last used, at the earliest its start.
func (q *request) lastUse(s *session) time.Time {
	last := s.Accepted.Unix()
	name := q.origin.cookies.seen
	if value := cookie.Get(q.r, name); value != "" {
		// The session's id is part of what the seal authenticates.
		if plain, _, err := q.origin.seen.Open(name+" "+s.SessionID, value, q.now); err == nil {
			if at, err := strconv.ParseInt(plain, 10, 64); err == nil {
				last = max(last, at)
			}
		}
	}
	return time.Unix(last, 0)
}

// idle reports whether the session was left alone for too long.
func (q *request) idle(s *session) bool {
	d := q.cfg.Session.Inactivity
	return d != 0 && q.now.Sub(q.lastUse(s)) > d
}

// noteUse writes the use down, at most once a minute.
func (q *request) noteUse(w http.ResponseWriter, s *session) {
	if q.cfg.Session.Inactivity != 0 && q.now.Sub(q.lastUse(s)) >= noteEvery {
		q.startUse(w, s)
	}
}

func (q *request) startUse(w http.ResponseWriter, s *session) {
	if q.cfg.Session.Inactivity == 0 {
		return
	}
	name := q.origin.cookies.seen
	value, err := q.origin.seen.Seal(name+" "+s.SessionID, s.Expires, []byte(strconv.FormatInt(q.now.Unix(), 10)))
	if err != nil {
		q.log(site.Event{Name: EventStoreError, Err: err})
		return
	}
	q.origin.cookies.set(w, name, value)
}
