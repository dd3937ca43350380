package webauthtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// exampleT stands for the *testing.T that an Example does not have; use yours.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func (*exampleT) Helper()            {}
func (t *exampleT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) finish() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

// greeter is the smallest site: it asks the fake who somebody is, every time.
func greeter(service webauth.Service, baseURL string) http.Handler {
	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service: service, InsecureNoToken: true, InsecureNoReplayCheck: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		value, found, err := webauth.ResponseFrom(r.URL.RawQuery)
		if !found {
			target, err := service.LoginURL(webauth.Request{URL: baseURL + r.URL.Path})
			if err != nil {
				log.Fatal(err)
			}
			http.Redirect(rw, r, target, http.StatusSeeOther)
			return
		}
		var response *webauth.Response
		if err == nil {
			response, err = verifier.Verify(r.Context(), value, webauth.Expect{URL: baseURL + r.URL.Path})
		}
		var refused *webauth.Error
		if errors.As(err, &refused) {
			http.Error(rw, "Not logged in: "+string(refused.Reason), http.StatusForbidden)
			return
		}
		fmt.Fprintf(rw, "Hello %s!\n", response.Principal())
	})
}

func printBody(resp *http.Response, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Print(string(text))
}

// A site is tested as a person uses it.
func Example() {
	t := new(exampleT) // in a test, its own t
	defer t.finish()

	fake := webauthtest.New(t)
	site := webauthtest.Site(t, func(baseURL string) http.Handler {
		return greeter(fake.Service(), baseURL)
	})

	printBody(fake.Client("test0001").Get(site.URL + "/private/"))

	fake.Next(webauthtest.Outcome{Fault: webauthtest.FaultStale})
	printBody(fake.Client("test0002").Get(site.URL + "/private/"))
	// Output:
	// Hello test0001!
	// Not logged in: stale
}

// A demo serves the fake itself.
func ExampleNewWLS() {
	fake, err := webauthtest.NewWLS(webauthtest.Config{
		BaseURL: "http://127.0.0.1:8081",
		Users:   []webauthtest.User{{ID: "spqr1", Password: "test", Ptags: []string{"current"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	recorder := httptest.NewRecorder() // in life: http.ListenAndServe("127.0.0.1:8081", fake)
	fake.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, fake.Service().LogoutURL, nil))
	fmt.Println(recorder.Code)
	fmt.Println(fake.Service().AuthURL)
	// Output:
	// 200
	// http://127.0.0.1:8081/auth/authenticate.html
}

// Respond gets a response without a browser, for a test of the verification alone.
func ExampleWLS_Respond() {
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://127.0.0.1:8081"})
	if err != nil {
		log.Fatal(err)
	}
	fake.SetNow(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	ask, err := fake.Service().LoginURL(webauth.Request{URL: "http://localhost:8080/private/"})
	if err != nil {
		log.Fatal(err)
	}
	back, err := fake.Respond(ask, "test0001", webauthtest.SignedOn)
	if err != nil {
		log.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		log.Fatal(err)
	}
	value, _, err := webauth.ResponseFrom(u.RawQuery)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service: fake.Service(), Now: fake.Now, InsecureNoToken: true, InsecureNoReplayCheck: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	response, err := verifier.Verify(context.Background(), value, webauth.Expect{URL: "http://localhost:8080/private/"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Principal(), response.Ptags(), response.SSO())
	// Output: test0001 [current] [pwd]
}

// Outcomes are queued for the next logins.
func ExampleWLS_Next() {
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://127.0.0.1:8081"})
	if err != nil {
		log.Fatal(err)
	}
	fake.Next(
		webauthtest.Outcome{Status: wls.StatusCancelled, Quirks: []webauthtest.Quirk{webauthtest.QuirkV1Cancel}},
		webauthtest.Outcome{Fault: webauthtest.FaultBadSignature},
		webauthtest.Outcome{Edit: func(r *wls.Response) { r.Ptags = []string{"guest"} }},
	)
	ask := fake.Service().AuthURL + "?" + wls.Request{Ver: 3, URL: "http://localhost:8080/?a=b"}.Encode()
	for range 4 {
		if _, err := fake.Respond(ask, "test0001"); err != nil {
			log.Fatal(err)
		}
	}
	for _, e := range fake.Requests() {
		fmt.Println(e.Response.Ver, e.Response.Status, e.Fault, e.Response.Ptags)
	}
	// Output:
	// 1 410  []
	// 3 200 bad-signature [current]
	// 3 200  [guest]
	// 3 200  [current]
}

// A site that must be https, for its cookies say, is served at https://localhost.
func ExampleSiteTLS() {
	t := new(exampleT) // in a test, its own t
	defer t.finish()
	fake := webauthtest.New(t)
	site := webauthtest.SiteTLS(t, func(baseURL string) http.Handler {
		return greeter(fake.Service(), baseURL)
	})
	printBody(fake.Client("test0003").Get(site.URL))
	// Output: Hello test0003!
}

// A test can look at each step of a login.
func ExampleWLS_StopAtLogin() {
	t := new(exampleT) // in a test, its own t
	defer t.finish()
	fake := webauthtest.New(t)
	site := webauthtest.Site(t, func(baseURL string) http.Handler {
		return greeter(fake.Service(), baseURL)
	})
	browser := fake.Client("")
	browser.CheckRedirect = fake.StopAtLogin
	resp, err := browser.Get(site.URL + "/private/")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	back, err := fake.Respond(resp.Header.Get("Location"), "test0004")
	if err != nil {
		log.Fatal(err)
	}
	printBody(browser.Get(back))
	// Output: Hello test0004!
}

// A rotation takes effect in every Service value that was handed out.
func ExampleWLS_RotateKey() {
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://127.0.0.1:8081"})
	if err != nil {
		log.Fatal(err)
	}
	service := fake.Service()
	fmt.Println(fake.RotateKey(true), len(service.Keys.Keys()))
	fmt.Println(fake.RotateKey(false), len(service.Keys.Keys()))
	// Output:
	// 502 2
	// 503 1
}
