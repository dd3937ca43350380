package oidctest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// exampleProvider is a provider on no listener, which examples ask by Respond.
func exampleProvider() *oidctest.Provider {
	p, err := oidctest.NewProvider(oidctest.Config{BaseURL: "http://127.0.0.1:8081"})
	if err != nil {
		log.Fatal(err)
	}
	return p
}

// exampleURL is where a site sends a browser.
func exampleURL(p *oidctest.Provider) string {
	return p.Issuer() + "/authorize?" + url.Values{
		"client_id": {oidctest.ClientID}, "redirect_uri": {"http://localhost:8080/login"}, "response_type": {"code"}, "scope": {"openid"},
		"state": {"s"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
}

// answer is what comes back to the site.
func answer(returnURL string, err error) url.Values {
	if err != nil {
		log.Fatal(err)
	}
	u, err := url.Parse(returnURL)
	if err != nil {
		log.Fatal(err)
	}
	return u.Query()
}

// A demo serves the provider itself, and prints where it is.
func ExampleNewProvider() {
	server := httptest.NewUnstartedServer(nil)
	p, err := oidctest.NewProvider(oidctest.Config{
		BaseURL: "http://" + server.Listener.Addr().String(),
		Users:   []oidctest.User{{ID: "spqr1", Groups: []string{"staff"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	server.Config.Handler = p
	server.Start()
	defer server.Close()
	defer p.Close()

	resp, err := http.Get(p.Issuer() + "/.well-known/openid-configuration")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

func ExampleProvider_Respond() {
	p := exampleProvider()
	q := answer(p.Respond(exampleURL(p), "test0001"))
	fmt.Println(q.Has("code"), q.Get("state"), q.Get("iss"))
	q = answer(p.Respond(exampleURL(p), "", oidctest.Cancels))
	fmt.Println(q.Get("error"))
	// Output:
	// true s http://127.0.0.1:8081
	// access_denied
}

func ExampleProvider_Next() {
	p := exampleProvider()
	p.Next(oidctest.Outcome{Error: "temporarily_unavailable"}, oidctest.Outcome{Fault: oidctest.FaultStateMissing})
	fmt.Println(answer(p.Respond(exampleURL(p), "test0001")).Get("error"))
	fmt.Println(answer(p.Respond(exampleURL(p), "test0001")).Has("state"))
	fmt.Println(answer(p.Respond(exampleURL(p), "test0001")).Has("state"))
	// Output:
	// temporarily_unavailable
	// false
	// true
}

func ExampleProvider_Always() {
	p := exampleProvider()
	p.Always(oidctest.Outcome{Error: "server_error"})
	p.ForUser("test0002", oidctest.Outcome{})
	fmt.Println(answer(p.Respond(exampleURL(p), "test0001")).Get("error"))
	fmt.Println(answer(p.Respond(exampleURL(p), "test0002")).Has("code"))
	// Output:
	// server_error
	// true
}

func ExampleProvider_Requests() {
	p := exampleProvider()
	answer(p.Respond(exampleURL(p), "test0001"))
	for _, e := range p.Requests(oidctest.EndpointAuthorize) {
		fmt.Println(e.User, e.Reply, e.Params.Get("client_id"))
	}
	// Output: test0001 return site
}

func ExampleProvider_SetNow() {
	p := exampleProvider()
	p.SetNow(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	p.Advance(time.Hour)
	fmt.Println(p.Now())
	// Output: 2026-01-02 13:00:00 +0000 UTC
}

func ExampleProvider_RotateKey() {
	p := exampleProvider()
	fmt.Println(p.RotateKey(true), p.RotateKey(false))
	// Output: key-2 key-3
}

// A site that is registered for it hears of a logout elsewhere.
func ExampleProvider_LogOut() {
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("a logout token came:", r.PostFormValue("logout_token") != "")
	}))
	defer site.Close()
	p := exampleProvider()
	app := oidctest.DefaultApp()
	app.BackChannelLogoutURI = site.URL
	p.SetApp(app)
	answer(p.Respond(exampleURL(p), "test0001"))
	fmt.Println(p.LogOut(context.Background(), "test0001"))
	// Output:
	// a logout token came: true
	// <nil>
}

func ExampleFaults() {
	fmt.Println(len(oidctest.Faults()) > 100, oidctest.FaultAlgNone, oidctest.FaultKeysHuge)
	// Output: true alg-none keys-huge
}
