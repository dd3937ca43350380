package password

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/internal/sender"
	"github.com/ucam-webauth/go-webauth/glue/site"
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
	pageLogin = site.Page{Kind: "login", Status: http.StatusOK, Title: "Log in",
		Text: []string{"Type the user name and the password that you have on this site."}}
	pageWrong = site.Page{Kind: "wrong-password", Status: http.StatusForbidden, Title: "Please try again",
		Text: []string{"Type both once more: the user name or the password is wrong."}}
	pageFormOld = site.Page{Kind: "form-expired", Status: http.StatusForbidden, Title: "This form is out of date",
		Text: []string{"Open the form again. You are not logged in by this one: it was open for too long, or it was not sent from this site."}}
	pageNoCookies = site.Page{Kind: "cookies", Status: http.StatusForbidden, Title: "Please allow cookies, and try again",
		Text: []string{"Allow cookies for this site in your browser’s settings, and open the form again. Logging in needs one, which this site set with the form, and which did not come back."}}
	pageBadNext = site.Page{Kind: "next", Status: http.StatusBadRequest, Title: "This link is broken",
		Text: []string{"Please start from the site’s front page. The link that brought you here does not lead to a page of this site."}}
	pageLoginAgain = site.Page{Kind: "login-again", Status: http.StatusUnauthorized, Title: "Please log in again",
		Text: []string{"Go back and copy what you wrote, if your browser still has it: it has not been stored. Log in in a new tab, and then send the form again.",
			"You are not logged in, or your login has ended."}}
	pageMisdirected = site.Page{Kind: "misdirected", Status: http.StatusMisdirectedRequest, Title: "Wrong address",
		Text: []string{"Follow the link to the right address: people do not log in at the one that you asked for."}}
)

// Reasons for which a form, or a link to it, is refused.
const (
	reasonNext   = "next"
	reasonOrigin = "cross-origin"
	reasonToken  = "token"
	reasonCookie = "cookie"
	reasonHost   = "host"
)

// Login is the handler of the form: it shows it, takes it, and goes on to the path in "next", a
// path of this site, or to the site's start. A person who is known already, by a session or by
// a handler around, goes on at once.
func (f *Form) Login(w http.ResponseWriter, r *http.Request) {
	if !f.begin(w, r) {
		return
	}
	if r.Method == http.MethodPost {
		f.take(w, r)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	next, ok := only(query, fieldNext)
	if err != nil || !ok || next != "" && !f.site.Local(next) {
		f.refuse(w, r, reasonNext, nil, "")
		return
	}
	if _, known := glue.IdentityFrom(r.Context()); !known {
		_, known = f.Session(r)
		if !known {
			f.show(w, r, pageLogin, next, "")
			return
		}
	}
	respond.Redirect(w, r, f.url(next))
}

// begin reports whether a request is one for Login or Logout; others it has answered.
func (f *Form) begin(w http.ResponseWriter, r *http.Request) bool {
	if !f.isHere(r) {
		p := pageMisdirected
		p.Links = []site.Link{{Text: f.origin, Href: f.url("")}}
		f.answer(w, r, &Refusal{Event: event(glue.EventMisdirected, reasonHost, nil), Page: p})
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true
	}
	w.Header().Set("Allow", "GET, HEAD, POST")
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	return false
}

// Ask sends a person who opens a page of the site to log in first. It returns false, and has
// not answered, where the form cannot help: for scripts, and at other hosts.
func (f *Form) Ask(w http.ResponseWriter, r *http.Request) bool {
	// Office follows the redirect and has a browser open the form, which is anybody's.
	office := r.Method == http.MethodGet && sender.IsOffice(r)
	switch {
	case !f.isHere(r) || !site.WantsPage(r) && !office:
		return false
	case r.Method == http.MethodGet:
		f.site.Report(r, event(glue.EventRedirect, "", nil))
		respond.Redirect(w, r, f.loginURL(asked(f.site, r)))
	default:
		p := pageLoginAgain
		p.Links = []site.Link{{Text: "Log in", Href: f.loginURL(""), NewTab: true}}
		f.answer(w, r, &Refusal{Event: event(glue.EventRefused, ReasonNobody, nil), Page: p})
	}
	return true
}

// show shows the form, with a fresh proof that it is ours.
func (f *Form) show(w http.ResponseWriter, r *http.Request, p site.Page, next, name string) {
	browser := f.browser(r)
	if browser == "" {
		browser = webauth.NewBrowserSecret()
		f.setCookie(w, f.browserCookie, string(browser))
	}
	token, err := f.newToken(browser)
	if err != nil {
		f.answer(w, r, Unavailable("form", err))
		return
	}
	p.Form = &site.Form{
		Action: f.url(f.cfg.Path), Button: "Log in",
		Hidden: map[string]string{fieldToken: token, fieldNext: next},
		Fields: []site.Field{
			{Name: fieldName, Label: "User name", Type: "text", Value: name, Autocomplete: "username"},
			{Name: fieldPassword, Label: "Password", Type: "password", Autocomplete: "current-password"},
		},
	}
	f.site.Show(w, r, p)
}

// take takes the form that was sent.
func (f *Form) take(w http.ResponseWriter, r *http.Request) {
	sent, reason, err := f.read(w, r)
	if err != nil {
		f.refuse(w, r, reason, err, sent.next)
		return
	}
	if id, known := glue.IdentityFrom(r.Context()); known && id.Service != Service {
		respond.Redirect(w, r, f.url(sent.next)) // another's word counts, so a session would change nothing
		return
	}
	switch v := f.checker.verifyAnew(r, sent.name, sent.password); {
	case v.Right:
		if err := f.startSession(w, f.browser(r), sent.name); err != nil {
			f.answer(w, r, Unavailable("session", err))
			return
		}
		e := event(glue.EventLogin, "", nil)
		e.Principal = sent.name
		f.site.Report(r, e)
		respond.Redirect(w, r, f.url(sent.next))
	case v.Err != nil || v.Wait > 0:
		no := v.refusal()
		if v.Err == nil {
			no.Page.Links = []site.Link{{Text: "Open the form", Href: f.loginURL("")}}
		}
		f.answer(w, r, no)
	default:
		f.site.Report(r, event(EventWrong, ReasonWrong, nil))
		name := sent.name
		if !ValidName(name) {
			name = ""
		}
		f.show(w, r, pageWrong, sent.next, name)
	}
}

// sentForm is a login form that was filled in.
type sentForm struct{ name, password, next string }

// read reads a form, and refuses one that this browser did not get from us: else another
// site could log people in as somebody whom they are not.
func (f *Form) read(w http.ResponseWriter, r *http.Request) (sent sentForm, reason string, err error) {
	form, err := parseForm(w, r)
	if err != nil {
		return sent, ReasonMalformed, err
	}
	var ok [4]bool
	var token string
	sent.next, ok[0] = only(form, fieldNext)
	sent.name, ok[1] = only(form, fieldName)
	sent.name = strings.TrimSpace(sent.name) // keyboards of phones add a blank
	sent.password, ok[2] = only(form, fieldPassword)
	token, ok[3] = only(form, fieldToken)
	same, told := f.site.SameOrigin(r)
	switch {
	case ok != [4]bool{true, true, true, true}:
		return sentForm{}, ReasonMalformed, errors.New("the login form has a field twice")
	case sent.next != "" && !f.site.Local(sent.next):
		return sentForm{}, reasonNext, errors.New("next is not a path of this site")
	case told && !same:
		return sent, reasonOrigin, errors.New("the login form was sent by another site's page")
	case f.browser(r) == "":
		return sent, reasonCookie, errors.New("the login form came without the browser's cookie")
	case !f.fits(r, token):
		return sent, reasonToken, errors.New("the login form is too old or was not made for this browser")
	}
	return sent, "", nil
}

func parseForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errors.New("not an urlencoded form")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, errors.New("the form is malformed or too large") // not err: it may quote the password
	}
	return r.PostForm, nil
}

// newToken makes a proof that a form is ours and was given to a browser.
func (f *Form) newToken(browser webauth.BrowserSecret) (string, error) {
	return f.seals.Load().token.Seal(fieldToken, f.now().Add(tokenLife), []byte(browser.Binding()))
}

// fits reports whether a form's proof was made for this browser, a short while ago.
func (f *Form) fits(r *http.Request, token string) bool {
	binding, _, err := f.seals.Load().token.Open(fieldToken, token, f.now())
	return err == nil && f.browser(r).Fits(binding)
}

// refuse answers a form, or a link to it, that is not accepted. No password was looked at.
func (f *Form) refuse(w http.ResponseWriter, r *http.Request, reason string, err error, next string) {
	p, link := pageFormOld, site.Link{Text: "Open the form", Href: f.loginURL(next)}
	switch reason {
	case reasonNext:
		p, link = pageBadNext, site.Link{Text: "Front page", Href: f.url("")}
	case reasonCookie:
		p = pageNoCookies
	}
	p.Links = []site.Link{link}
	f.answer(w, r, &Refusal{Event: event(glue.EventRefused, reason, err), Page: p})
}

func (f *Form) answer(w http.ResponseWriter, r *http.Request, no *Refusal) { no.Answer(f.site, w, r) }

// only returns the one value of a field, empty where there is none.
func only(values url.Values, name string) (string, bool) {
	if len(values[name]) > 1 {
		return "", false
	}
	return values.Get(name), true
}
