package site

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Check lists what is wrong about a configuration or, if nothing is, what is weak. It makes no
// secret file. An empty list does not prove that all is well.
func Check(cfg Config) []Finding {
	s, found := read(cfg)
	if found.Err("") != nil {
		return found
	}
	s.checkState(&found)
	return append(found, s.Findings()...).Sorted()
}

// Findings lists what is weak about the site's configuration, the worst first.
func (s *Site) Findings() []Finding {
	var f Findings
	s.checkTransport(&f)
	s.checkHosts(&f)
	s.checkProxies(&f)
	s.checkHeaders(&f)
	s.checkPolicy(&f)
	return f.Sorted()
}

// checkState looks at the secret and at what is remembered.
func (s *Site) checkState(f *Findings) {
	if !s.hasSecret() {
		return
	}
	_, err := os.Stat(s.cfg.SecretFile)
	switch {
	case s.cfg.Secret != "":
		f.Notef("Secret", "keep it out of the program's source and of process listings; SecretFile is checked for who may read it")
	case errors.Is(err, fs.ErrNotExist):
		if err := mayCreate(s.cfg.SecretFile); err != nil {
			f.Errorf("SecretFile", "%s: %v", s.cfg.SecretFile, err)
			break
		}
		f.Notef("SecretFile", "%s is not there yet; it will be made with mode 0600", s.cfg.SecretFile)
	default:
		_, warning, err := s.cfg.loadSecret()
		if err != nil {
			f.Errorf("SecretFile", "%v", err)
		} else if warning != "" {
			f.Warnf("SecretFile", "%s", warning)
		}
	}
	if s.cfg.OneUse == nil {
		f.Notef("OneUse", "used responses are remembered by this process only: right for one process, wrong for several")
	}
}

func (s *Site) checkTransport(f *Findings) {
	if !s.https {
		if !webauth.IsLoopback(s.origin) {
			f.Warnf("InsecureAllowHTTP", "whoever is on the way can read and change everything")
		}
		return
	}
	switch {
	case s.cfg.Redirect == RedirectNone:
		f.Warnf("Redirect", "requests that come by http are answered by http: choose RedirectHTTPS or RedirectCanonical, unless a front server redirects them")
	case !s.cfg.Proxies.trustSomebody():
		f.Notef("Redirect", "right if this program itself serves https; behind a front server that ends TLS, name it in Proxies, or browsers are redirected for ever")
	}
	hsts := s.cfg.Headers.HSTS
	switch {
	case hsts.MaxAge == 0 && !webauth.IsLoopback(s.origin):
		f.Notef("Headers.HSTS", "off: a first request by http can be intercepted; when https works for the whole host, begin with an hour and go up to a year")
	case hsts.MaxAge > 0 && hsts.MaxAge < 30*24*time.Hour:
		f.Notef("Headers.HSTS", "%s: fine to begin with; raise it to a year when https has proved itself", words.Duration(hsts.MaxAge))
	}
}

func (s *Site) checkHosts(f *Findings) {
	for _, suffix := range s.hosts.suffixes {
		if strings.Count(suffix.name, ".") == 1 && suffix.name != ".localhost" {
			f.Warnf("Hosts", "%v: a whole top-level domain; name the hosts", suffix)
		} else {
			f.Notef("Hosts", "%v: whoever controls a name below it can point that at this site, and set cookies for the names above", suffix)
		}
	}
	if len(s.cfg.Hosts) > 0 && s.cfg.Redirect != RedirectCanonical {
		f.Notef("Hosts", "the same pages are at several addresses, each with sessions of its own; RedirectCanonical leaves one")
	}
}

func (s *Site) checkProxies(f *Findings) {
	p := &s.cfg.Proxies
	if p.Count > 0 {
		f.Warnf("Proxies.Count", "whoever can connect without passing the proxies chooses the address, scheme and host that this site believes: set Ranges, or see that only the proxies can connect")
	}
	if p.Host {
		f.Notef("Proxies.Host", "every proxy must replace or remove what clients send as the forwarded host")
	}
}

func (s *Site) checkHeaders(f *Findings) {
	h := &s.cfg.Headers
	ancestors := strings.Fields(strings.ToLower(h.FrameAncestors))
	if h.FrameAncestors == Omit || slices.ContainsFunc(ancestors, isAnywhere) {
		f.Warnf("Headers.FrameAncestors", "any site can show this one in a frame and trick people into clicking")
	}
	switch {
	case strings.Contains(h.ReferrerPolicy, "unsafe-url"), strings.Contains(h.ReferrerPolicy, "no-referrer-when-downgrade"):
		f.Warnf("Headers.ReferrerPolicy", "other sites are told the whole address of the page that people came from, with its query")
	case h.ReferrerPolicy == Omit:
		f.Notef("Headers.ReferrerPolicy", "old browsers tell other sites the whole address of the page that people came from")
	}
	if h.OpenerPolicy == Omit || h.OpenerPolicy == "unsafe-none" {
		f.Notef("Headers.OpenerPolicy", "a site that opens this one keeps a hold on its window")
	}
}

// checkPolicy looks at what the Content-Security-Policy lets scripts do.
func (s *Site) checkPolicy(f *Findings) {
	const field = "Headers.CSP"
	csp := s.cfg.Headers.CSP
	if csp == Omit {
		f.Warnf(field, "none: nothing limits the harm that an injected script does")
		return
	}
	_, sources := directives(csp)
	scripts, ok := sources["script-src"]
	if !ok {
		scripts, ok = sources["default-src"]
	}
	if !ok {
		f.Notef(field, "it does not say where scripts may come from: try script-src 'self' {nonce}, and site.Nonce in templates")
		return
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(scripts, func(s string) bool { return slices.Contains(words, strings.ToLower(s)) })
	}
	// Browsers that know nonces ignore 'unsafe-inline' beside one.
	if has("'unsafe-inline'") && !has(noncePlaceholder) {
		f.Warnf(field, "'unsafe-inline' lets injected scripts run: use {nonce}")
	}
	if has("'unsafe-eval'") {
		f.Warnf(field, "'unsafe-eval' lets scripts run text as code")
	}
	if slices.ContainsFunc(scripts, isAnywhere) && !has("'strict-dynamic'") {
		f.Warnf(field, "scripts may come from anywhere: name their origins")
	}
}

// isAnywhere reports whether a source lets every site through.
func isAnywhere(source string) bool {
	switch strings.ToLower(source) {
	case "*", "https:", "http:", "data:", "https://*", "http://*":
		return true
	}
	return false
}
