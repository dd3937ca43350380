package remoteuser

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// startSession gives the browser a session of a person who has just typed the password.
func (f *formLogin) startSession(w http.ResponseWriter, secret webauth.BrowserSecret, name string, now time.Time) error {
	text := strings.Join([]string{name, secret.Binding(), rand.Text(), strconv.FormatInt(now.Unix(), 10)}, "\n")
	value, err := f.session.Seal(f.sessionCookie, now.Add(f.cfg.MaxLife), []byte(text))
	if err != nil {
		return err
	}
	f.setCookie(w, f.sessionCookie, value)
	return nil
}

// session gives the person whose session the request brings. It is the session of this
// browser only, and ends at logout, which gives the browser another secret.
func (v *visit) session() (id glue.Identity, known bool) {
	f := v.u.form
	value := f.cookie(v.r, f.sessionCookie)
	if value == "" || !f.isHere(v.r) {
		return id, false
	}
	text, expires, err := f.session.Open(f.sessionCookie, value, v.now)
	if err != nil {
		return id, false
	}
	part := strings.Split(string(text), "\n")
	if len(part) != 4 || !validPrincipal(part[0]) || !f.secret(v.r).Fits(part[1]) {
		return id, false
	}
	seconds, err := strconv.ParseInt(part[3], 10, 64)
	if err != nil {
		return id, false
	}
	login := time.Unix(seconds, 0).UTC()
	// A life that was made shorter since counts for sessions from before, too.
	if latest := login.Add(f.cfg.MaxLife); latest.Before(expires) {
		expires = latest
	}
	if !v.now.Before(expires) {
		return id, false
	}
	return glue.Identity{
		Principal: part[0], Service: ServicePassword, Auth: authTyped, SessionID: part[2],
		Issue: login, Password: login, Expires: expires,
	}, true
}
