package webauthtest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

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
	v := newVisit(r.URL.RawQuery)
	v.login = w.sessionOf(r)
	w.serve(rw, r, v, arriving)
}

// submit serves a browser that sends the login form.
func (w *WLS) submit(rw http.ResponseWriter, r *http.Request) {
	if !fromOwnPage(r) {
		w.render(rw, http.StatusForbidden, "refused", nil)
		return
	}
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		w.render(rw, http.StatusBadRequest, "refused", nil)
		return
	}
	v := newVisit(r.URL.RawQuery)
	switch {
	case r.PostForm.Has("cancel"):
		v.login, v.cancelled = w.sessionOf(r), true
	case v.refusal == nil:
		id := strings.TrimSpace(r.PostForm.Get("userid"))
		if !w.users.authenticate(id, r.PostForm.Get("pwd")) {
			w.journal.add(Exchange{At: w.Now(), Request: v.request, Submitted: true, BadLogin: true, Reply: ReplyForm})
			w.renderForm(rw, http.StatusForbidden, v.request, id, true)
			return
		}
		s := w.startSession(rw, r, id)
		v.login, v.typed = &s, true
	}
	w.serve(rw, r, v, submitting)
}

func newVisit(rawQuery string) visit {
	var v visit
	request, err := wls.ParseRequest(rawQuery)
	errors.As(err, &v.refusal)
	v.request = *request
	return v
}

// serve answers a visit as script, faults and protocol have it.
func (w *WLS) serve(rw http.ResponseWriter, r *http.Request, v visit, stage visitStage) {
	o, giveBack := w.script.choose(stage, v.user())
	e := w.exchange(v, o)
	e.Submitted = stage == submitting
	if !w.wait(r.Context(), o) || o.Fault == FaultClosed {
		e.Reply = ReplyClosed
		w.journal.add(e)
		panic(http.ErrAbortHandler) // how net/http is told to close the connection
	}
	if o.Fault == FaultDown {
		e.Reply = ReplyDown
		w.journal.add(e)
		w.render(rw, http.StatusServiceUnavailable, "down", nil)
		return
	}
	w.resolve(&e, v, o)
	if e.Reply == ReplyForm {
		giveBack()
	}
	w.journal.add(e)
	switch e.Reply {
	case ReplyForm:
		w.renderForm(rw, http.StatusOK, v.request, v.user(), false)
	case ReplyPage:
		w.renderFailure(rw, e)
	default:
		redirect(rw, r, e.ReturnURL)
	}
}

func (v visit) user() string {
	if v.login == nil {
		return ""
	}
	return v.login.user
}

func (w *WLS) exchange(v visit, o Outcome) Exchange {
	e := Exchange{At: w.Now(), Request: v.request, Fault: o.Fault, Quirks: o.Quirks}
	if v.refusal != nil {
		e.Refused = v.refusal.Msg
	}
	return e
}

// resolve decides the visit and fills in what comes of it.
func (w *WLS) resolve(e *Exchange, v visit, o Outcome) {
	what, response := decide(v, o, w.Now())
	switch what {
	case showForm:
		e.Reply = ReplyForm
		if e.Fault != FaultSlow { // the others are still to come
			e.Fault = FaultNone
		}
		return
	case showPage:
		e.Reply, e.Response = ReplyPage, response
		return
	}
	var err error
	e.Value, e.ReturnURL, e.Fault, err = w.answer(&response, o)
	e.Reply, e.Response = ReplyReturn, response
	if err != nil { // only what an Edit made can fail here
		e.Reply, e.Response = ReplyPage, wls.Response{Status: response.Status, Msg: err.Error()}
	}
}

// wait waits as long as the outcome says. It is false if the browser left or the fake
// was closed meanwhile.
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
	w.render(rw, http.StatusOK, "logout", nil)
}

// redirect answers 303, or 302 to a GET of HTTP/1.0, which knows no 303 (WAA2WLS,
// "Message formats").
func redirect(rw http.ResponseWriter, r *http.Request, target string) {
	code := http.StatusSeeOther
	if !r.ProtoAtLeast(1, 1) && r.Method == http.MethodGet {
		code = http.StatusFound
	}
	setHeaders(rw.Header())
	http.Redirect(rw, r, target, code)
}

// fromOwnPage refuses login forms that another site's page sent. Browsers that tell
// neither Sec-Fetch-Site nor a usable Origin (ours is "null" on plain http, because the
// page sends no referrer) are let through: what is at stake is a login to a fake.
func fromOwnPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	sent := r.Header.Get("Origin")
	if sent == "" || sent == "null" {
		return true
	}
	u, err := url.Parse(sent)
	return err == nil && u.Host == r.Host
}
