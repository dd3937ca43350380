package main

import (
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
)

// TestPages_axe looks at the pages of both sites, and of the login service between them.
func TestPages_axe(t *testing.T) {
	var pages axetest.Pages
	p := start(t)
	one := p.person("test0001")
	one.Transport = pages.Transport(one.Transport)
	p.get(one, p.site)
	p.get(one, p.service)
	p.get(one, p.service+"/nowhere")
	trusting := start(t, "-ask=false")
	other := trusting.person("test0001")
	other.Transport = pages.Transport(other.Transport)
	trusting.get(other, trusting.site)
	trusting.get(other, trusting.old)
	trusting.get(other, trusting.old+"?WLS-Response=1!200")
	pages.Check(t)
}
