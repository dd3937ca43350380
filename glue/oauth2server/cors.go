package oauth2server

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/redirecturi"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Scripts on pages of other origins may call what they need no cookie for (the CORS protocol
// of the Fetch standard): the pages of a public application may, from the origins of its
// redirect URIs. No answer ever has Access-Control-Allow-Credentials, so that nothing
// which a browser sends by itself, a session above all, shows them anything.

// CORS lets the pages of public applications call the API from other origins, with a token
// in the Authorization header. It answers preflight requests, and lets the pages read what
// next answers, for the origins of the redirect URIs of all public applications; cookies
// count for nothing there. Mount it around [Server.RequireAPI] and its relatives, for all
// methods:
//
//	mux.Handle("/api/", server.CORS(api))
//
// What [Server.AllowAnonymous] shows to everybody can be read by those pages as well, in
// the browser of somebody who reaches the site where the page's author does not.
func (s *Server) CORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) {
			s.preflight(w, r, "GET, HEAD, POST, PUT, PATCH, DELETE")
			return
		}
		w.Header().Add("Vary", "Origin")
		if origin := pageOrigin(r); origin != "" {
			found, err := s.store.HasOrigin(r.Context(), origin)
			if err != nil && r.Context().Err() == nil { // or the page has gone, which is nobody's fault
				s.event(r, event{Name: EventStoreError, Reason: "origin", Err: err}) // and goes on: the page sees nothing
			}
			if found {
				allowOrigin(w.Header(), origin)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// maxOrigin is the longest origin, in bytes: a name of 253 with a scheme and a port.
const maxOrigin = 300

// pageOrigin returns the origin of the page whose script sent a request; empty if it was
// none, or one without an origin of its own ("null").
func pageOrigin(r *http.Request) string {
	values := r.Header["Origin"]
	if len(values) != 1 || len(values[0]) > maxOrigin {
		return ""
	}
	if origin, err := webauth.Origin(values[0]); err != nil || origin != values[0] {
		return ""
	}
	return values[0]
}

// isPreflight reports whether a browser asks what a page may send.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight answers a preflight request, for the origins of all public applications: which
// of them it is about, a browser does not say. It gives nothing away by that, because the
// request that follows is judged by itself.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request, methods string) {
	noStore(w)
	w.Header().Add("Vary", "Origin")
	origin := pageOrigin(r)
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	switch found, err := s.store.HasOrigin(ctx, origin); {
	case err != nil:
		if r.Context().Err() == nil { // or the page has gone, which is nobody's fault
			s.event(r, event{Name: EventStoreError, Reason: "origin", Err: err})
		}
		w.Header().Set("Retry-After", "5")
		errUnavailable.write(w)
	case !found:
		s.event(r, event{Name: EventRefused, Reason: errOrigin.reason, Err: originError(r, "no public application has a redirect URI on its origin")})
		errOrigin.write(w)
	default:
		allowPreflight(w, origin, methods)
	}
}

// allowPreflight says yes to a preflight request. Browsers keep that for ten minutes.
func allowPreflight(w http.ResponseWriter, origin, methods string) {
	h := w.Header()
	allowOrigin(h, origin)
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, *") // "*" does not stand for the first, and in old browsers for nothing
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// allowOrigin lets the scripts of an origin's pages read an answer, with its headers.
func allowOrigin(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "*")
}

// originError tells operators which page was refused, and why.
func originError(r *http.Request, why string) error {
	const most = 100 // bytes of what a client writes, in a log
	origin := r.Header.Get("Origin")
	return fmt.Errorf("a page of %q called: %s", origin[:min(len(origin), most)], why)
}

// judgePage returns an error if a call is that of a page of another origin, unless it is of
// the client's own pages, which get to read the answer. failed is why its client is not
// known. [xsrf.Guard.Protect] leaves this to the endpoints where they are for pages.
func (c *call) judgePage(h http.Header, failed *protocolError) *protocolError {
	origin, why := pageOrigin(c.r), "none of the application's redirect URIs is on its origin"
	switch {
	case c.cfg.Guard.VerifyOrigin(c.r) == nil:
		return failed
	case failed != nil:
		why = failed.Error()
	case !c.pages:
		why = "this is for servers, and for no pages"
	case c.client.Confidential:
		why = "the application is confidential, and a page cannot keep its secret: register one that runs in browsers as public"
	case origin != "" && slices.Contains(redirecturi.Origins(c.client.RedirectURIs), redirecturi.Origin(origin)):
		allowOrigin(h, origin)
		return nil
	}
	c.event(c.r, event{Name: EventRefused, Reason: errOrigin.reason, ClientID: c.client.ID, Err: originError(c.r, why)})
	return errOrigin
}
