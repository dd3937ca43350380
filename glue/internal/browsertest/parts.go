package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Parts has a session end while a person is at a page with parts that want a login: a frame,
// what htmx fetches, and what a script asks for. They log in in the whole window and come back
// to the page.
func Parts(t *testing.T, start Start) {
	Each(t, func(t *testing.T, tab *Tab) {
		t.Run("frame", func(t *testing.T) {
			tab.in(t).frame(start(t, application{}.handler))
		})
		t.Run("script", func(t *testing.T) {
			tab.in(t).script(start(t, application{}.handler))
		})
		for _, version := range htmxVersions {
			t.Run("htmx "+version, func(t *testing.T) {
				app := application{htmx: htmx(t, version)}
				tab.in(t).fetchesParts(start(t, app.handler))
			})
		}
	})
}

// framed is the document in a page's frame.
const framed = `document.querySelector("iframe").contentDocument`

func (b *Tab) frame(s Site) {
	b.t.Helper()
	b.Open(s.URL + "/private/app/")
	b.logIn()
	b.seesPrivate(s)
	b.Open(s.URL + "/around")
	b.Until(framed + `.querySelector("[data-page=private]") ? "there" : ""`)

	s.Expire()
	b.Open(s.URL + "/around")
	b.Until(framed + `.querySelector("[data-page=login-framed] a") ? "there" : ""`)
	b.Leave(func() { b.Value("(" + framed + `.querySelector("a").click(), "")`) })
	b.logIn()
	b.See("[data-page=around]")
	b.Until(framed + `.querySelector("[data-page=private]") ? "there" : ""`)
}

func (b *Tab) script(s Site) {
	b.t.Helper()
	b.Open(s.URL + "/open")
	for _, how := range []string{`"X-Requested-With": "XMLHttpRequest"`, `Accept: "text/html"`, `Accept: "text/html", "Upgrade-Insecure-Requests": "1"`} {
		assert.Equal(b.t, "401 false", b.Value(`fetch("/private/app/", {headers: {`+how+`}}).then(a => a.status + " " + a.redirected)`))
	}
	assert.Equal(b.t, "401 false", b.Value(`fetch("/private/app/", {mode: "same-origin", headers: {Accept: "text/html"}}).then(a => a.status + " " + a.redirected)`))
	assert.Contains(b.t, b.Value(`fetch("/private/app/", {mode: "navigate"}).catch(e => "" + e)`), "TypeError")
}

func (b *Tab) fetchesParts(s Site) {
	b.t.Helper()
	b.Open(s.URL + "/around")
	b.Leave(func() { b.Click("#part") })
	b.logIn()
	b.See("[data-page=around]")
	b.Click("#part")
	b.See("#here #user")

	s.Expire()
	b.Leave(func() { b.Click("#boosted") })
	b.logIn()
	b.seesPrivate(s)
	assert.Equal(b.t, s.URL+"/private/app/boosted", b.Value("location.href"))
}
