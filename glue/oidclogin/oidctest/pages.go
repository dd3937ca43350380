package oidctest

import (
	"embed"
	"net/http"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

//go:embed pages
var pageFiles embed.FS

// pageHeader names the page.
const pageHeader = "Oidctest-Page"

var pages = fakelogin.NewPages(pageFiles, pageHeader, "login", "failure", "logout", "about")

// shownUsers is how many test users the pages list.
const shownUsers = 20

// loginPage is what the login form shows.
type loginPage struct {
	Site, User, Unknown string
	AskAgain            bool
	Users               []User
	More                int // users not listed
}

func (p *Provider) renderForm(rw http.ResponseWriter, status int, a authRequest, user string, bad bool) {
	data := loginPage{Site: fakelogin.HostOf(a.redirectURI), User: user, AskAgain: a.asks("login") || a.hasMaxAge && a.login != nil}
	if bad {
		data.User, data.Unknown = "", user
	}
	data.Users, data.More = p.shownUsers()
	pages.Render(rw, status, "login", data)
}

func (p *Provider) shownUsers() (shown []User, more int) {
	all := p.users.list()
	shown = all[:min(shownUsers, len(all))]
	return shown, len(all) - len(shown)
}

// aboutPage says what this is.
type aboutPage struct {
	Issuer, LogoutURL, User string
	Apps                    []App
	Users                   []User
	More                    int
}

func (p *Provider) about(rw http.ResponseWriter, r *http.Request) {
	data := aboutPage{Issuer: p.issuer, LogoutURL: p.issuer + logoutPath, Apps: p.apps.list()}
	if login := p.sessionOf(r); login != nil {
		data.User = login.user
	}
	data.Users, data.More = p.shownUsers()
	pages.Render(rw, http.StatusOK, "about", data)
}
