package site

import (
	"errors"
	"net/http"
)

// Route changes the security headers of some routes. It is made by [Site.With].
type Route struct {
	site    *Site
	headers headerSet
	err     error // every request is refused
}

// With returns a Route, which sets other headers for some routes of the site:
//
//	widget := s.With(func(h *site.Headers) { h.FrameAncestors = "https://www.soc.example" })
//	mux.Handle("/widget/", widget.Handler(app))
//	http.ListenAndServe(addr, s.Handler(mux))
//
// edit gets the site's headers with their defaults filled in. Headers that contradict
// themselves are reported by Err, logged, and the routes answer 500.
func (s *Site) With(edit func(h *Headers)) *Route {
	h := s.cfg.Headers
	edit(&h)
	rt := &Route{site: s}
	var found Findings
	rt.headers = h.withDefaults().compile("Headers", s.origin, &found)
	if rt.err = found.Err("site: With: "); rt.err != nil {
		s.cfg.Logger.Error("site headers of a route are wrong: it answers nobody", "error", rt.err)
	}
	return rt
}

// Err reports what is wrong with the headers that With made; nil if nothing is.
func (rt *Route) Err() error { return rt.err }

// Handler returns a handler that sets the route's headers in place of the site's before next
// runs. It works inside of [Site.Handler] only; elsewhere it answers 500.
func (rt *Route) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st := stateOf(r.Context())
		if rt.err != nil || st == nil {
			err := rt.err
			if err == nil {
				err = errors.New("site: Route.Handler is not inside of Site.Handler")
			}
			rt.site.cfg.Logger.ErrorContext(r.Context(), "site route cannot answer", "error", err)
			http.Error(w, "This page is out of order. Please tell the site's webmaster.", http.StatusInternalServerError)
			return
		}
		rt.site.headers.remove(w.Header())
		rt.headers.apply(w.Header(), st)
		next.ServeHTTP(w, r)
	})
}
