package webauth_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// The examples stand still in time.
func exampleNow() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// exampleKeys stands for keys.LoadDir with the key files of your service. These are
// test keys, which only sites on loopback trust.
func exampleKeys() *keys.Set {
	key, err := keys.New("501", &testkeys.RSA2048().PublicKey)
	if err != nil {
		log.Fatal(err)
	}
	set, err := keys.NewSet(key)
	if err != nil {
		log.Fatal(err)
	}
	return set
}

// exampleSite makes a site's signer and verifier. The secret would come from a file.
func exampleSite(svc webauth.Service) (*webauth.RequestSigner, *webauth.Verifier) {
	secret := sha256.Sum256([]byte("for this example only"))
	signer, err := webauth.NewRequestSigner(webauth.SignerConfig{
		Service: svc, Origin: "http://localhost:8080", Keys: [][]byte{secret[:]}, Now: exampleNow,
	})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service: svc, Signer: signer, OneUse: webauth.NewMemoryOneUse(0, exampleNow), Now: exampleNow,
	})
	if err != nil {
		log.Fatal(err)
	}
	return signer, verifier
}

// exampleWLS answers a login URL as the service would, and gives the query with which
// the browser comes back. An empty principal has cancelled.
func exampleWLS(location, principal string) string {
	_, query, _ := strings.Cut(location, "?")
	req, err := wls.ParseRequest(query)
	if err != nil {
		log.Fatal(err)
	}
	r := wls.Response{Ver: req.Ver, Status: wls.StatusSuccess, Issue: exampleNow(), ID: wls.NewID(), URL: req.URL,
		Principal: principal, Ptags: []string{"current"}, Auth: "pwd", Params: req.Params}
	if principal == "" {
		r = wls.Response{Ver: 1, Status: wls.StatusCancelled, Issue: exampleNow(), ID: wls.NewID(), URL: req.URL, Params: req.Params}
	}
	value, err := r.Sign(testkeys.RSA2048(), "501")
	if err != nil {
		log.Fatal(err)
	}
	back, err := wls.ReturnURL(req.URL, r.Ver, value)
	if err != nil {
		log.Fatal(err)
	}
	_, query, _ = strings.Cut(back, "?")
	return query
}

// A whole login, out to the service and back.
func Example() {
	svc := webauth.Nevar(exampleKeys())
	signer, verifier := exampleSite(svc)
	here := "http://localhost:8080/private/?page=2"

	// Out. The secret is the browser's cookie; make one where it brings none.
	secret := webauth.NewBrowserSecret()
	req, err := signer.Sign(secret, webauth.Request{URL: here, Desc: "Pembroke Chess & Go"})
	if err != nil {
		log.Fatal(err)
	}
	location, err := svc.LoginURL(req) // 303 to it
	if err != nil {
		log.Fatal(err)
	}

	// Back: rawQuery is r.URL.RawQuery.
	rawQuery := exampleWLS(location, "spqr1")
	value, found, err := webauth.ResponseFrom(rawQuery)
	if err != nil || !found {
		log.Fatal("no response: ", err)
	}
	want := webauth.Expect{URL: "http://localhost:8080/private/?" + webauth.StripResponse(rawQuery), Secret: secret}
	resp, err := verifier.Verify(context.Background(), value, want)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Principal(), resp.Ptags(), resp.Auth())
	fmt.Println(resp.URL())

	// The same response again, from the history or a log.
	_, err = verifier.Verify(context.Background(), value, want)
	fmt.Println(webauth.ReasonOf(err))
	// Output:
	// spqr1 [current] pwd
	// http://localhost:8080/private/?page=2
	// replay
}

func ExampleRaven() {
	svc := webauth.Raven()
	for _, k := range svc.Keys.Keys() {
		fmt.Println(svc.Name, "kid", k.Kid(), "RSA", k.Bits())
	}
	// Output: raven kid 2 RSA 1024
}

// Anybody can sign as the demo service, so it is for sites on loopback.
func ExampleRavenDemo() {
	_, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service: webauth.RavenDemo(), Origins: []string{"https://soc.example"},
		InsecureNoToken: true, InsecureNoReplayCheck: true,
	})
	fmt.Println(err)
	// Output: webauth: service "raven-demo" trusts a key whose private half is public: good for loopback sites, not for https://soc.example
}

func ExampleNevar() {
	set, err := keys.LoadDir("/etc/soc/nevar-keys")
	if err != nil {
		fmt.Println("ask the SRCF for their key file")
		return
	}
	svc := webauth.Nevar(set)
	fmt.Println(svc.AuthURL)
	// Output: ask the SRCF for their key file
}

func ExampleGoose() {
	svc := webauth.Goose(exampleKeys())
	fmt.Println(svc.AuthURL, !svc.NoPtags)
	// Output: https://auth.srcf.net/wls/authenticate false
}

func ExampleService() {
	svc := webauth.Service{
		Name:    "college",
		AuthURL: "https://login.college.example/authenticate",
		Keys:    exampleKeys(), // keys.LoadDir("/etc/college-keys")
	}
	fmt.Println(svc.Check())
	// Output: <nil>
}

func ExampleService_Check() {
	fmt.Println(webauth.Service{Name: "college", AuthURL: "http://login.college.example/"}.Check())
	// Output:
	// webauth: AuthURL of service "college": must be https (http is for loopback hosts only)
	// webauth: service "college" has no keys: load them with keys.LoadDir or keys.LoadFile
}

func ExampleService_ID() {
	fmt.Println(webauth.Raven().ID())
	// Output: raven https://raven.cam.ac.uk/auth/authenticate.html
}

func ExampleService_HasPublishedKey() {
	fmt.Println(webauth.Raven().HasPublishedKey(), webauth.RavenDemo().HasPublishedKey())
	// Output: false true
}

func ExampleService_LoginURL() {
	location, err := webauth.Raven().LoginURL(webauth.Request{
		URL: "https://soc.example/private", Desc: "Café Society", Date: exampleNow(),
	})
	fmt.Println(location, err)
	// Output: https://raven.cam.ac.uk/auth/authenticate.html?ver=3&url=https%3A%2F%2Fsoc.example%2Fprivate&desc=Caf%26%23233%3B+Society&date=20260301T120000Z <nil>
}

func ExampleOrigin() {
	fmt.Println(webauth.Origin("HTTPS://Soc.Example:443/private?a=b"))
	fmt.Println(webauth.Origin("https://soc.example@evil.example/"))
	// Output:
	// https://soc.example <nil>
	//  must not hold a user name or password
}

func ExampleIsLoopback() {
	fmt.Println(webauth.IsLoopback("http://localhost:8080/"), webauth.IsLoopback("https://localhost.example/"))
	// Output: true false
}

func ExampleCheckStrength() {
	// A route that wants a password typed now, and a session that began by single sign-on.
	fmt.Println(webauth.CheckStrength(webauth.IActYes, nil, "", []string{"pwd"}))
	// The same session where any earlier password will do.
	fmt.Println(webauth.CheckStrength(webauth.IActAsNeeded, nil, "", []string{"pwd"}) == "")
	// Output:
	// interact
	// true
}

func ExampleResponseFrom() {
	value, found, err := webauth.ResponseFrom("page=2&WLS-Response=3%21410%21")
	fmt.Println(value, found, err)
	_, found, err = webauth.ResponseFrom("WLS-Response=a&WLS-Response=b")
	fmt.Println(found, err)
	// Output:
	// 3!410! true <nil>
	// true webauth: response refused (malformed): WLS-Response came more than once
}

func ExampleStripResponse() {
	fmt.Println(webauth.StripResponse("page=%32&WLS-Response=3%21410%21&z="))
	// Output: page=%32&z=
}

// An unverified response tells what is harmless; who it is about, it cannot tell.
func ExampleParseResponse() {
	u, err := webauth.ParseResponse("1!410!User cancelled!20260301T120000Z!1772366400-1!https://soc.example/private!!!!!!!")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(u.Version(), u.Status(), u.Msg(), u.Signed())
	fmt.Println(u.Issue().Format(time.RFC3339), u.ID(), u.URL())
	_, err = webauth.ParseResponse("1!410!User cancelled!today!1!https://soc.example/private!!!!!!!")
	fmt.Println(err)
	// Output:
	// 1 410 User cancelled false
	// 2026-03-01T12:00:00Z 1772366400-1 https://soc.example/private
	// webauth: response refused (malformed): issue is not of the form YYYYMMDDThhmmssZ
}

// Without Signer and OneUse a verifier is good for looking at old responses only.
func ExampleNewVerifier() {
	_, err := webauth.NewVerifier(webauth.VerifierConfig{Service: webauth.Raven()})
	fmt.Println(err)
	// Output: webauth: VerifierConfig.Signer is missing (NewRequestSigner makes one)
}

// A response that the live service signed in 2014, verified at its own time.
func ExampleVerifier_Verify() {
	value := "3!200!!20141110T164620Z!1415637980-22212-8!http://raven.cam.ac.uk/debug.html!pms52!current!!pwd!36480!!2!" +
		"vWv9FKPhVXJw-lxuHJEBBM7j3F30jisxy1FIgJw-LL1Vf6ZNKWSmdAaBaJsKyjMT80UZXhoSDyGP8iE1TDFz71P-r2XjvKl4E8NHfKUUyXpDdI-JS97LVOEwCOivYmuRCI0iePevxxUku11-VlPPTv8qKZnHJG40TPIUKU80VuM_"
	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service:         webauth.Raven(),
		Now:             func() time.Time { return time.Date(2014, 11, 10, 16, 46, 25, 0, time.UTC) },
		InsecureNoToken: true, InsecureNoReplayCheck: true, // nobody is logged in by this
	})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := verifier.Verify(context.Background(), value, webauth.Expect{URL: "http://raven.cam.ac.uk/debug.html"})
	if err != nil {
		log.Fatal(err)
	}
	life, _ := resp.Life()
	fmt.Println(resp.Principal(), resp.Ptags(), resp.SSO(), life)
	fmt.Printf("version %d, kid %s, id %s, %s\n", resp.Version(), resp.Kid(), resp.ID(), resp.Issue().Format(time.RFC3339))

	_, err = verifier.Verify(context.Background(), value, webauth.Expect{URL: "https://soc.example/"})
	fmt.Println(err)
	// Output:
	// pms52 [current] [pwd] 10h8m0s
	// version 3, kid 2, id 1415637980-22212-8, 2014-11-10T16:46:20Z
	// webauth: response refused (url): made for http://raven.cam.ac.uk, this is https://soc.example
}

// What a site does with a refusal.
func ExampleError() {
	svc := webauth.Nevar(exampleKeys())
	signer, verifier := exampleSite(svc)
	here, secret := "http://localhost:8080/private", webauth.NewBrowserSecret()
	req, _ := signer.Sign(secret, webauth.Request{URL: here})
	location, _ := svc.LoginURL(req)
	value, _, _ := webauth.ResponseFrom(exampleWLS(location, "")) // somebody pressed Cancel

	_, err := verifier.Verify(context.Background(), value, webauth.Expect{URL: here, Secret: secret})
	if e, ok := errors.AsType[*webauth.Error](err); ok && e.Reason == webauth.ReasonStatus {
		_, ours := e.Token()
		fmt.Println(e.Status, "signed:", e.Signed, "answers a request of ours:", ours)
		fmt.Println("try again at", e.ReturnURL())
	}
	// Output:
	// 410 signed: true answers a request of ours: true
	// try again at http://localhost:8080/private
}

// Restored tabs: a response comes twice, and the person is logged in by now.
func ExampleError_SamePrincipal() {
	svc := webauth.Nevar(exampleKeys())
	signer, verifier := exampleSite(svc)
	here, secret := "http://localhost:8080/private", webauth.NewBrowserSecret()
	req, _ := signer.Sign(secret, webauth.Request{URL: here})
	location, _ := svc.LoginURL(req)
	value, _, _ := webauth.ResponseFrom(exampleWLS(location, "spqr1"))
	want := webauth.Expect{URL: here, Secret: secret}

	resp, _ := verifier.Verify(context.Background(), value, want)
	session := resp.Principal()

	_, err := verifier.Verify(context.Background(), value, want)
	if e, ok := errors.AsType[*webauth.Error](err); ok && e.SamePrincipal(session) {
		fmt.Println(e.Reason, "303 to", e.ReturnURL())
	}
	// Output: replay 303 to http://localhost:8080/private
}

func ExampleReasonOf() {
	_, err := webauth.ParseResponse("nonsense")
	fmt.Println(webauth.ReasonOf(err) == webauth.ReasonMalformed)
	// Output: true
}

func ExampleNewMemoryOneUse() {
	used := webauth.NewMemoryOneUse(10_000, exampleNow)
	item := webauth.Item{ID: "x", Issued: exampleNow(), Expires: exampleNow().Add(time.Minute)}
	fmt.Println(used.Once(context.Background(), item))
	fmt.Println(used.Once(context.Background(), item) == webauth.ErrUsed)
	// Output:
	// <nil>
	// true
}

func ExampleNewBrowserSecret() {
	secret := webauth.NewBrowserSecret()
	fmt.Println(secret.Valid(), len(string(secret)), secret)
	// Output: true 22 BrowserSecret(hidden)
}

// A session holds the binding and fits one browser only.
func ExampleBrowserSecret_Binding() {
	mine, other := webauth.NewBrowserSecret(), webauth.NewBrowserSecret()
	session := mine.Binding()
	fmt.Println(session == mine.Binding(), session == other.Binding())
	// Output: true false
}

func ExampleBrowserSecret_Valid() {
	fmt.Println(webauth.BrowserSecret("AAAAAAAAAAAAAAAAAAAAAA").Valid(), webauth.BrowserSecret("guess me").Valid())
	// Output: true false
}

// The token comes back under the service's signature, and only the browser that set
// out with it can use it.
func ExampleRequestSigner() {
	signer, _ := exampleSite(webauth.Nevar(exampleKeys()))
	here := "http://localhost:8080/admin"
	mine, other := webauth.NewBrowserSecret(), webauth.NewBrowserSecret()
	req, err := signer.Sign(mine, webauth.Request{URL: here, IAct: webauth.IActYes})
	if err != nil {
		log.Fatal(err)
	}
	token, err := signer.Check(mine, here, req.Params)
	fmt.Println(token.IAct, token.AAuth, err)
	_, err = signer.Check(other, here, req.Params)
	fmt.Println(err)
	// Output:
	// yes [] <nil>
	// the token was not made here for this browser and this url
}
