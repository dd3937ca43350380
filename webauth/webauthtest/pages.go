package webauthtest

import (
	"embed"
	"html"
	"net/http"
	"strings"
	"unicode"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

//go:embed pages
var pageFiles embed.FS

// pageHeader names the page.
const pageHeader = "Fake-Wls-Page"

var pages = fakelogin.NewPages(pageFiles, pageHeader, "login", "failure", "logout", "status")

// shownUsers is how many test users the pages list.
const shownUsers = 20

// loginPage is what the login form shows.
type loginPage struct {
	Site, Desc, Msg string
	User            string // kept after a wrong password, known with single sign-on
	AskAgain, Bad   bool
	Users           []User
	More            int // users not listed
}

func (w *WLS) renderForm(rw http.ResponseWriter, status int, r wls.Request, user string, bad bool) {
	data := loginPage{
		Site: fakelogin.HostOf(r.URL), Desc: plainText(r.Desc), Msg: plainText(r.Msg),
		User: user, AskAgain: r.IAct == "yes", Bad: bad,
	}
	data.Users, data.More = w.users.list(shownUsers)
	pages.Render(rw, status, "login", data)
}

// failurePage explains why nobody is sent back.
type failurePage struct {
	Status    int
	Msg, Site string
	Asked     bool // by fail=yes
	What      string
}

func (w *WLS) renderFailure(rw http.ResponseWriter, e Exchange) {
	status := http.StatusForbidden
	if e.Refused != "" {
		status = http.StatusBadRequest
	}
	pages.Render(rw, status, "failure", failurePage{
		Status: e.Response.Status, Msg: e.Response.Msg, Site: fakelogin.HostOf(e.Request.URL), Asked: e.Request.Fail,
		What: whatHappened[e.Response.Status],
	})
}

// whatHappened explains a status to the person.
var whatHappened = map[int]string{
	wls.StatusCancelled:     "You cancelled the login.",
	wls.StatusNoAuthType:    "The web site accepts none of the ways in which this service can log you in.",
	wls.StatusVersion:       "The web site speaks a version of the protocol that this service does not know.",
	wls.StatusRequest:       "The web site sent a request that this service cannot use.",
	wls.StatusInteraction:   "You would have to type your password, but the web site asked for a login without any question.",
	wls.StatusNotAuthorised: "The web site may not use this service.",
	wls.StatusDeclined:      "This service declined to log you in this time.",
}

// statusPage says what this is.
type statusPage struct {
	AuthURL, LogoutURL, Kid, User string
	Users                         []User
	More                          int
}

func (w *WLS) status(rw http.ResponseWriter, r *http.Request) {
	s := w.Service()
	kid, _ := w.Key()
	data := statusPage{AuthURL: s.AuthURL, LogoutURL: s.LogoutURL, Kid: kid}
	if login := w.sessionOf(r); login != nil {
		data.User = login.user
	}
	data.Users, data.More = w.users.list(shownUsers)
	pages.Render(rw, http.StatusOK, "status", data)
}

// plainText is what a browser shows of desc and msg, whose character references stand
// while < and > do not start a tag (WAA2WLS, "Authentication request"). The template
// escapes it again, so that nothing in it can be markup.
func plainText(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}, html.UnescapeString(s))
}
