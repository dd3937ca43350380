package site

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// EventFront is the name of the event of a request that cannot be served because of what the
// front server says of it: to redirect the browser would bring it back to the same address, for
// ever. Its reason is "front-scheme" or "front-host".
const EventFront = "front-server"

// What is wrong with what a front server says.
const (
	frontScheme = "front-scheme"
	frontHost   = "front-host"
)

// frontError says what a front server leaves out or gets wrong, and how to mend it.
type frontError struct {
	reason string
	short  string // what is wrong
	advice string // what to do, for one line of the log
	sure   bool   // no client can bring this about
}

func (e *frontError) Error() string { return e.short }

// advised are the reasons of which the log has the advice already: one line is read, one for
// each request is not.
type advised struct {
	once sync.Map    // of adviceKey
	said atomic.Bool // a front server has said the scheme of a request
}

// adviceKey tells advice apart. A stranger must not use up what is sure.
type adviceKey struct {
	reason string
	sure   bool
}

// advise writes the advice into the log, once for each reason.
func (s *Site) advise(ctx context.Context, e *frontError) {
	if _, told := s.advised.once.LoadOrStore(adviceKey{e.reason, e.sure}, true); !told {
		s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "site: a front server is set up wrongly (said once)",
			slog.String("reason", e.reason), slog.String("error", e.short), slog.String("advice", e.advice))
	}
}

var pageFront = Page{Kind: "misconfigured", Status: http.StatusInternalServerError, Title: "This page is out of order",
	Text: []string{"Please tell the site’s webmaster, and quote the reference below. The server in front of this site does not tell it rightly how you asked for the page."},
	Code: "misconfigured"}

// outOfOrder answers where a redirect would have no end.
func (s *Site) outOfOrder(w http.ResponseWriter, r *http.Request, e *frontError) {
	s.advise(r.Context(), e)
	level := slog.LevelWarn
	if e.sure {
		level = slog.LevelError
	}
	s.Refuse(w, r, Event{From: "site", Name: EventFront, Reason: e.reason, Level: level, Err: e}, pageFront)
}

// lookAtFront finds what a front server leaves out of every request, whether or not this one
// can be served.
func (s *Site) lookAtFront(came *http.Request, h *hop) {
	if h.trusted && h.saysScheme && !s.advised.said.Load() {
		s.advised.said.Store(true)
	}
	if e := s.schemeUnsaid(came, h); e != nil {
		s.advise(came.Context(), e)
	}
	if e := s.hostUnsaid(came, h); e != nil {
		s.advise(came.Context(), e)
	}
}

// schemeUnsaid is the error of a trusted front server that does not say by which scheme a
// request came; nil if it does, or it does not matter.
func (s *Site) schemeUnsaid(came *http.Request, h *hop) *frontError {
	if !h.trusted || h.saysScheme || !s.https || h.scheme == "https" || !isOnBehalf(came) {
		return nil
	}
	e := &frontError{reason: frontScheme, sure: true, advice: s.schemeAdvice()}
	e.short = fmt.Sprintf("the front server at %s does not say in %s whether people came by https", nameOfPeer(came), s.schemeHeader())
	if other := otherSchemeHeaders(came.Header, s.schemeHeader()); other != "" {
		e.short += "; what it sends is not read: " + other
	}
	return e
}

// hostUnsaid is the error of a front server that is trusted to name the host, and does not.
func (s *Site) hostUnsaid(came *http.Request, h *hop) *frontError {
	if !h.trusted || h.saysHost || !s.cfg.Proxies.Host || !isOnBehalf(came) {
		return nil
	}
	header := s.hostHeader()
	return &frontError{reason: frontHost, sure: true,
		short:  fmt.Sprintf("Proxies.Host is set, and the front server at %s does not name the host in %s", nameOfPeer(came), header),
		advice: "have the front server write " + header + " on every request; or have it pass Host on (nginx: proxy_set_header Host $host; Apache: ProxyPreserveHost On), and leave Proxies.Host (the gateway's front.host) out"}
}

// isOnBehalf reports whether a front server passes a request on, as it says itself or a browser
// does. One that asks on its own whether this program is alive says nothing of anybody.
func isOnBehalf(came *http.Request) bool {
	for name := range came.Header {
		if headername.Lookup(name).Class&headername.Peers != 0 {
			return true
		}
	}
	return WantsPage(came) || came.Header.Get("Sec-Fetch-Site") != ""
}

// endless returns why a redirect of this request would bring the browser back to the address
// that it asked for; nil if it leads somewhere. target is the origin to go to. Only errors
// come of it, so that what clients say may count.
func (s *Site) endless(came *http.Request, h *hop, target string) *frontError {
	if s.https && h.scheme == "http" {
		if e := s.schemeUnsaid(came, h); e != nil && !s.saysHTTPSOnly(came) {
			return e
		}
		return s.schemeWrong(came, h)
	}
	return s.hostWrong(came, h, target)
}

// saysHTTPSOnly reports whether the front servers seem to say the scheme of what comes by https
// alone, as by HAProxy's "set-header X-Forwarded-Proto https if { ssl_fc }", and this came by
// http.
func (s *Site) saysHTTPSOnly(came *http.Request) bool {
	return s.advised.said.Load() && came.Header.Get("Sec-Fetch-Site") == ""
}

// schemeWrong is the error of a request that is said to have come by http, or seems so, though
// its browser used https: the headers Sec-Fetch-* are sent by https and to this machine only
// (Fetch Metadata Request Headers, section 2).
func (s *Site) schemeWrong(came *http.Request, h *hop) *frontError {
	if webauth.IsLoopback(s.origin) || isLocalName(h.host) || came.Header.Get("Sec-Fetch-Site") == "" {
		return nil
	}
	e := &frontError{reason: frontScheme}
	if h.trusted {
		e.short = fmt.Sprintf("the front server at %s says in %s that people came by http, and their browsers used https", nameOfPeer(came), s.schemeHeader())
		e.advice = "if another server in front of it ends TLS, name that in Proxies (the gateway's front.proxies) too, and have both of them write the header; otherwise: " + s.schemeAdvice()
		return e
	}
	e.short = fmt.Sprintf("people came by https, and not to this program: what connects from %s ends TLS, and Proxies does not name it", nameOfPeer(came))
	e.advice = "if that is a front server of yours, name it in Proxies (the gateway's front.proxies), and have it say the scheme: " + s.schemeAdvice() +
		"; if you do not know the address, name nothing: any client can bring this line about"
	return e
}

// wrongListener is the error of a request for the listener that redirects to https, though its
// browser used that. A front server that says nothing is no error there: it passes on what came
// by http.
func (s *Site) wrongListener(came *http.Request, h *hop) *frontError {
	if a, ok := s.hosts.find(h.host, h.scheme); ok && a.host != s.hosts.base.host {
		return nil // it leads from an alias to BaseURL
	}
	e := s.schemeWrong(came, h)
	if !h.trusted || e == nil && (!s.https || h.scheme != "https") {
		return e
	}
	return &frontError{reason: frontScheme,
		short:  fmt.Sprintf("the front server at %s passes on what people asked for by https to the listener that redirects to https", nameOfPeer(came)),
		advice: "have it pass that on to the site's own listener (the gateway's listen.http or listen.unix)"}
}

// hostWrong is the error of a request whose host is not the one that its browser asked for,
// which is that of target; of any if that is empty.
func (s *Site) hostWrong(came *http.Request, h *hop, target string) *frontError {
	if e := s.hostUnsaid(came, h); e != nil {
		return e
	}
	list := fromRight{lines: came.Header["X-Forwarded-Host"]}
	said, ok := list.next()
	if !ok || s.cfg.Proxies.Host && h.trusted { // in which case it is what h.host says
		return nil
	}
	a, ok := s.hosts.find(said, h.scheme)
	if !ok || target != "" && a.origin != target || hasFinalDot(said) {
		return nil
	}
	return &frontError{reason: frontHost,
		short:  fmt.Sprintf("people asked for %s, as X-Forwarded-Host says, and the front server at %s wrote another name into Host", a.origin, nameOfPeer(came)),
		advice: "have the front server pass Host on: nginx: proxy_set_header Host $host; Apache: ProxyPreserveHost On; HAProxy and Caddy do so unless told otherwise"}
}

// schemeHeader is where the front servers say the scheme.
func (s *Site) schemeHeader() string {
	if s.cfg.Proxies.Header == Forwarded {
		return "proto= of Forwarded"
	}
	return "X-Forwarded-Proto"
}

// hostHeader is where they name the host.
func (s *Site) hostHeader() string {
	if s.cfg.Proxies.Header == Forwarded {
		return "host= of Forwarded"
	}
	return "X-Forwarded-Host"
}

// schemeAdvice says how a front server is told to say the scheme.
func (s *Site) schemeAdvice() string {
	if s.cfg.Proxies.Header == Forwarded {
		return "have the front server write proto=https, or proto=http, into its element of Forwarded"
	}
	return "have the front server write X-Forwarded-Proto: in Apache: RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME} (of mod_headers); " +
		"in nginx: proxy_set_header X-Forwarded-Proto $scheme; in HAProxy: http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]; Caddy and Traefik do so unless told otherwise"
}

// otherSchemeHeaders names headers that are there by which other programs are told the scheme.
func otherSchemeHeaders(h http.Header, read string) string {
	var there []string
	for _, name := range []string{"Forwarded", "X-Forwarded-Proto", "X-Forwarded-Ssl", "X-Forwarded-Scheme", "X-Forwarded-Port", "X-Scheme", "X-Url-Scheme", "Front-End-Https", "X-Forwarded-Protocol"} {
		if values := h[http.CanonicalHeaderKey(name)]; len(values) > 0 && !strings.HasSuffix(read, name) {
			there = append(there, name)
		} else if len(values) > 0 {
			there = append(there, name+" with the value "+quoteHost(values[len(values)-1]))
		}
	}
	return strings.Join(there, ", ")
}

// nameOfPeer names the other end of the connection.
func nameOfPeer(r *http.Request) string {
	if ip := otherEnd(r); ip.IsValid() {
		return ip.String()
	}
	return "the unix socket"
}

// isLocalName reports whether a host is this machine by its name, to which browsers send by
// http what they otherwise send by https only.
func isLocalName(raw string) bool {
	h, err := parseHost(raw)
	return err == nil && (strings.HasSuffix(h.name, ".localhost") || webauth.IsLoopback("http://"+h.String()))
}
