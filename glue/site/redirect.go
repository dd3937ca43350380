package site

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

// Redirect says which requests for allowed hosts are sent to a better address. The
// answer is 301 to GET and HEAD, and 308 to everything else, so that a form stays a
// POST; browsers may keep it for an hour. The target is made of configured hosts and
// the path and query that were asked for. Nothing is ever redirected from https to
// http.
//
// Behind a front server that ends TLS, Config.Proxies must trust it: otherwise every
// request seems to have come by http, and is redirected for ever.
type Redirect string

// The redirects.
const (
	// RedirectNone serves every allowed host as it is.
	RedirectNone Redirect = ""
	// RedirectHTTPS sends http requests to https at the same host. Hosts that are
	// allowed by a suffix or at a port go to BaseURL instead: the configuration says
	// nothing about their https.
	RedirectHTTPS Redirect = "https"
	// RedirectCanonical sends everything to BaseURL that is not there: http requests
	// and those for other allowed hosts.
	RedirectCanonical Redirect = "canonical"
)

func (s *Site) checkRedirect(found *Findings) {
	switch s.cfg.Redirect {
	case RedirectNone, RedirectCanonical:
	case RedirectHTTPS:
		if !s.https {
			found.Errorf("Redirect", "there is no https to go to: BaseURL is %s", s.origin)
		}
	default:
		found.Errorf("Redirect", "%q is none of RedirectNone, RedirectHTTPS, RedirectCanonical", s.cfg.Redirect)
	}
}

// elsewhere returns the origin that a request for an allowed host should have gone to;
// empty if it is at the right one. spelled is the host as the client wrote it.
func (s *Site) elsewhere(a allowed, spelled, scheme string) string {
	plain := s.https && scheme == "http"
	switch s.cfg.Redirect {
	case RedirectCanonical:
		if plain || a.host != s.hosts.base.host || hasFinalDot(spelled) {
			return s.origin
		}
	case RedirectHTTPS:
		if plain {
			return a.secure
		}
	}
	return ""
}

// hasFinalDot reports whether the name of an allowed host ends in a dot. Browsers take
// the two for different sites, with cookies of their own.
func hasFinalDot(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	return strings.HasSuffix(name, ".")
}

// redirect sends a request to where it should have gone.
func redirect(w http.ResponseWriter, r *http.Request, location string) {
	h := w.Header()
	// Not in shared caches: one that does not tell http from https would send
	// everybody round in circles.
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Location", location)
	h.Set("Content-Length", "0")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		w.WriteHeader(http.StatusMovedPermanently)
	} else {
		w.WriteHeader(http.StatusPermanentRedirect)
	}
}

var pageMisdirected = Page{Kind: "misdirected", Status: http.StatusMisdirectedRequest, Title: "Wrong address",
	Text: []string{"This site is not at the address that you asked for. The link leads to the right one."}}

// misdirect answers a request for a host that is not allowed. The page links to BaseURL;
// nothing of the request is in it.
func (s *Site) misdirect(w http.ResponseWriter, r *http.Request) {
	if s.cfg.OnMisdirected != nil {
		s.cfg.OnMisdirected(r)
	}
	p := pageMisdirected
	p.Links = []Link{{Text: s.cfg.BaseURL, Href: s.cfg.BaseURL}}
	p.Brief = "This site is at " + s.cfg.BaseURL + "."
	s.Refuse(w, r, Event{From: "site", Name: EventMisdirected, Reason: "host", Level: slog.LevelWarn}, p)
}

// quoteHost makes what a client sent as its Host fit for any log: short, and printable
// ASCII.
func quoteHost(s string) string {
	const most = 100
	rest := ""
	if len(s) > most {
		s, rest = s[:most], "..."
	}
	quoted := strconv.QuoteToASCII(s)
	return quoted[1:len(quoted)-1] + rest
}
