package oauth2server

import (
	"net/http"
	"strings"
)

// Where things are below Config.Path.
const (
	pathAuthorize  = "/authorize"
	pathToken      = "/token"
	pathRevoke     = "/revoke"
	pathIntrospect = "/introspect"
	pathCSRF       = "/csrf"
	pathSettings   = "/settings"
)

// Handler returns a handler for everything below [Config.Path]: the endpoints authorize,
// token, revoke and introspect, the settings pages, and csrf, where a script of the site's
// own gets what its calls of the API must send. Mount it at Config.Path + "/", outside of
// [glue.Auth.Require]: programs call it, and it has people log in itself.
//
// What clients need to know beside the metadata:
//
//   - authorize wants client_id, redirect_uri, scope and code_challenge each time, and
//     code_challenge_method=S256. What is wrong with client or redirect_uri is told to
//     the person and never redirected; other errors are redirected after the login.
//   - redirect_uri is compared byte for byte, except the port of http://127.0.0.1,
//     http://[::1] and http://localhost.
//   - prompt may be none, which answers login_required or consent_required; login, which
//     wants a password typed within Config.FreshFor; or consent, which asks again.
//   - What a person allowed is remembered, and more scopes are asked for again. Public
//     applications with a loopback or private-use redirect URI are asked for each time,
//     because any program on the person's device can pose as them (RFC 8252 section 8.6).
//   - token, revoke and introspect take a POST with a form, whose parameters must not be
//     repeated, and nothing in the address. A confidential client authenticates by Basic
//     or in the form.
//   - introspect is for confidential clients and their own tokens, and for those that
//     Config.ResourceServers names.
//   - Scripts on pages of other origins may call token and revoke, without credentials
//     (CORS), from the origins of the redirect URIs of the public client that they name.
//     All others are refused, except pages of the site itself.
func (s *Server) Handler() http.Handler {
	routes := map[string]http.Handler{
		pathAuthorize:  s.newAuthorizer(),
		pathToken:      s.endpoint(true, serveToken),
		pathRevoke:     s.endpoint(true, serveRevoke),
		pathIntrospect: s.endpoint(false, serveIntrospect),
		pathCSRF:       s.csrf(),
	}
	settings := s.settingsHandler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noStore(w)
		path := s.below(r.URL.Path)
		switch route := routes[path]; {
		case route != nil:
			route.ServeHTTP(w, r)
		case path == pathSettings || strings.HasPrefix(path, pathSettings+"/"):
			settings.ServeHTTP(w, s.atPath(r, path))
		default:
			s.problem(w, r, event{Name: EventRefused, Reason: "not-found"}, pageNotFound)
		}
	})
}

// url returns the URL of an endpoint.
func (s *Server) url(path string) string { return s.site.Origins()[0] + s.cfg.Path + path }

// below returns the part of a path below Config.Path. A front server, or
// http.StripPrefix, may have taken the first parts of that away already, or all of it.
func (s *Server) below(path string) string {
	for prefix := s.cfg.Path; prefix != ""; {
		if rest, found := strings.CutPrefix(path, prefix); found && strings.HasPrefix(rest, "/") {
			return rest
		}
		next := strings.IndexByte(prefix[1:], '/')
		if next < 0 {
			break
		}
		prefix = prefix[next+1:]
	}
	return path
}

// atPath returns the request with the path that browsers see.
func (s *Server) atPath(r *http.Request, below string) *http.Request {
	if r.URL.Path == s.cfg.Path+below {
		return r
	}
	u := *r.URL
	u.Path, u.RawPath = s.cfg.Path+below, ""
	r = r.WithContext(r.Context())
	r.URL = &u
	return r
}
