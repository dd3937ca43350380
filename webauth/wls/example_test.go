package wls_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// A service answers a request for somebody who has just typed a password.
func Example() {
	req, err := wls.ParseRequest("ver=3&url=https%3A%2F%2Fsoc.example%2Fprivate&params=token")
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := wls.Response{
		Ver: req.Ver, Status: wls.StatusSuccess,
		Issue: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), ID: "1767323045-00001-01", // in life time.Now() and wls.NewID()
		URL: req.URL, Principal: "test0001", Ptags: []string{"current"}, Auth: "pwd", Params: req.Params,
	}.Sign(testkeys.RSA2048(), "501")
	if err != nil {
		fmt.Println(err)
		return
	}
	target, err := wls.ReturnURL(req.URL, req.Ver, value)
	fmt.Println(value[:strings.LastIndex(value, "!")], err)
	fmt.Println(target[:46])
	// Output:
	// 3!200!!20260102T030405Z!1767323045-00001-01!https://soc.example/private!test0001!current!pwd!!!token!501 <nil>
	// https://soc.example/private?WLS-Response=3%212
}

func ExampleParseRequest() {
	req, err := wls.ParseRequest("ver=4&url=https%3A%2F%2Fsoc.example%2F")
	var refused *wls.RequestError
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Msg)
		fmt.Println("answer to", req.URL)
	}
	// Output:
	// 520 unsupported protocol version
	// answer to https://soc.example/
}

func ExampleRequest_Encode() {
	r := wls.Request{Ver: 3, URL: "https://soc.example/private", Desc: "The Society", IAct: "yes"}
	fmt.Println(r.Encode())
	// Output: ver=3&url=https%3A%2F%2Fsoc.example%2Fprivate&desc=The%20Society&iact=yes
}

func ExampleResponse_Unsigned() {
	value, err := wls.Response{
		Ver: 1, Status: wls.StatusCancelled, Msg: "cancelled", Issue: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		ID: "1", URL: "https://soc.example/",
	}.Unsigned()
	fmt.Println(value, err)
	// Output: 1!410!cancelled!20260102T030405Z!1!https://soc.example/!!!!!!! <nil>
}

func ExampleReturnURL() {
	target, err := wls.ReturnURL("https://soc.example/page?n=1", 3, "3!410!...")
	fmt.Println(target, err)
	target, err = wls.ReturnURL("https://soc.example/page?n=1", 1, "1!410!a b", wls.PlusSpaces)
	fmt.Println(target, err)
	// Output:
	// https://soc.example/page?n=1&WLS-Response=3%21410%21... <nil>
	// https://soc.example/page?WLS-Response=1%21410%21a+b <nil>
}

// Fields build what Response refuses to: here a success that names nobody.
func ExampleFields() {
	f := wls.Response{Ver: 3, Status: wls.StatusSuccess, Issue: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), ID: "1", URL: "https://soc.example/"}.Fields()
	fmt.Println(len(f), f.Unsigned())
	// Output: 12 3!200!!20260102T030405Z!1!https://soc.example/!!!!!!!!
}
