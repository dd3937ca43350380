package site

import (
	"maps"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// told are headers by which programs believe somebody else than the connection about the
// address, scheme, host, path or method of a request. Who sends it is not among them: that
// is for package remoteuser, which knows whom to believe.
const told = headername.Peers | headername.Routes | headername.Methods

// checkPassHeaders checks Config.PassHeaders.
func (s *Site) checkPassHeaders(found *Findings) {
	s.passed = make(map[string]bool, len(s.cfg.PassHeaders))
	for _, name := range s.cfg.PassHeaders {
		if err := headername.MayPass(name); err != nil {
			found.Errorf("PassHeaders", "%q: %v", name, err)
		}
		s.passed[http.CanonicalHeaderKey(name)] = true
	}
}

// withoutTold returns the header of a request without all that tells where it comes from and
// what it is for. It is the same map if there is nothing of the kind.
func (s *Site) withoutTold(r *http.Request) http.Header {
	var clean http.Header
	for name := range r.Header {
		if !s.removes(name) {
			continue
		}
		if s.cfg.OnRemoved != nil {
			s.cfg.OnRemoved(r, name)
		}
		if clean == nil {
			clean = maps.Clone(r.Header)
		}
		delete(clean, name)
	}
	if clean == nil {
		return r.Header
	}
	return clean
}

// removes reports whether a header of that name is removed. Package net/http takes a name
// for no other, but a handler may be CGI, or pass the request on to a program that does:
// what frames a message is the server's under its own name only.
func (s *Site) removes(name string) bool {
	switch e := headername.Lookup(name); {
	case e.Class == 0:
		return false
	case e.Class&told != 0:
		return len(s.passed) == 0 || !s.passed[name]
	default:
		return e.Class&(headername.Frames|headername.Judged) != 0 && !headername.IsOwn(name)
	}
}
