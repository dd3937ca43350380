// Package xsrf keeps other sites from sending requests in a person's name
// (cross-site request forgery).
//
// The first line of defence is what browsers say of a request's origin (Sec-Fetch-Site, or
// Origin). Mount it around everything:
//
//	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth})
//	http.ListenAndServe(addr, guard.Protect(mux))
//
// The second is a token: for old browsers, which say nothing of it, and for sites with a
// service worker, behind which every request looks like their own. Mount it inside auth.Require
// or auth.Optional, so that it knows the person:
//
//	mux.Handle("/form", auth.Require(guard.Check(guard.Send(form)))) // or router.Use(guard.Check)
//	// in the template: <form method="post">{{.Token}}... with guard.Field(r)
//
// A token is bound to the person, or to a random id of an anonymous visitor, to the
// session, to an action if one is named, and to a time. Every response gets another
// one, so that compressing a page with the token does not leak it (BREACH).
//
// A page that is not a form post and a script of the site's own send the token in the
// header X-XSRF-Token; they find it in that header of an earlier answer or in the
// cookie XSRF-TOKEN. It is never read from a query or a JSON body.
//
// A form that package glue keeps over a login gets the verdict that it would have had
// when it was sent, by the session that it was sent in.
//
// What the site must still do: change nothing on GET, HEAD or OPTIONS.
package xsrf
