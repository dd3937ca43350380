package gateway

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// What is a part of a page is told where a person can log in. What is Office is never told
// yes, which is what 200 means to a front server.
func TestForwardAuthAnswersWhatIsNoPage(t *testing.T) {
	w := askingWorld(t, loopback)
	from := header("Referer", w.url+"/optional/around")
	login := w.url + serve.LoginPath + "?next="
	worker := func(mode string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Mode", mode)
			r.Header.Set("Sec-Fetch-Dest", "empty")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Upgrade-Insecure-Requests", "1")
		}
	}
	for _, row := range []struct {
		name        string
		method      string
		edit        func(*http.Request)
		plain       int    // of /.wls/auth
		orLogin     int    // of /.wls/auth-or-login
		leads, says string // of the latter: HX-Redirect or Location, and the body
	}{
		{name: "a service worker", method: "GET", edit: worker("navigate"), plain: 401, orLogin: 303, leads: login + "%2Fprivate%2Fa"},
		{name: "a service worker of Firefox", method: "GET", edit: worker("same-origin"), plain: 401, orLogin: 303, leads: login + "%2Fprivate%2Fa"},
		{name: "htmx", method: "GET", edit: func(r *http.Request) {
			worker("cors")(r)
			r.Header.Set("HX-Request", "true")
			r.Header.Set("HX-Current-URL", w.url+"/optional/around#x")
		}, plain: 401, orLogin: 401, leads: login + url.QueryEscape("/optional/around"), says: "Log in first"},
		{name: "htmx of another origin", method: "POST", edit: func(r *http.Request) {
			worker("cors")(r)
			r.Header.Set("HX-Request", "true")
			r.Header.Set("HX-Current-URL", "https://evil.example/")
		}, plain: 401, orLogin: 401, leads: login + "%2F", says: "Log in first"},
		{name: "a frame", method: "GET", edit: func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "iframe")
			from(r)
		}, plain: 401, orLogin: 401, says: login + url.QueryEscape("/optional/around") + `" target="_top"`},
		{name: "Office", method: "GET", edit: office, plain: 401, orLogin: 401, says: "Log in first"},
		{name: "Office that asks for the header", method: "HEAD", edit: office, plain: 401, orLogin: 401},
		{name: "Office that asks what may be done", method: "OPTIONS", edit: office, plain: 401, orLogin: 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := w.visitor("")
			v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			plain := v.get(authPath, about(row.method, "/private/a"), row.edit)
			assert.Equal(t, row.plain, plain.StatusCode)
			answer := v.get(orLoginPath, about(row.method, "/private/a"), row.edit)
			assert.Equal(t, row.orLogin, answer.StatusCode, answer.body)
			leads := answer.Header.Get("HX-Redirect")
			if row.orLogin == http.StatusSeeOther {
				leads = answer.Header.Get("Location")
			}
			assert.Equal(t, row.leads, leads)
			assert.Contains(t, answer.body, row.says)
			assert.Empty(t, answer.Cookies())
		})
	}
	assert.Empty(t, w.fake.Requests())
}

// Behind the gateway Office gets a page at each address that wants a login, the login itself
// included, where a front server that says no may lead it.
func TestOfficeLooksAtALink(t *testing.T) {
	w := newWorld(t, kit{})
	for _, method := range []string{"OPTIONS", "HEAD", "GET"} {
		for _, path := range []string{"/private/a?b=1", serve.LoginPath + "?next=/private/"} {
			answer := w.visitor("test0001").do(method, path, nil, office)
			assert.Equal(t, http.StatusOK, answer.StatusCode, method+" "+path)
			assert.Equal(t, w.url+path, answer.Request.URL.String(), "it is led nowhere")
			assert.Empty(t, answer.Cookies())
			if method != "HEAD" {
				assert.Contains(t, answer.body, `data-page="office"`)
			}
		}
		answer := w.visitor("").do(method, "/basic/", nil, office)
		assert.Contains(t, answer.Header.Get("WWW-Authenticate"), "Basic ", "Office asks for a password itself")
	}
	assert.Empty(t, w.backend.take(), "whoever says that he is Office")
	assert.Empty(t, w.fake.Requests())
}

func office(r *http.Request) {
	r.Header["Sec-Fetch-Mode"] = nil
	r.Header.Set("User-Agent", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)")
}
