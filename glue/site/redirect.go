package site

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// Redirect says which requests for allowed hosts are sent to a better address. The
// answer is 307, so that a form stays a POST, and nothing may keep it: a mistake in the
// set-up ends when it is mended. The target is made of configured hosts and the path and
// query that were asked for. Nothing is ever redirected from https to http.
//
// Behind a front server that ends TLS, Config.Proxies must trust it, and it must say the
// scheme: otherwise every request seems to have come by http. Where a redirect would lead
// a browser to the address that it asked for, people get an error page, and the log says
// what the front server lacks ([EventFront]).
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

// redirect sends a request to the same path at another origin. came is the request with all
// that the front server said of it.
func (s *Site) redirect(w http.ResponseWriter, r, came *http.Request, h *hop, origin string) {
	if e := s.endless(came, h, origin); e != nil {
		s.outOfOrder(w, r, e)
		return
	}
	s.sendTo(w, r, origin)
}

// sendTo redirects to the same path at another origin.
func (s *Site) sendTo(w http.ResponseWriter, r *http.Request, origin string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", origin+s.prefix+escapeTarget(requestTarget(r)))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// RedirectHandler returns a handler for a listener of plain http beside the site's own, such
// as that at port 80: it sends everything to the same path at BaseURL, whatever the Host
// header says, and closes the connection. Like [Redirect] it answers with an error page where
// that would have no end.
func (s *Site) RedirectHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // nothing more is to be had here
		if r.Method == http.MethodConnect || r.RequestURI == "*" {
			respond.Text(w, http.StatusBadRequest, "This is no request for a page.")
			return
		}
		st := s.receive(r)
		if e := s.wrongListener(r, &st.hop); e != nil {
			s.outOfOrder(w, st.attach(r), e)
			return
		}
		s.sendTo(w, st.attach(r), s.origin)
	})
}

var pageMisdirected = Page{Kind: "misdirected", Status: http.StatusMisdirectedRequest, Title: "Wrong address",
	Text: []string{"Follow the link to the right address: this site is not at the one that you asked for."}}

// misdirect answers a request for a host that is not allowed. The page links to BaseURL;
// nothing of the request is in it.
func (s *Site) misdirect(w http.ResponseWriter, r *http.Request, e *frontError) {
	if s.cfg.OnMisdirected != nil {
		s.cfg.OnMisdirected(r)
	}
	p := pageMisdirected
	p.Links = []Link{{Text: s.cfg.BaseURL, Href: s.cfg.BaseURL}}
	p.Brief = "This site is at " + s.cfg.BaseURL + "."
	event := Event{From: "site", Name: EventMisdirected, Reason: "host", Level: slog.LevelWarn}
	if e != nil {
		event.Err = e
	}
	s.Refuse(w, r, event, p)
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
