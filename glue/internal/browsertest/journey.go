package browsertest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Start starts a site with an application, where people log in at a webauthtest.WLS. app
// makes the application of who the site says that a person is, and of the path where sessions
// end: /private/app/ is for people who are logged in, all else for everybody.
type Start func(t *testing.T, app func(logout string, user func(*http.Request) string) http.Handler) Site

// Site is a site that was started.
type Site struct {
	URL string
	// Expire lets time pass until no session is alive.
	Expire func()
}

// Journeys takes a person through a site with each kind of service worker, in each browser:
// from a page of ours to one that wants a login, to the login service and back, to a form that
// is sent after the session has ended, to the logout and to where that is noticed.
func Journeys(t *testing.T, start Start) {
	Each(t, func(t *testing.T, tab *Tab) {
		for _, worker := range workers {
			t.Run(worker.name, func(t *testing.T) {
				s := start(t, application{worker: worker.script}.handler)
				tab.in(t).journey(s, worker.script != "")
			})
		}
	})
}

func (b *Tab) journey(s Site, worker bool) {
	b.t.Helper()
	b.Open(s.URL + "/open")
	if worker {
		b.register()
	}
	b.Open(s.URL + "/private/app/")
	b.logIn()
	b.seesPrivate(s)

	s.Expire()
	b.Click("#send")
	b.See("[data-page=form-kept]")
	beside := b.NewTab()
	beside.Open(b.Value("document.querySelector('a[target=_blank]').href"))
	beside.logIn()
	beside.See("[data-page=go-back]")
	b.Click("[data-page=form-kept] button")
	b.See("#sent:not(:empty)")
	assert.Equal(b.t, "a note", b.Value("document.querySelector('#sent').textContent"))
	assert.Equal(b.t, s.URL+"/private/app/form", b.Value("location.origin + location.pathname"))

	b.Click("#logout")
	b.See("[data-page=logged-out]")
	if worker {
		assert.Equal(b.t, s.URL+"/sw.js", b.Value("navigator.serviceWorker.controller?.scriptURL || ''"), "the worker was there all the time")
	}
	b.Open(s.URL + "/private/app/other")
	b.logIn()
	b.seesPrivate(s)
}

// register starts the site's service worker, and waits until it gets all requests.
func (b *Tab) register() {
	b.t.Helper()
	b.Value(`(async () => {
		const s = navigator.serviceWorker
		const there = new Promise(done => s.controller ? done() : s.addEventListener("controllerchange", done))
		await s.register("/sw.js")
		await there
		return ""
	})()`)
}

// logIn fills in the login service's form; who is known there already goes on.
func (b *Tab) logIn() {
	b.t.Helper()
	if b.See("#pwd", "[data-page]") == "#pwd" {
		b.Value(`(document.querySelector("#userid").value = "test0001", document.querySelector("#pwd").value = "test", "")`)
		b.Click("button[name=login]")
	}
}

func (b *Tab) seesPrivate(s Site) {
	b.t.Helper()
	b.See("[data-page=private]")
	assert.Equal(b.t, "test0001", b.Value("document.querySelector('#user').textContent"))
	assert.NotContains(b.t, b.Value("location.href"), "WLS-Response")
}
