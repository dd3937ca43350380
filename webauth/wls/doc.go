// Package wls is the login service's half of Ucam-WebAuth: it parses the requests
// that web sites send and builds and signs the responses they get.
//
// Sites do not need it: package webauth is their half. It is for tests, for the fake
// service of package webauthtest, and for authors of web login services.
//
//	req, err := wls.ParseRequest(r.URL.RawQuery)
//	// err, where not nil, is a *wls.RequestError with the status to answer
//	// ... find out who it is ...
//	value, err := wls.Response{
//		Ver: req.Ver, Status: wls.StatusSuccess, Issue: time.Now(), ID: wls.NewID(),
//		URL: req.URL, Principal: "test0001", Ptags: []string{"current"}, Auth: "pwd",
//		Params: req.Params,
//	}.Sign(key, "501")
//	target, err := wls.ReturnURL(req.URL, req.Ver, value)
//	// 303 to target
//
// What it builds follows the protocol, versions 1 to 3, and a request that does not is refused.
// [Fields] avoids that, for tests that need a response no service should send. What a service
// must do itself: authenticate people, honour iact, aauth and fail, and show who is asking.
//
// The protocol is "The Cambridge Web Authentication System: WAA->WLS communication
// protocol", version 3.0 of June 2013, cited as WAA2WLS. The package follows the
// module's stability promise.
package wls
