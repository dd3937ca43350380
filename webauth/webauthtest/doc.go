// Package webauthtest is a fake web login service (WLS) for tests and demos, in the
// manner of net/http/httptest: a real HTTP server that speaks Ucam-WebAuth, with test
// users, a login page, and every failure and oddity a site must live with.
//
//	fake := webauthtest.New(t)
//	site := webauthtest.Site(t, func(baseURL string) http.Handler {
//		return newMySite(baseURL, fake.Service())
//	})
//	resp, err := fake.Client("test0001").Get(site.URL + "/private/") // logs in on the way
//
// The users are test0001 to test0010, password "test", ptag "current"; test0010 has no
// ptags. [WLS.Next], [WLS.Always] and [WLS.ForUser] script what happens instead of a
// plain login: any status, a [Quirk] of services that are out there, or a [Fault] that
// a site must refuse. [WLS.Respond] returns the URL a browser would come back with, without
// a browser. [WLS.SetNow] and [WLS.Advance] move the clock, [WLS.RotateKey] changes the
// key, [WLS.Requests] lists what was asked and answered.
//
// For demos, and wherever there is no testing.T, [NewWLS] returns the same service as an
// http.Handler.
//
// It is for tests only. By default it signs with a private key that is printed in RFC
// 9500, so that anybody can sign as it; package webauth knows that key and lets only
// sites on loopback addresses trust it.
//
// The package follows the module's stability promise, with one exception: the text and
// markup of the pages may change at any time.
package webauthtest
