package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
)

// TestPages_axe looks at each page of the site, of the library and of the application of a
// third party, in each of its states.
func TestPages_axe(t *testing.T) {
	var pages axetest.Pages
	p, libraryID, librarySecret := startWithLibrary(t)
	seen := func(user string) *person {
		one := p.person(user)
		one.client.Transport = pages.Transport(one.client.Transport)
		return one
	}
	unbroken := strings.Repeat("unbroken", 10)
	nobody, one := seen(""), seen("test0002")
	nobody.get(p.at.site)
	nobody.get(p.at.site + "/nowhere")
	front := one.get(p.at.site + "/login")
	one.post(front, "/", "title", unbroken, "text", unbroken)
	one.post(front, "/", "title", " ", "text", "kept")
	one.post(one.get(p.at.site+"/logout"), "/logout")

	library := one.get(p.at.library)
	one.post(library, "/setup", "client-id", unbroken, "secret", "x")
	one.post(library, "/setup", "client-id", libraryID, "secret", librarySecret)
	alone := httptest.NewServer(newLibrary("http://127.0.0.1:1"))
	t.Cleanup(alone.Close)
	one.post(one.get(alone.URL), "/setup", "client-id", "x", "secret", "x") // nobody answers

	id, secret := p.person(developer).application("confidential")
	app := one.get(p.at.app)
	app = one.post(app, "/setup", "client-id", id, "secret", secret)
	consent := one.post(app, "/connect")
	allow := demotest.Match(`<form method="post" action="([^"]+)"`, consent.Body)
	one.post(consent, allow, "decision", "deny")
	consent = one.post(app, "/connect")
	app = one.post(consent, demotest.Match(`<form method="post" action="([^"]+)"`, consent.Body), "decision", "allow")
	one.post(app, "/add", "title", unbroken)
	one.post(app, "/read")
	one.post(app, "/disconnect")
	one.get(p.at.app + "/callback?code=x&state=&iss=" + p.at.site)
	one.get(p.at.app + "/nowhere")

	one.get(p.at.spa) // its states are looked at where it is used
	pages.Check(t)
	pages.Complete(t, ".")
}
