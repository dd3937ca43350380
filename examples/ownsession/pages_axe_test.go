package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
)

// TestPages_axe looks at each page of the site.
func TestPages_axe(t *testing.T) {
	var pages axetest.Pages
	_, site, fake := startSite(t)
	browser := fake.Client("test0001")
	browser.Transport = pages.Transport(browser.Transport)
	get(t, browser, site+"/")
	get(t, browser, site+"/nowhere")
	get(t, browser, site+"/?WLS-Response=x")
	get(t, browser, site+"/?"+strings.Repeat("x", 10<<10))
	do(t, browser, http.MethodPost, site+"/logout")
	pages.Check(t)
	pages.Complete(t, ".")
}
