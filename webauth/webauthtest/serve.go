package webauthtest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// maxForm bounds the login form.
const maxForm = 16 << 10

func (w *WLS) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+authPath, w.arrive)
	mux.HandleFunc("POST "+authPath, w.submit)
	mux.HandleFunc("HEAD "+authPath, func(rw http.ResponseWriter, _ *http.Request) {
		// A HEAD must not use up what a test has scripted for the GET.
		rw.Header().Set("Allow", "GET, POST")
		rw.WriteHeader(http.StatusMethodNotAllowed)
	})
	mux.HandleFunc("GET "+logoutPath, w.logout)
	mux.HandleFunc("GET /{$}", w.status)
	return mux
}

// arrive serves a browser that comes from a site.
func (w *WLS) arrive(rw http.ResponseWriter, r *http.Request) {
	a := newAuthRequest(r.URL.RawQuery)
	a.login = w.sessionOf(r)
	w.serve(rw, r, a)
}

// submit serves a browser that sends the login form.
func (w *WLS) submit(rw http.ResponseWriter, r *http.Request) {
	if !fakelogin.FromOwnPage(r) {
		pages.Render(rw, http.StatusForbidden, "refused", nil)
		return
	}
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		pages.Render(rw, http.StatusBadRequest, "refused", nil)
		return
	}
	a := newAuthRequest(r.URL.RawQuery)
	a.submitted = true
	switch {
	case r.PostForm.Has("cancel"):
		a.login, a.cancelled = w.sessionOf(r), true
	case a.refusal == nil:
		id := strings.TrimSpace(r.PostForm.Get("userid"))
		if !w.users.authenticate(id, r.PostForm.Get("pwd")) {
			w.journal.add(Exchange{At: w.Now(), Request: a.Request, Submitted: true, BadLogin: true, Reply: ReplyForm})
			w.renderForm(rw, http.StatusForbidden, a.Request, id, true)
			return
		}
		s := w.startSession(rw, r, id)
		a.login, a.typed = &s, true
	}
	w.serve(rw, r, a)
}

func (w *WLS) serve(rw http.ResponseWriter, r *http.Request, a authRequest) {
	e := w.exchange(a, func(o Outcome) bool { return w.wait(r.Context(), o) })
	switch e.Reply {
	case ReplyClosed:
		panic(http.ErrAbortHandler) // how net/http is told to close the connection
	case ReplyDown:
		pages.Render(rw, http.StatusServiceUnavailable, "down", nil)
	case ReplyForm:
		w.renderForm(rw, http.StatusOK, a.Request, a.user(), false)
	case ReplyPage:
		w.renderFailure(rw, e)
	default:
		redirect(rw, r, e.ReturnURL)
	}
}

// exchange answers a request as script, faults and protocol have it, and logs that. wait
// makes the outcome's delay and reports whether the browser is still there.
func (w *WLS) exchange(a authRequest, wait func(Outcome) bool) Exchange {
	o, giveBack := w.script.choose(a.submitted, a.user())
	e := Exchange{At: w.Now(), Request: a.Request, Submitted: a.submitted, Fault: o.Fault, Quirks: o.Quirks}
	if a.refusal != nil {
		e.Refused = a.refusal.Msg
	}
	switch {
	case !wait(o) || o.Fault == FaultClosed:
		e.Reply = ReplyClosed
	case o.Fault == FaultDown:
		e.Reply = ReplyDown
	default:
		w.resolve(&e, a, o)
	}
	if e.Reply == ReplyForm {
		giveBack()
	}
	w.journal.add(e)
	return e
}

// resolve decides the request and fills in the answer.
func (w *WLS) resolve(e *Exchange, a authRequest, o Outcome) {
	e.Reply, e.Response = a.decide(o, w.Now())
	switch e.Reply {
	case ReplyForm:
		if e.Fault != FaultSlow { // the others are still to come
			e.Fault = FaultNone
		}
	case ReplyReturn:
		var err error
		e.Value, e.ReturnURL, e.Fault, err = w.answer(&e.Response, o)
		if err != nil { // only what an Edit made can fail here
			e.Reply, e.Response = ReplyPage, wls.Response{Status: e.Response.Status, Msg: err.Error()}
		}
	}
}

// wait makes the outcome's delay. It returns false if the browser left or the fake was
// closed meanwhile.
func (w *WLS) wait(ctx context.Context, o Outcome) bool {
	d := o.Delay
	if d == 0 && o.Fault == FaultSlow {
		d = w.slowFor
	}
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-w.closed:
	}
	return false
}

// logout ends single sign-on.
func (w *WLS) logout(rw http.ResponseWriter, r *http.Request) {
	w.dropSession(r)
	http.SetCookie(rw, w.cookie("", -1))
	pages.Render(rw, http.StatusOK, "logout", nil)
}

// redirect answers 303, or 302 to a GET of HTTP/1.0, which knows no 303 (WAA2WLS,
// "Message formats").
func redirect(rw http.ResponseWriter, r *http.Request, target string) {
	code := http.StatusSeeOther
	if !r.ProtoAtLeast(1, 1) && r.Method == http.MethodGet {
		code = http.StatusFound
	}
	fakelogin.SetHeaders(rw.Header())
	http.Redirect(rw, r, target, code)
}
