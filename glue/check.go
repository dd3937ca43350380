package glue

import (
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Check lists everything wrong or weak about a configuration, errors first; site.Check does the
// same for that of its Site. It makes no request. An empty list does not prove that all is
// well.
func Check(cfg Config) []site.Finding {
	given := cfg
	found := cfg.normalise()
	checkTransport(&given, &found)
	checkService(&given, &found)
	checkTimes(&cfg, &found)
	checkPolicy(&given, &found)
	return found.Sorted()
}

func checkTransport(cfg *Config, found *site.Findings) {
	if cfg.Site != nil && strings.HasPrefix(cfg.Site.Origins()[0], "http:") {
		found.Notef("BaseURL", "http: cookies have neither Secure nor __Host-, so other programs on this machine can set them")
	}
	if cfg.Session.Store == nil {
		found.Notef("Session.Store", "cookie sessions cannot be revoked before they expire; a server-side store can")
	}
	path, domain := cfg.Session.CookiePath, cfg.InsecureCookieDomain
	if domain != "" {
		found.Warnf("InsecureCookieDomain", "every host below %s can read the session cookie", domain)
	}
	if path == "" || path == "/" {
		return
	}
	found.Warnf("Session.CookiePath", "a cookie with path %s cannot be __Host-, so sibling hosts can set it; and paths do not keep sites of one origin apart", path)
	if domain != "" {
		found.Warnf("InsecureCookieDomain", "contradicts Session.CookiePath: the one gives the session cookie to other hosts, the other keeps it from this site's own pages outside %s; leave one of them out", path)
	}
}

func checkService(cfg *Config, found *site.Findings) {
	for i, service := range cfg.services() {
		for _, f := range service.Findings(originsOf(cfg.Site)) {
			if f.Note {
				found.Notef(serviceKey(i), "%s", f.Text)
			} else {
				found.Warnf(serviceKey(i), "%s", f.Text)
			}
		}
	}
	for _, v := range cfg.Versions {
		if v != 3 {
			found.Warnf("Versions", "version %d lets whoever alters a request imply ptag \"current\"", v)
		}
	}
}

// originsOf returns those of a site; none of a nil one.
func originsOf(s *site.Site) []string {
	if s == nil {
		return nil
	}
	return s.Origins()
}

func checkTimes(cfg *Config, found *site.Findings) {
	if cfg.MaxAge > 2*time.Minute {
		found.Warnf("MaxAge", "%s: a response that leaks can be used for that long where it was never seen", words.Duration(cfg.MaxAge))
	}
	if cfg.Skew > time.Minute {
		found.Warnf("Skew", "%s: set the clock by NTP instead", words.Duration(cfg.Skew))
	}
	if cfg.Session.MaxLife > 24*time.Hour {
		found.Warnf("Session.MaxLife", "%s: people who left the University stay logged in that long", words.Duration(cfg.Session.MaxLife))
	}
	if cfg.Session.IgnoreWLSLife {
		found.Notef("Session.IgnoreWLSLife", "sessions outlive the login service's own")
	}
}

func checkPolicy(cfg *Config, found *site.Findings) {
	p := &cfg.Policy
	for _, err := range p.nobodies(cfg.services()) {
		found.Warnf("Policy.Principals", "%v", err)
	}
	for _, ptag := range p.Ptags {
		if ptag == "" {
			continue
		}
		for _, err := range ofNone(cfg.services(), func(s webauth.LoginService) error { return s.CheckPtag(ptag) }) {
			found.Notef("Policy.Ptags", "%v", err)
		}
	}
	if p.AnyPtags && slices.ContainsFunc(cfg.services(), func(s webauth.LoginService) bool { return !s.Info().NoPtags || s.Info().Open }) {
		found.Notef("Policy.AnyPtags", "people who are no longer members of the University can log in too")
	}
	if p.IAct == "yes" && p.Fresh == 0 {
		found.Notef("Policy.IAct", "the password may have been typed at any time since the session began; Fresh bounds that")
	}
	if p.Fail {
		found.Notef("Policy.Fail", "people whose login fails stay at the login service and do not come back")
	}
}
