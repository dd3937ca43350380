package axetest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// visitor is a browser with cookies, which follows no redirect, whose pages are added.
type visitor struct {
	t      *testing.T
	client http.Client
}

func (p *Pages) visitor(t *testing.T) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t, http.Client{Jar: jar, Transport: p.Transport(http.DefaultTransport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// get opens an address; post sends a form with fields, names and values, to one.
func (v *visitor) get(address string) { v.t.Helper(); v.do(http.MethodGet, address, "same-origin") }

func (v *visitor) post(address string, fields ...string) {
	v.t.Helper()
	v.do(http.MethodPost, address, "same-origin", fields...)
}

func (v *visitor) do(method, address, from string, fields ...string) {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	require.NoError(v.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", from)
	resp, err := v.client.Do(r)
	require.NoError(v.t, err)
	require.NoError(v.t, resp.Body.Close())
}

// All pages of the login services that tests and demos use.
func TestFakes(t *testing.T) {
	var pages Pages
	fakeWLS(t, &pages)
	fakeProvider(t, &pages)
	pages.Check(t)
	pages.Complete(t, root+"/webauth/webauthtest")
	pages.Complete(t, root+"/webauth/webauthtest/fakelogin")
	pages.Complete(t, root+"/glue/oidclogin/oidctest")
}

func fakeWLS(t *testing.T, pages *Pages) {
	fake := webauthtest.New(t)
	login := fake.Service().AuthURL
	front := strings.TrimSuffix(login, "auth/authenticate.html")
	ask := func(edit func(*wls.Request)) string {
		r := wls.Request{Ver: 3, URL: "https://soc.example/", Params: "p"}
		edit(&r)
		return login + "?" + r.Encode()
	}
	plain := ask(func(*wls.Request) {})
	v := pages.visitor(t)
	v.get(front)
	v.get(plain)
	v.get(ask(func(r *wls.Request) { r.Desc, r.Msg, r.IAct = long, "because "+long, "yes" }))
	v.post(plain, "userid", long, "pwd", "wrong")
	v.get(ask(func(r *wls.Request) { r.Fail, r.IAct = true, "no" }))
	v.get(ask(func(r *wls.Request) { r.Fail, r.URL = true, "https://"+long[:60]+".example/" }))
	v.post(ask(func(r *wls.Request) { r.Fail = true }), "cancel", "cancel")
	v.get(login + "?url=x")
	v.do(http.MethodPost, plain, "cross-site")
	v.get(fake.Service().LogoutURL)
	fake.ForUser("test0002", webauthtest.Outcome{Fault: webauthtest.FaultDown})
	pages.visitor(t).post(plain, "userid", "test0002", "pwd", "test")
	for i := range 15 {
		fake.AddUser(webauthtest.User{ID: "u" + strconv.Itoa(i) + long, Password: "x", Disabled: i == 0, Ptags: []string{"a", long}})
	}
	v.post(plain, "userid", "test0001", "pwd", "test")
	v.get(front)
	pages.visitor(t).get(front)
}

func fakeProvider(t *testing.T, pages *Pages) {
	fake := oidctest.New(t)
	fake.AddUser(oidctest.User{ID: "gone", Disabled: true})
	ask := func(name, value string) string {
		q := url.Values{"client_id": {oidctest.ClientID}, "redirect_uri": {"http://localhost:8080/login"}, "response_type": {"code"},
			"scope": {"openid"}, "state": {"s"}, "nonce": {"n"}, "code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("a", 43)}}
		q.Set(name, value)
		return fake.Issuer() + "/authorize?" + q.Encode()
	}
	plain := ask("state", "s")
	v := pages.visitor(t)
	v.get(fake.Issuer() + "/")
	v.get(plain)
	v.post(plain, "userid", long, "pwd", "x")
	v.get(fake.Issuer() + "/authorize")
	v.get(ask("client_id", long))
	v.get(fake.Issuer() + "/logout")
	v.do(http.MethodPost, plain, "cross-site")
	v.post(plain, "userid", "test0001", "pwd", "x")
	v.get(ask("prompt", "login"))
	v.get(fake.Issuer() + "/")
	for i := range 15 {
		fake.AddUser(oidctest.User{ID: "u" + strconv.Itoa(i) + long, Groups: []string{"a", long}})
	}
	fake.AddUser(oidctest.User{ID: "many", Groups: []string{"a", "b", "c", "d", "e", "f"}})
	pages.visitor(t).get(plain)
	v.get(fake.Issuer() + "/")
}
