package glue

import (
	"strconv"
	"time"
)

// noteEvery bounds how often the last use of a session is written down.
const noteEvery = time.Minute

// Last use is kept beside the session, in a small sealed cookie bound to the
// session's id, so that the session's own cookie is written at login only.

// lastUse gives when the session was last used, at the earliest its start.
func (v *visit) lastUse(s *session) time.Time {
	last := s.started
	name := v.place.cookies.seen
	if value := v.place.cookies.get(v.r, name); value != "" {
		// The session's id is part of what the seal authenticates.
		if plain, _, err := v.place.seen.Open(name+" "+s.SessionID, value, v.now); err == nil {
			if at, err := strconv.ParseInt(string(plain), 10, 64); err == nil {
				last = max(last, at)
			}
		}
	}
	return time.Unix(last, 0)
}

// idle reports whether the session was left alone for too long.
func (v *visit) idle(s *session) bool {
	d := v.cfg.Session.Inactivity
	return d != 0 && v.now.Sub(v.lastUse(s)) > d
}

// noteUse writes the use down, at most once a minute.
func (v *visit) noteUse(s *session) {
	if v.cfg.Session.Inactivity != 0 && v.now.Sub(v.lastUse(s)) >= noteEvery {
		v.startUse(s)
	}
}

func (v *visit) startUse(s *session) {
	if v.cfg.Session.Inactivity == 0 {
		return
	}
	name := v.place.cookies.seen
	value, err := v.place.seen.Seal(name+" "+s.SessionID, s.Expires, []byte(strconv.FormatInt(v.now.Unix(), 10)))
	if err != nil {
		v.log(Event{Name: EventStoreError, Err: err})
		return
	}
	v.place.cookies.set(v.w, name, value)
}
