package password

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// authTyped is the protocol's name for a password that was typed.
const authTyped = "pwd"

// Typed returns the identity of somebody who has just sent the right password.
func Typed(name string, now time.Time) glue.Identity {
	return glue.Identity{Principal: name, Service: Service, Auth: authTyped, Issue: now, Accepted: now, Password: now}
}

// startSession gives the browser a session of a person who has just typed the password.
func (f *Form) startSession(w http.ResponseWriter, browser webauth.BrowserSecret, name string) error {
	now := f.now()
	text := strings.Join([]string{name, browser.Binding(), rand.Text(), strconv.FormatInt(now.Unix(), 10)}, "\n")
	value, err := f.seals.Load().session.Seal(f.sessionCookie, now.Add(f.cfg.MaxLife), []byte(text))
	if err != nil {
		return err
	}
	f.setCookie(w, f.sessionCookie, value)
	return nil
}

// Session returns the person whose session a request brings. It is the session of this
// browser only, and ends at logout, which gives the browser another secret.
func (f *Form) Session(r *http.Request) (id glue.Identity, known bool) {
	value := cookie.Get(r, f.sessionCookie)
	if value == "" || !f.isHere(r) {
		return id, false
	}
	now := f.now()
	text, expires, err := f.seals.Load().session.Open(f.sessionCookie, value, now)
	if err != nil {
		return id, false
	}
	part := strings.Split(text, "\n")
	if len(part) != 4 || !ValidName(part[0]) || !f.browser(r).Fits(part[1]) {
		return id, false
	}
	seconds, err := strconv.ParseInt(part[3], 10, 64)
	if err != nil {
		return id, false
	}
	id = Typed(part[0], time.Unix(seconds, 0).UTC())
	id.SessionID, id.Expires = part[2], expires
	// A life that was made shorter since counts for sessions from before, too.
	if latest := id.Issue.Add(f.cfg.MaxLife); latest.Before(expires) {
		id.Expires = latest
	}
	if !now.Before(id.Expires) {
		return glue.Identity{}, false
	}
	return id, true
}
