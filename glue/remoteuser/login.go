package remoteuser

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Names of the form's fields.
const (
	fieldName     = "name"
	fieldPassword = "password"
	fieldNext     = "next"
	fieldToken    = "token" // proof that the form is ours and was given to this browser
)

const (
	maxForm   = 16 << 10
	tokenLife = time.Hour
)

var (
	pageLogin = glue.Page{Kind: "login", Status: http.StatusOK, Title: "Log in",
		Text: []string{"Type the user name and the password that you have on this site."}}
	pageWrong = glue.Page{Kind: "wrong-password", Status: http.StatusForbidden, Title: "Please try again",
		Text: []string{"The user name or the password is wrong."}}
	pageFormOld = glue.Page{Kind: "form-expired", Status: http.StatusForbidden, Title: "This form is out of date",
		Text: []string{"It was open for too long, or it was not sent from this site. You are not logged in by it. Open the form again."}}
	pageNoCookies = glue.Page{Kind: "cookies", Status: http.StatusForbidden, Title: "Your browser did not return our cookie",
		Text: []string{"Logging in needs a cookie, which this site set with the form, and which did not come back. Allow cookies for this site and open the form again."}}
	pageBadNext = glue.Page{Kind: "next", Status: http.StatusBadRequest, Title: "This link is broken",
		Text: []string{"The link that brought you here does not lead to a page of this site. Please start from the front page."}}
	pageLoginAgain = glue.Page{Kind: "login-again", Status: http.StatusUnauthorized, Title: "Please log in again",
		Text: []string{"You are not logged in, or your session has ended. What you sent has not been stored.",
			"Log in in a new tab, then go back to your form and send it again."}}
	pageMisdirected = glue.Page{Kind: "misdirected", Status: http.StatusMisdirectedRequest, Title: "Wrong address",
		Text: []string{"People do not log in at the address that you asked for. The link leads to the right one."}}
)

// Reasons for which a form is refused.
const (
	reasonNext   webauth.Reason = "next"
	reasonOrigin webauth.Reason = "cross-origin"
	reasonToken  webauth.Reason = "token"
	reasonCookie webauth.Reason = "cookie"
	reasonHost   webauth.Reason = "host"
)

// Login is the handler of the login form: it shows it, takes it, and goes on to the path
// in "next", a path of this site, or to the site's start. Whoever is known already just
// goes on. Without Config.Form it is 404.
func (u *RemoteUser) Login(w http.ResponseWriter, r *http.Request) {
	v := u.visit(w, r)
	if !v.beginForm() {
		return
	}
	if r.Method == http.MethodPost {
		v.takeForm()
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	next, ok := only(query, fieldNext)
	if err != nil || !ok {
		v.refuseNext()
		return
	}
	_, known, ok := v.person()
	switch {
	case !ok: // answered
	case next != "" && !localpath.Is(next):
		v.refuseNext()
	case known:
		respond.Redirect(v.w, v.r, v.u.form.url(orStart(next)))
	default:
		v.showForm(pageLogin, next, "")
	}
}

// beginForm is false where a request for Login or Logout is answered already.
func (v *visit) beginForm() bool {
	f := v.u.form
	switch {
	case f == nil:
		http.NotFound(v.w, v.r)
		return false
	case !f.isHere(v.r):
		p := pageMisdirected
		p.Links = []glue.Link{{Text: f.origin, Href: f.url("/")}}
		v.answer(glue.Event{Name: glue.EventMisdirected, Reason: reasonHost}, p)
		return false
	}
	switch v.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true
	}
	v.w.Header().Set("Allow", "GET, HEAD, POST")
	http.Error(v.w, "method not allowed", http.StatusMethodNotAllowed)
	return false
}

// askByForm has a person who opens a page log in first.
func (v *visit) askByForm() {
	f := v.u.form
	next := v.r.RequestURI
	if !localpath.Is(next) {
		next = ""
	}
	if !glue.WantsPage(v.r) {
		v.answer(glue.Event{Name: glue.EventRefused, Reason: reasonNobody}, pageNobody)
		return
	}
	if v.r.Method == http.MethodGet {
		v.log(glue.Event{Name: glue.EventRedirect})
		respond.Redirect(v.w, v.r, f.loginURL(next))
		return
	}
	p := pageLoginAgain
	p.Links = []glue.Link{{Text: "Log in", Href: f.loginURL(""), NewTab: true}}
	v.answer(glue.Event{Name: glue.EventRefused, Reason: reasonNobody}, p)
}

// showForm shows the form, with a fresh proof that it is ours.
func (v *visit) showForm(p glue.Page, next, name string) {
	f := v.u.form
	secret := f.secret(v.r)
	if secret == "" {
		secret = webauth.NewBrowserSecret()
		f.setCookie(v.w, f.browserCookie, string(secret))
	}
	token, err := f.token.Seal(fieldToken, v.now.Add(tokenLife), []byte(secret.Binding()))
	if err != nil {
		v.unavailable("form", err)
		return
	}
	p.Form = &glue.Form{
		Action: f.url(f.cfg.Path), Button: "Log in",
		Hidden: map[string]string{fieldToken: token, fieldNext: next},
		Fields: []glue.Field{
			{Name: fieldName, Label: "User name", Type: "text", Value: name, Autocomplete: "username"},
			{Name: fieldPassword, Label: "Password", Type: "password", Autocomplete: "current-password"},
		},
	}
	v.show(p)
}

// takeForm takes the form that was sent.
func (v *visit) takeForm() {
	f := v.u.form
	sent, refused := v.readForm()
	if refused != nil {
		v.refuseForm(refused, sent.next)
		return
	}
	_, known, ok := v.person()
	if !ok {
		return
	}
	if known && v.believed { // the front server's word counts, so a session would change nothing
		respond.Redirect(v.w, v.r, f.url(orStart(sent.next)))
		return
	}
	switch c := v.check(v.u.cfg.Password, sent.name, sent.password); c.kind {
	case wrong:
		v.log(glue.Event{Name: EventWrong, Reason: reasonWrong})
		name := sent.name
		if !validPrincipal(name) {
			name = ""
		}
		v.showForm(pageWrong, sent.next, name)
	case right:
		if err := f.startSession(v.w, f.secret(v.r), sent.name, v.now); err != nil {
			v.unavailable("session", err)
			return
		}
		v.log(glue.Event{Name: glue.EventLogin, Principal: sent.name})
		respond.Redirect(v.w, v.r, f.url(orStart(sent.next)))
	default:
		v.answerCheck(c)
	}
}

// sentForm is a login form that was filled in.
type sentForm struct{ name, password, next string }

// readForm reads a form, and refuses one that this browser did not get from us: else
// another site could log people in as somebody whom they are not.
func (v *visit) readForm() (sent sentForm, refused *refusal) {
	form, err := v.parseForm()
	if err != nil {
		return sent, &refusal{reasonMalformed, err.Error()}
	}
	var ok [4]bool
	var token string
	sent.next, ok[0] = only(form, fieldNext)
	sent.name, ok[1] = only(form, fieldName)
	sent.name = strings.TrimSpace(sent.name) // keyboards of phones add a blank
	sent.password, ok[2] = only(form, fieldPassword)
	token, ok[3] = only(form, fieldToken)
	switch {
	case ok != [4]bool{true, true, true, true}:
		return sentForm{}, &refusal{reasonMalformed, "the login form has a field twice"}
	case sent.next != "" && !localpath.Is(sent.next):
		return sentForm{}, &refusal{reasonNext, "next is not a path of this site"}
	case v.foreign():
		return sent, &refusal{reasonOrigin, "the login form was sent by another site's page"}
	case v.u.form.secret(v.r) == "":
		return sent, &refusal{reasonCookie, "the login form came without the browser's cookie"}
	case !v.fits(token):
		return sent, &refusal{reasonToken, "the login form is too old or was not made for this browser"}
	}
	return sent, nil
}

func (v *visit) parseForm() (url.Values, error) {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errors.New("not an urlencoded form")
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return nil, errors.New("the form is malformed or too large") // not err: it may quote the password
	}
	return v.r.PostForm, nil
}

// fits reports whether a form's proof was made for this browser, a short while ago.
func (v *visit) fits(token string) bool {
	binding, _, err := v.u.form.token.Open(fieldToken, token, v.now)
	return err == nil && v.u.form.secret(v.r).Fits(string(binding))
}

// foreign reports whether the browser says that a page of another origin sent the
// request. An Origin of "null" says nothing: browsers send it where a page asks for no
// referrer.
func (v *visit) foreign() bool {
	site, origin := v.r.Header.Get("Sec-Fetch-Site"), v.r.Header.Get("Origin")
	return site != "" && site != "same-origin" || origin != "" && origin != "null" && origin != v.u.form.origin
}

// refuseForm answers a form that is not accepted. No password was looked at.
func (v *visit) refuseForm(refused *refusal, next string) {
	p := pageFormOld
	switch refused.reason {
	case reasonNext:
		v.refuseNext()
		return
	case reasonCookie:
		p = pageNoCookies
	}
	p.Links = []glue.Link{{Text: "Open the form", Href: v.u.form.loginURL(next)}}
	v.answer(glue.Event{Name: glue.EventRefused, Reason: refused.reason, Err: refused}, p)
}

func (v *visit) refuseNext() {
	p := pageBadNext
	p.Links = []glue.Link{{Text: "Front page", Href: v.u.form.url("/")}}
	v.answer(glue.Event{Name: glue.EventRefused, Reason: reasonNext}, p)
}

// only gives the one value of a field, empty where there is none.
func only(values url.Values, name string) (string, bool) {
	if len(values[name]) > 1 {
		return "", false
	}
	return values.Get(name), true
}

func orStart(next string) string {
	if next == "" {
		return "/"
	}
	return next
}
