package main

import (
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
)

// TestPages_axe looks at the pages of the backend, and at those of the gateway before it.
func TestPages_axe(t *testing.T) {
	var pages axetest.Pages
	p := start(t)
	one, other := p.person("test0001"), p.person("test0002")
	one.Transport, other.Transport = pages.Transport(one.Transport), pages.Transport(other.Transport)
	for _, path := range []string{"/", "/public", "/private?a=b", "/", "/nowhere", "/private/admin", "/.wls/logout"} {
		p.get(one, path)
	}
	p.get(other, "/private/admin")
	p.get(other, "/.wls/nowhere")
	pages.Check(t)
	pages.Complete(t, ".")
}
