package wlsbridge_test

import (
	"strings"
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// TestPages_axe looks at the page that asks, and at what people meet on the way there and back.
func TestPages_axe(t *testing.T) {
	unbroken := strings.Repeat("unbroken", 7)
	w := start(t, setup{site: func(c *site.Config) { c.SiteName = unbroken }, config: func(c *wlsbridge.Config) {
		c.Confirm = wlsbridge.ConfirmEachSite
		c.Sites[0].Name = "The Society " + unbroken
		c.Sites[1].Ptags = []string{"current", unbroken}
		c.Sites[1].URLPrefix = "https://" + unbroken + ".example:8443/" + unbroken + "/"
		c.Sites = append(c.Sites, wlsbridge.Site{URLPrefix: "http://old.example", InsecureHTTP: true})
	}})
	var pages axetest.Pages
	w.fake.AddUser(webauthtest.User{ID: "test0099", Password: "test", Ptags: []string{"current", unbroken}})
	p := w.person("test0099")
	p.client.Transport = pages.Transport(p.client.Transport)
	p.visit(asks())
	p.visit(asks(func(r *wls.Request) { r.Desc, r.Msg = "A society of "+unbroken, strings.Repeat("m", 300) }))
	p.visit(asks(func(r *wls.Request) { r.URL = "https://" + unbroken + ".example:8443/" + unbroken + "/" }))
	p.visit(asks(func(r *wls.Request) { r.URL = "http://old.example/" }))
	p.visit(asks(func(r *wls.Request) { r.URL = "https://evil.example/" }))
	p.visit(asks(func(r *wls.Request) { r.Ver = 9 }))
	p.visit(asks(func(r *wls.Request) { r.Fail, r.AAuth = true, []string{"x"} }))
	p.press(p.visit(asks(func(r *wls.Request) { r.Fail = true })), "cancel")
	p.open(w.url + "/auth/authenticate.html")
	p.open(w.url + "/auth/logout.html")
	pages.Check(t)
	pages.Complete(t, ".")
}
