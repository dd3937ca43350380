package site

import (
	"errors"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/showntext"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Origins returns the origins that people can log in at, in their normal form: that of
// BaseURL first, then those of Config.Hosts that are named whole. A host that only a suffix
// allows has none. Do not change the list.
func (s *Site) Origins() []string { return s.origins }

// Serves reports whether pages are served at one of [Site.Origins], and not all of it is sent
// to BaseURL by [RedirectCanonical].
func (s *Site) Serves(origin string) bool {
	return origin == s.origin || s.cfg.Redirect != RedirectCanonical
}

// OriginOf returns the one of [Site.Origins] that a Host header names, letter by letter but
// for case and the default port. Any other spelling that Handler lets through, such as one
// with a final dot, is another host for browsers' cookies.
func (s *Site) OriginOf(host string) (origin string, ok bool) {
	if origin, ok = s.byHost[host]; ok {
		return origin, true
	}
	// Browsers leave the default port out; other clients may spell it.
	origin, ok = s.byHost[strings.TrimSuffix(strings.ToLower(host), ":"+defaultPort(s.scheme()))]
	return origin, ok
}

// Path returns the path of BaseURL without a final slash, in the form in which browsers ask
// for it.
func (s *Site) Path() string { return s.path }

// Name returns [Config.SiteName], or its default.
func (s *Site) Name() string { return s.cfg.SiteName }

// maxName is how long Config.SiteName may be, in characters. A default may be longer.
const maxName = 60

// readName checks Config.SiteName, or makes the default.
func (s *Site) readName(found *Findings) {
	name := s.cfg.SiteName
	if name == "" {
		_, host, _ := strings.Cut(s.origin, "://")
		s.cfg.SiteName = host + s.path
		return
	}
	if strings.TrimSpace(name) != name {
		found.Errorf("SiteName", "%q must not begin or end with a blank", name)
	} else if problem := showntext.Problem(name, maxName); problem != "" {
		found.Errorf("SiteName", "%q: %s", name, problem)
	}
}

func (s *Site) scheme() string {
	if s.https {
		return "https"
	}
	return "http"
}

// readBaseURL takes Config.BaseURL apart.
func (s *Site) readBaseURL(found *Findings) {
	raw := s.cfg.BaseURL
	if raw == "" {
		found.Errorf("BaseURL", "is missing: say where browsers see the site, such as https://soc.example")
		return
	}
	origin, err := webauth.Origin(raw)
	if err != nil {
		found.Errorf("BaseURL", "%q: %v; write it such as https://soc.example", raw, err)
		return
	}
	if strings.Contains(raw, "?") {
		found.Errorf("BaseURL", "%q must not have a query", raw)
		return
	}
	scheme, name, _ := strings.Cut(origin, "://")
	h, err := parseHost(name)
	if err != nil {
		found.Errorf("BaseURL", "host %q: %v", name, err)
		return
	}
	if h.String() != name {
		found.Errorf("BaseURL", "write the host %q as %q", name, h)
	}
	s.origin, s.https = origin, scheme == "https"
	if s.path, err = pathOf(raw); err != nil {
		found.Errorf("BaseURL", "%v", err)
	}
	if s.cfg.PrefixStripped {
		s.prefix = s.path
	}
	if s.cfg.PrefixStripped && s.path == "" {
		found.Errorf("PrefixStripped", "BaseURL has no path that could be removed: add it, or leave PrefixStripped out")
	}
	s.checkTransportOf("BaseURL", origin, found)
}

// pathOf returns the path of a URL in the form in which browsers ask for it, without a
// final slash.
func pathOf(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", err
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if path == "" {
		return "", nil
	}
	if path, _, err = webauth.CanonicalTarget(path, ""); err != nil {
		return "", err
	}
	if strings.Contains(path, "//") {
		return "", errors.New("the path has an empty segment")
	}
	return path, nil
}

// listOrigins makes Origins and what OriginOf looks up.
func (s *Site) listOrigins(found *Findings) {
	s.origins, s.byHost = []string{s.origin}, map[string]string{s.hosts.base.host: s.origin}
	for _, host := range s.hosts.named {
		origin := s.hosts.exact[host].origin
		if s.byHost[host] != "" {
			found.Errorf("Hosts", "host %s comes twice", host)
			continue
		}
		if s.hasSecret() { // people log in there
			s.checkTransportOf("Hosts", origin, found)
		}
		s.origins, s.byHost[host] = append(s.origins, origin), origin
	}
}

// checkTransportOf refuses http where it leaves this machine.
func (s *Site) checkTransportOf(field, origin string, found *Findings) {
	if !s.https && !s.cfg.InsecureAllowHTTP && !webauth.IsLoopback(origin) {
		found.Errorf(field, "origin %s is http: use https, or http://localhost for trying things out", origin)
	}
}
