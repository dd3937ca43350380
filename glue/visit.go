package glue

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// visit is one request on its way through. It lives on the stack: nothing keeps it.
type visit struct {
	a      *Auth
	cfg    *Config
	w      http.ResponseWriter
	r      *http.Request
	place  *place
	now    time.Time
	secret webauth.BrowserSecret // "" where the browser brought none

	path, query string // as the browser asked; see locate
	unfit       error  // why no browser would ask for them
	goal        string // the path, with a query, that Login goes on to
	ref         string // ties a page to its log line
	started     int64  // when the session that came began, Unix seconds; 0 where none did

	kept    *keptForm // what the request was made of, see takeMarked
	keptErr error     // why it could not be
	wants   *Policy   // how somebody must have logged in for a kept form, beside the policy
}

// begin finds out which of our origins the request is for. It is false where that
// answers the request already.
func (v *visit) begin() bool {
	v.cfg = &v.a.s.cfg
	v.now = nowSeconds(v.cfg.Now)
	v.place = v.a.s.keys.Load().places.find(v.r.Host)
	if v.place == nil {
		v.misdirected()
		return false
	}
	v.locate()
	if v.a.err != nil {
		v.spendElsewhere()
		v.fail(Event{Name: EventRefused, Err: v.a.err}, pageMisconfigured)
		return false
	}
	v.secret = v.place.cookies.secret(v.r)
	return true
}

// require runs next for a session that satisfies the policy.
func (v *visit) require(next http.Handler) {
	if v.answersResponse() || v.answersTarget() {
		return
	}
	v.takeMarked()
	s, lack, err := v.session()
	switch {
	case err != nil:
		v.storeDown(err)
	case lack == lackOwner:
		v.notYours(s)
	case lack == lackNothing && v.keptErr != nil:
		v.formGone(s, v.keptErr)
	case lack == lackNothing && v.kept != nil:
		v.resume(s, next)
	case lack == lackNothing && v.wants != nil:
		v.goBack(v.place.url(v.path, withoutKeptMark(v.query)))
	case lack == lackNothing:
		v.serve(next, v.identified(s))
	case lack.forbidden():
		v.forbid(s, lack)
	default:
		v.ask(s, lack)
	}
}

// maybe runs next in any case, with an identity if there is one.
func (v *visit) maybe(next http.Handler) {
	if v.answersResponse() || v.answersTarget() {
		return
	}
	asSent := *v
	if v.r.Method == http.MethodPost {
		v.takeMarked()
	}
	s, lack, err := v.session()
	if v.keptErr != nil || v.kept != nil && err == nil && lack != lackNothing {
		if v.keptErr == nil && v.answersForKeeper() {
			return
		}
		// Whether and what to answer is for the handler inside that needs a login.
		*v = asSent
		s, lack, err = v.session()
	}
	switch {
	case err != nil:
		v.storeDown(err)
	case lack == lackNothing && v.kept != nil:
		v.resume(s, next)
	case lack == lackNothing:
		v.serve(next, v.identified(s))
	case lack == lackSession && v.a.policy.Silent && v.trySilently():
	default:
		varyByCookie(v.w.Header())
		v.serve(next, v.r.WithContext(withoutIdentity(v.r.Context())))
	}
}

// serve runs a handler with a request that we derived. net/http removes an upload's
// temporary files for the request that it made itself, and for no other.
func (v *visit) serve(next http.Handler, r *http.Request) {
	defer func() {
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // as net/http does
		}
	}()
	next.ServeHTTP(v.w, r)
}

// identified prepares a request for a handler that will know the person.
func (v *visit) identified(s *session) *http.Request {
	h := v.w.Header()
	h["Cache-Control"] = []string{"private, no-cache"}
	varyByCookie(h)
	v.noteUse(s)
	return v.r.WithContext(context.WithValue(v.r.Context(), identityKey{}, &s.Identity))
}

// session loads the session and tells what it lacks for this route. The session is
// given even where it has ended, and only where it belongs to this browser.
func (v *visit) session() (*session, shortfall, error) {
	s, err := v.own()
	if err != nil || s == nil {
		return nil, lackSession, err
	}
	return s, v.judge(s), nil
}

// own loads the session of this browser, ended or not; nil where there is none.
func (v *visit) own() (*session, error) {
	if v.secret == "" {
		return nil, nil
	}
	s, err := v.a.s.store.load(v.r, v.place)
	if err != nil || s == nil || !v.secret.Fits(s.binding) {
		return nil, err
	}
	s.Service, v.started = v.cfg.Service.Name, s.started
	return s, nil
}

// ended tells whether a session of this browser is over, for all routes alike.
func (v *visit) ended(s *session) shortfall {
	switch {
	case !v.now.Before(s.Expires):
		return lackExpired
	case s.whence != v.whence():
		return lackMoved
	case v.idle(s):
		return lackIdle
	}
	return lackNothing
}

// alive reports whether there is a session of this person that has not ended.
func (v *visit) alive(s *session, principal string) bool {
	return s != nil && s.Principal == principal && v.ended(s) == lackNothing
}

// judge tells what a session of this browser lacks for this route. Whether it has
// ended comes first: nobody is told what an ended session may not do.
func (v *visit) judge(s *session) shortfall {
	if lack := v.ended(s); lack != lackNothing {
		return lack
	}
	if v.kept != nil && v.kept.principal != s.Principal {
		return lackOwner
	}
	if lack := v.authorize(&s.Identity); lack != lackNothing {
		return lack
	}
	if lack := v.a.policy.how(&s.Identity, v.now); lack != lackNothing || v.wants == nil {
		return lack
	}
	return v.wants.how(&s.Identity, v.now)
}

// ask answers a request that lacks a good enough login.
func (v *visit) ask(s *session, lack shortfall) {
	switch {
	case v.isDeadEnd():
	case isNavigation(v.r):
		v.startLogin(v.strength(lack))
	case isFormPost(v.r):
		v.keepForm(s, lack)
	default:
		v.unauthorised(lack)
	}
}

// strength is what to ask the WLS for.
func (v *visit) strength(lack shortfall) webauth.Request {
	p := &v.a.policy
	how := v.asks()
	req := webauth.Request{Desc: p.Desc, Msg: p.Msg, AAuth: how.AAuth, IAct: how.IAct, Fail: p.Fail}
	if req.Msg == "" && (lack == lackExpired || lack == lackIdle) {
		req.Msg = v.cfg.Session.ExpiredMsg
	}
	return req
}

// startLogin sends the browser to the WLS, to come back to the URL it asked for.
func (v *visit) startLogin(req webauth.Request) {
	depth, stop := v.loopStep()
	if stop {
		v.fail(Event{Name: EventLoop}, pageLoop)
		return
	}
	req.Note = noteOfDepth(depth)
	secret, isNew := v.secretToBe()
	location, err := v.loginURL(secret, req)
	if err != nil {
		v.fail(Event{Name: EventRefused, Err: err}, pageBadAddress)
		return
	}
	if isNew {
		v.place.cookies.setSecret(v.w, secret)
	}
	v.log(Event{Name: EventRedirect})
	v.redirect(location)
}

// redirect sends a GET elsewhere. Clients of HTTP/1.0 do not know 303.
func (v *visit) redirect(location string) {
	noStore(v.w)
	status := http.StatusSeeOther
	if !v.r.ProtoAtLeast(1, 1) {
		status = http.StatusFound
	}
	v.w.Header().Set("Location", location)
	v.w.WriteHeader(status)
}

// unauthorised answers what is no navigation: no redirect, no cookie.
func (v *visit) unauthorised(lack shortfall) {
	v.w.Header().Set("WWW-Authenticate", "Ucam-WebAuth")
	v.brief(http.StatusUnauthorized, "login_required", string(lack), "Log in first: open this site in a browser.")
}

// brief answers a script: by an error and its reason in JSON, or by a line of text.
func (v *visit) brief(status int, code, reason, text string) {
	noStore(v.w)
	h := v.w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	body, kind := []byte(text), "text/plain; charset=utf-8"
	if strings.Contains(v.r.Header.Get("Accept"), "json") {
		body, _ = json.Marshal(map[string]string{"error": code, "reason": reason}) // strings marshal
		kind = "application/json"
	}
	h.Set("Content-Type", kind)
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(append(body, '\n')) // the client's loss if it has gone
	}
}

// noStore keeps an answer of the flow out of every cache.
func noStore(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	varyByCookie(h)
}

func varyByCookie(h http.Header) {
	if !slices.Contains(h["Vary"], "Cookie") {
		h["Vary"] = append(h["Vary"], "Cookie")
	}
}
