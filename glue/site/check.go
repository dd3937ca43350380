package site

import (
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Severities of a Finding, the worst first.
const (
	SeverityError   = "error"   // New refuses it
	SeverityWarning = "warning" // it weakens the site
	SeverityNote    = "note"    // worth knowing
)

// Finding is something weak or wrong about a configuration.
type Finding struct {
	Severity string
	Field    string // of Config, such as "Headers.HSTS"; empty for several
	Text     string // what it means and what to do
}

func (f Finding) String() string {
	if f.Field == "" {
		return f.Severity + ": " + f.Text
	}
	return f.Severity + ": " + f.Field + ": " + f.Text
}

// Check lists everything wrong or weak about a configuration, errors first. An empty
// list is a good sign, not a proof.
func Check(cfg Config) []Finding {
	s, err := New(cfg)
	if err == nil {
		return s.Findings()
	}
	var found []Finding
	for line := range strings.Lines(err.Error()) {
		found = append(found, Finding{SeverityError, "", strings.TrimSpace(line)})
	}
	return found
}

// Findings lists what is weak about the site's configuration, the worst first.
func (s *Site) Findings() []Finding {
	f := findings{}
	s.checkTransport(&f)
	s.checkHosts(&f)
	s.checkProxies(&f)
	s.checkHeaders(&f)
	s.checkPolicy(&f)
	order := []string{SeverityWarning, SeverityNote}
	slices.SortStableFunc(f, func(a, b Finding) int {
		return slices.Index(order, a.Severity) - slices.Index(order, b.Severity)
	})
	return f
}

type findings []Finding

func (f *findings) warn(field, text string) { *f = append(*f, Finding{SeverityWarning, field, text}) }
func (f *findings) note(field, text string) { *f = append(*f, Finding{SeverityNote, field, text}) }

func (s *Site) checkTransport(f *findings) {
	if !s.https {
		if !webauth.IsLoopback(s.origin) {
			f.warn("InsecureAllowHTTP", "whoever is on the way can read and change everything")
		}
		return
	}
	switch {
	case s.cfg.Redirect == RedirectNone:
		f.warn("Redirect", "requests that come by http are answered by http: choose RedirectHTTPS or RedirectCanonical, unless a front server redirects them")
	case !s.cfg.Proxies.trustSomebody():
		f.note("Redirect", "right if this program itself serves https; behind a front server that ends TLS, name it in Proxies, or browsers are redirected for ever")
	}
	hsts := s.cfg.Headers.HSTS
	switch {
	case hsts.MaxAge == 0 && !webauth.IsLoopback(s.origin):
		f.note("Headers.HSTS", "off: a first request by http can be intercepted; when https works for the whole host, begin with an hour and go up to a year")
	case hsts.MaxAge > 0 && hsts.MaxAge < 30*24*time.Hour:
		f.note("Headers.HSTS", hsts.MaxAge.String()+": fine to begin with; raise it to a year when https has proved itself")
	}
}

func (s *Site) checkHosts(f *findings) {
	for _, suffix := range s.hosts.suffixes {
		if strings.Count(suffix.name, ".") == 1 && suffix.name != ".localhost" {
			f.warn("Hosts", suffix.String()+": a whole top-level domain; name the hosts")
		} else {
			f.note("Hosts", suffix.String()+": whoever controls a name below it can point that at this site, and set cookies for the names above")
		}
	}
	if len(s.cfg.Hosts) > 0 && s.cfg.Redirect != RedirectCanonical {
		f.note("Hosts", "the same pages are at several addresses, each with sessions of its own; RedirectCanonical leaves one")
	}
}

func (s *Site) checkProxies(f *findings) {
	p := &s.cfg.Proxies
	if p.Count > 0 {
		f.warn("Proxies.Count", "whoever can connect without passing the proxies chooses the address, scheme and host that this site believes: set Ranges, or see that only the proxies can connect")
	}
	if p.Host {
		f.note("Proxies.Host", "every proxy must replace or remove what clients send as the forwarded host")
	}
}

func (s *Site) checkHeaders(f *findings) {
	h := &s.cfg.Headers
	ancestors := strings.Fields(strings.ToLower(h.FrameAncestors))
	if h.FrameAncestors == Omit || slices.ContainsFunc(ancestors, isAnywhere) {
		f.warn("Headers.FrameAncestors", "any site can show this one in a frame and trick people into clicking")
	}
	switch {
	case strings.Contains(h.ReferrerPolicy, "unsafe-url"), strings.Contains(h.ReferrerPolicy, "no-referrer-when-downgrade"):
		f.warn("Headers.ReferrerPolicy", "other sites are told the whole address of the page that people came from, with its query")
	case h.ReferrerPolicy == Omit:
		f.note("Headers.ReferrerPolicy", "old browsers tell other sites the whole address of the page that people came from")
	}
	if h.OpenerPolicy == Omit || h.OpenerPolicy == "unsafe-none" {
		f.note("Headers.OpenerPolicy", "a site that opens this one keeps a hold on its window")
	}
}

// checkPolicy looks at what the Content-Security-Policy lets scripts do.
func (s *Site) checkPolicy(f *findings) {
	const field = "Headers.CSP"
	csp := s.cfg.Headers.CSP
	if csp == Omit {
		f.warn(field, "none: nothing limits the harm that an injected script does")
		return
	}
	_, sources := directives(csp)
	scripts, ok := sources["script-src"]
	if !ok {
		scripts, ok = sources["default-src"]
	}
	if !ok {
		f.note(field, "it does not say where scripts may come from: try script-src 'self' {nonce}, and site.Nonce in templates")
		return
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(scripts, func(s string) bool { return slices.Contains(words, strings.ToLower(s)) })
	}
	// Browsers that know nonces ignore 'unsafe-inline' beside one.
	if has("'unsafe-inline'") && !has(noncePlaceholder) {
		f.warn(field, "'unsafe-inline' lets injected scripts run: use {nonce}")
	}
	if has("'unsafe-eval'") {
		f.warn(field, "'unsafe-eval' lets scripts run text as code")
	}
	if slices.ContainsFunc(scripts, isAnywhere) && !has("'strict-dynamic'") {
		f.warn(field, "scripts may come from anywhere: name their origins")
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
