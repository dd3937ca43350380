package oidctest

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

// DefaultSessionLife is how long the provider remembers a login for single sign-on.
const DefaultSessionLife = 10 * time.Hour

// maxSessions bounds what a long-running demo keeps; the oldest make room.
const maxSessions = 100_000

// session is one browser's single sign-on.
type session struct {
	sid     string
	user    string
	typed   time.Time // when the password was
	expires time.Time
	apps    []string // client ids that somebody logged in to with it
}

// sessionTable is safe for concurrent use.
type sessionTable struct {
	mu       sync.Mutex
	byCookie map[string]*session
	order    []string // cookies, oldest first
}

func (t *sessionTable) start(s session) (cookie string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byCookie == nil {
		t.byCookie = make(map[string]*session)
	}
	if len(t.order) >= maxSessions {
		delete(t.byCookie, t.order[0])
		t.order = t.order[1:]
	}
	cookie = rand.Text()
	t.byCookie[cookie] = &s
	t.order = append(t.order, cookie)
	return cookie
}

func (t *sessionTable) get(cookie string) (session, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.byCookie[cookie]
	if !ok {
		return session{}, false
	}
	return *s, true
}

// logsInTo notes an app that the session logs in to.
func (t *sessionTable) logsInTo(sid, app string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byCookie {
		if s.sid == sid {
			s.apps = append(s.apps, app)
		}
	}
}

// newest changes s to the newest session of a user, if there is one.
func (t *sessionTable) newest(user string, s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, cookie := range t.order {
		if found, ok := t.byCookie[cookie]; ok && found.user == user {
			*s = *found
		}
	}
}

// end removes and returns the sessions that match. Their cookies leave the order when they
// are the oldest.
func (t *sessionTable) end(match func(cookie string, s session) bool) (ended []session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for cookie, s := range t.byCookie {
		if match(cookie, *s) {
			ended = append(ended, *s)
			delete(t.byCookie, cookie)
		}
	}
	return ended
}

func (p *Provider) newSession(user string) session {
	now := p.Now()
	return session{sid: rand.Text(), user: user, typed: now, expires: now.Add(p.sessionLife)}
}

// sessionOf returns the browser's single sign-on, nil if there is none that still counts.
func (p *Provider) sessionOf(r *http.Request) *session {
	c, err := r.Cookie(p.cookieName)
	if err != nil {
		return nil
	}
	s, ok := p.sessions.get(c.Value)
	if _, active := p.user(s.user); !ok || !active || !p.Now().Before(s.expires) {
		return nil
	}
	return &s
}

// startSession remembers a login in the browser, in place of what it remembered before; for
// the same person it is the same session, as its sid says, which typed the password again.
func (p *Provider) startSession(rw http.ResponseWriter, r *http.Request, user string) session {
	s := p.newSession(user)
	for _, old := range p.dropSession(r) {
		if old.user == user {
			s.sid, s.apps = old.sid, old.apps
		}
	}
	http.SetCookie(rw, p.cookie(p.sessions.start(s), 0))
	return s
}

// dropSession ends the browser's single sign-on.
func (p *Provider) dropSession(r *http.Request) []session {
	cookies := make(map[string]bool)
	for _, c := range r.CookiesNamed(p.cookieName) {
		cookies[c.Value] = true
	}
	return p.sessions.end(func(cookie string, _ session) bool { return cookies[cookie] })
}

func (p *Provider) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: p.cookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: p.issuer[:5] == "https", SameSite: http.SameSiteLaxMode,
	}
}
