package main

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
)

// TestPages_axe looks at each page of the quickstart, as nobody, as somebody, and as somebody
// who has done much.
func TestPages_axe(t *testing.T) {
	var pages axetest.Pages
	mini := miniredis.RunT(t)
	mini.SetTime(testNow)
	p := start(t, "-redis", "redis://"+mini.Addr())
	p.Advance(5 * time.Second) // a memory vouches only for what is younger
	seen := func(user string) *person {
		one := p.person(user)
		one.client.Transport = pages.Transport(one.client.Transport)
		return one
	}
	nobody, one, other := seen(""), seen("test0001"), p.person("test0001")
	for _, path := range []string{"/", "/optional", "/nowhere", "/logout", "/login?next=//evil.example", "/sessions"} {
		nobody.get(path)
	}
	other.get("/private")
	other.get("/admin")
	for _, path := range []string{"/", "/private", "/admin", "/form", "/sessions", "/optional", "/logout"} {
		one.get(path)
	}
	unbroken := strings.Repeat("unbroken", 30)
	one.post("/form", "note", unbroken, "xsrf-token", "x")
	one.post("/form", "note", unbroken, "xsrf-token", demotest.FirstMatch(t, `name="xsrf-token" value="([^"]+)"`, one.get("/form").Body))
	one.post("/logout")
	one.get("/private") // by single sign-on
	p.Advance(24 * time.Hour)
	one.post("/form", "note", "kept")
	seen("test0002").get("/admin")
	seen("test0010").get("/private")
	pages.Check(t)
	pages.Complete(t, ".")
}
