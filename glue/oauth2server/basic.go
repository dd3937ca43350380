package oauth2server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// basicOf returns the personal token that a request brings as the password of HTTP Basic
// (RFC 7617), or "" if it brings none or [Config.BasicPassword] is off, and what to go on
// with instead of the request: one with the token as a bearer token, because the user name
// is anybody's word. Applications can send bearer tokens: theirs do not count here.
func (s *Server) basicOf(r *http.Request) (text string, next *http.Request, bad *protocolError) {
	values := r.Header["Authorization"]
	if !s.cfg.BasicPassword || len(values) != 1 || fromBrowser(r) {
		return "", r, nil
	}
	if scheme, _, _ := strings.Cut(values[0], " "); !strings.EqualFold(scheme, "Basic") {
		return "", r, nil
	}
	_, text, _ = r.BasicAuth()
	if _, ok := credential.ParseAs(credential.Personal, text); !ok {
		return "", r, errBasic
	}
	next = r.WithContext(r.Context())
	next.Header = r.Header.Clone()
	next.Header.Set("Authorization", "Bearer "+text)
	return text, next, nil
}

// fromBrowser reports whether a browser sent a request and may have done so for another
// site's page: what was typed for HTTP Basic goes with such requests, as cookies do. Every
// browser of today says so in one of these headers, by http in the last, where the request
// may change something. Sec-Fetch-Mode is none of them: no browser sends it without
// Sec-Fetch-Site, and the fetch of Node.js, which is no browser, sends it alone.
func fromBrowser(r *http.Request) bool {
	return slices.ContainsFunc([]string{"Sec-Fetch-Site", "Sec-Fetch-Dest", "Origin"}, func(name string) bool {
		return len(r.Header[name]) > 0
	})
}

// basicChallenge returns the challenge for HTTP Basic. Browsers get none: they would ask for
// a password in a window of their own.
func (s *Server) basicChallenge(r *http.Request) string {
	if !s.cfg.BasicPassword || fromBrowser(r) {
		return ""
	}
	return `Basic realm="` + s.cfg.Issuer + `"`
}
