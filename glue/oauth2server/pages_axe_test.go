package oauth2server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// unbroken is a name without a place to break it.
const unbroken = "a-name-of-sixty-characters-that-nobody-can-break-anywhere-xx"

// TestPages_axe looks at each page in each of its states.
func TestPages_axe(t *testing.T) {
	var pages axetest.Pages
	seen := func(edit ...func(*Config)) *party {
		p := newWorld(t, dbtest.SQLite(t), edit...).party(t)
		p.browser.Transport = pages.Transport(p.browser.Transport)
		return p
	}
	tokenPages(t, seen(withBasic))
	appPages(seen())
	authorisedPages(t, seen())
	consentPages(seen())
	fullPages(t, seen(func(c *Config) { c.MaxPersonal, c.MaxClients = store.PageSize+1, store.PageSize+1 }))
	p := seen(func(c *Config) { c.MayRegister = func(*http.Request, glue.Identity) bool { return false } })
	p.settings("/applications")
	c, _, err := p.store.CreateClient(t.Context(), store.Client{Owner: p.person, Name: unbroken, Confidential: true})
	require.NoError(t, err)
	p.settings("/applications/" + c.ID)
	pages.Check(t)
	pages.Complete(t, ".")
}

func tokenPages(t *testing.T, p *party) {
	p.settings("/tokens")
	send := func(fields ...string) { p.fill(p.settings("/tokens/new"), "/tokens/new", fields...) }
	send("life", "x")
	send("name", unbroken, "scope", "records:read", "scope", "profile", "life", "30")
	send("name", "without an end", "scope", "profile", "life", "never")
	_, used, err := p.store.CreatePersonal(t.Context(), store.Token{Principal: p.person, Name: "used", Scopes: []string{"records:read", "gone"}})
	require.NoError(t, err)
	p.api("/api/read", used)
	p.settings("/tokens")
	p.settings("/x")
	p.settings("/tokens?done=revoked")
}

func appPages(p *party) {
	p.settings("/applications")
	send := func(fields ...string) { p.fill(p.settings("/applications/new"), "/applications/new", fields...) }
	send("website", "x", "description", "a\u200bb", "redirects", "x")
	send("name", unbroken, "description", strings.Repeat("x", 500), "kind", "confidential",
		"website", "https://app.example/"+unbroken, "redirects", "https://app.example/"+unbroken)
	at := "/applications/" + p.ownApp().ID
	p.settings("/applications")
	p.settings(at)
	p.fake.SetNow(testNow.Add(time.Hour))
	p.fill(p.settings(at+"/edit"), at+"/edit", "name", unbroken, "redirects", "")
	p.fill(p.settings(at+"/secret"), at+"/secret")
	send("name", "Phone", "kind", "public", "redirects", "com.example.app:/cb")
	p.fill(p.settings(at), at+"/delete")
}

func authorisedPages(t *testing.T, p *party) {
	p.settings("/authorised")
	c, _, err := p.store.CreateClient(t.Context(), store.Client{Owner: "owner", Name: unbroken, Website: "https://app.example/" + unbroken, RedirectURIs: []string{"https://app.example/cb"}})
	require.NoError(t, err)
	p.authorised(t, c, p.person, "records:read", "profile")
	p.authorised(t, p.client(t, "owner"), p.person, "gone")
	p.fake.SetNow(testNow.Add(time.Hour))
	p.authorised(t, c, p.person, "records:read", "records:write", "profile")
	p.settings("/authorised")
	p.settings("/authorised?done=revoked")
}

func consentPages(p *party) {
	c, _, err := p.store.CreateClient(p.t.Context(), store.Client{Owner: unbroken, Name: unbroken, Website: "https://app.example/" + unbroken, RedirectURIs: []string{appRedirect}})
	require.NoError(p.t, err)
	own := app{id: c.ID, redirect: appRedirect}
	p.press(p.visit(p.ask(own, set("scope", "records:read"))), "allow")
	p.visit(p.ask(own, set("scope", "records:read profile")))
	p.visit(p.ask(own, set("scope", "records:read"), set("prompt", "consent")))
	p.visit(p.ask(p.app, set("scope")))
	p.visit(p.ask(p.register(p.t, false, "http://127.0.0.1/cb")))
	p.visit(p.ask(p.app, func(q url.Values) { q.Set("client_id", "x") }))
	p.deactivate(p.person)
	p.visit(p.ask(p.app))
}

// fullPages are lists of several pages, with as many things as there may be.
func fullPages(t *testing.T, p *party) {
	for range store.PageSize + 1 {
		_, _, err := p.store.CreatePersonal(t.Context(), store.Token{Principal: p.person, Name: unbroken, Scopes: []string{"profile"}})
		require.NoError(t, err)
		p.authorised(t, p.client(t, p.person), p.person, "profile")
	}
	for _, list := range []string{"/tokens", "/applications", "/authorised"} {
		p.next(p.settings(list))
	}
}
