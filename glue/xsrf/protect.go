package xsrf

import (
	"net/http"
	"slices"
	"strings"
)

// Protect returns a handler that refuses, with a page and a log line, requests that a page of
// another origin sent, as the browser says: another host of the same site included, because all
// hosts of a university are one site to a browser. Everything else goes on to next. Mount it
// around everything.
//
// Paths that are named to [Guard.Exempt] are called by pages of any origin.
//
// A service worker of the site that alters what it passes on (another cache mode, a header
// more) makes browsers say that whatever a person opens comes from the site itself, another
// site's form included, and they may send all cookies with it. Such a site needs Check.
//
// A request with neither Sec-Fetch-Site nor Origin is let through, as by
// [http.CrossOriginProtection]: tools send such requests, and so do old browsers, for which
// there is Check.
func (g *Guard) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch err := g.VerifyOrigin(r); {
		case err == ErrCrossOrigin && g.isExempt(r):
			r = withoutCookies(r)
		case err != nil:
			g.Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// VerifyOrigin makes the check of [Guard.Protect] and returns nil, [ErrCrossOrigin] or
// [ErrUpgrade].
func (g *Guard) VerifyOrigin(r *http.Request) error {
	if g.bearerOnly(r) {
		return nil
	}
	origin := r.Header.Get("Origin")
	ours := slices.Contains(g.cfg.Site.Origins(), origin)
	if isUpgrade(r) {
		// Browsers open WebSockets to anywhere, with cookies, and by GET.
		if !ours || len(r.Header.Values("Origin")) != 1 {
			return ErrUpgrade
		}
		return nil
	}
	if isSafe(r.Method) {
		return nil
	}
	if err := g.cross.Check(r); err != nil {
		return ErrCrossOrigin
	}
	// The library trusts Sec-Fetch-Site alone where there is one, and compares hosts
	// only where there is none. Our origin is known with its scheme.
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return nil
	case "":
		if origin == "" || ours {
			return nil
		}
	}
	return ErrCrossOrigin
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func isUpgrade(r *http.Request) bool {
	// Some tools offer h2c with every request; no server here takes it, and no page can
	// ask for it.
	if to := r.Header.Get("Upgrade"); to != "" && !strings.EqualFold(to, "h2c") {
		return true
	}
	// An extended CONNECT opens a WebSocket over HTTP/2 (RFC 8441).
	return r.Method == http.MethodConnect
}

// bearerOnly reports whether a request is an API client's: its authority is the token in
// Authorization, which no browser sends by itself, and no cookie could be abused.
func (g *Guard) bearerOnly(r *http.Request) bool {
	scheme, _, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	if g.cfg.Auth != nil {
		return !g.cfg.Auth.Site().HasSessionCookie(r)
	}
	return len(r.Header["Cookie"]) == 0
}
