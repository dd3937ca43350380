package webauthtest

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

// DefaultSessionLife is how long the fake remembers a login for single sign-on: as long
// as Raven did, whose life began at 36000 s.
const DefaultSessionLife = 10 * time.Hour

// maxSessions bounds what a long-running demo keeps; the oldest make room.
const maxSessions = 100_000

// session is one browser's single sign-on.
type session struct {
	user    string
	expires time.Time
}

// sessionTable is safe for concurrent use.
type sessionTable struct {
	mu    sync.Mutex
	byID  map[string]session
	order []string // ids, oldest first
}

func (t *sessionTable) start(s session) (id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = make(map[string]session)
	}
	if len(t.order) >= maxSessions {
		delete(t.byID, t.order[0])
		t.order = t.order[1:]
	}
	id = rand.Text()
	t.byID[id] = s
	t.order = append(t.order, id)
	return id
}

// cookieName holds the port, because browsers send a host's cookies to all its ports.
func (w *WLS) cookieName() string {
	if port := w.base.Port(); port != "" {
		return "fakewls-" + port
	}
	return "fakewls"
}

// sessionOf returns the browser's single sign-on, nil if there is none that still counts.
func (w *WLS) sessionOf(r *http.Request) *session {
	c, err := r.Cookie(w.cookieName())
	if err != nil {
		return nil
	}
	w.sessions.mu.Lock()
	s, ok := w.sessions.byID[c.Value]
	w.sessions.mu.Unlock()
	if _, active := w.users.active(s.user); !ok || !active || !w.Now().Before(s.expires) {
		return nil
	}
	return &s
}

// startSession remembers a login in the browser, in place of what it remembered before.
func (w *WLS) startSession(rw http.ResponseWriter, r *http.Request, user string) session {
	w.dropSession(r)
	s := session{user: user, expires: w.Now().Add(w.sessionLife)}
	http.SetCookie(rw, w.cookie(w.sessions.start(s), 0))
	return s
}

// dropSession ends the browser's single sign-on. Its id leaves the order when it is the
// oldest.
func (w *WLS) dropSession(r *http.Request) {
	w.sessions.mu.Lock()
	defer w.sessions.mu.Unlock()
	for _, c := range r.CookiesNamed(w.cookieName()) {
		delete(w.sessions.byID, c.Value)
	}
}

func (w *WLS) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: w.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: w.base.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
}
