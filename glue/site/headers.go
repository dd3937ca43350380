package site

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Omit, in a field of Headers, leaves the header out.
const Omit = "omit"

// Headers are security headers. Beside them every answer has
// "X-Content-Type-Options: nosniff". An empty field means the default, [Omit] none. A
// handler can replace any of them for its own answer with w.Header().Set, and
// [Site.With] for a route.
type Headers struct {
	// HSTS is Strict-Transport-Security; off until asked for.
	HSTS HSTS
	// CSP is Content-Security-Policy, without frame-ancestors. "{nonce}" stands for the
	// source that lets elements with the request's nonce through, as in
	//
	//	script-src 'self' {nonce}; object-src 'none'; base-uri 'none'
	//
	// See [Nonce]. The default is "base-uri 'self'; object-src 'none'", which does not
	// say where scripts may come from: a site that can say so should.
	CSP string
	// FrameAncestors are the pages that may show this one in a frame, as in CSP;
	// default 'self'. X-Frame-Options says the same to old browsers, where it can: for
	// 'self' and 'none'.
	FrameAncestors string
	// ReferrerPolicy is Referrer-Policy; default "same-origin".
	ReferrerPolicy string
	// PermissionsPolicy is Permissions-Policy; default
	// "camera=(), geolocation=(), microphone=(), payment=(), usb=()".
	PermissionsPolicy string
	// OpenerPolicy is Cross-Origin-Opener-Policy; default "same-origin". Pages that
	// talk to a popup of another site need "same-origin-allow-popups".
	OpenerPolicy string
}

// HSTS tells browsers to use https only (RFC 6797). They remember it for MaxAge, and
// nothing takes it back from one that does not visit again: begin with a short one. It
// is sent on https only, and counts for every port of the host.
type HSTS struct {
	// MaxAge, in whole seconds; zero is off.
	MaxAge time.Duration
	// IncludeSubDomains has it count for every name below the host's as well.
	IncludeSubDomains bool
	// Preload asks browsers' makers to build it in, which takes months to undo. It
	// needs IncludeSubDomains and a MaxAge of a year.
	Preload bool
}

// withDefaults fills the empty fields in.
func (h Headers) withDefaults() Headers {
	for _, f := range []struct {
		field    *string
		standard string
	}{
		{&h.CSP, "base-uri 'self'; object-src 'none'"},
		{&h.FrameAncestors, "'self'"},
		{&h.ReferrerPolicy, "same-origin"},
		{&h.PermissionsPolicy, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
		{&h.OpenerPolicy, "same-origin"},
	} {
		if *f.field == "" {
			*f.field = f.standard
		}
	}
	return h
}

// headerSet is Headers as they are sent.
type headerSet []headerLine

type headerLine struct {
	name, value string
	httpsOnly   bool
	nonce       bool // the value has placeholders
}

// apply sets the headers of an answer.
func (set headerSet) apply(h http.Header, st *state) {
	values := make([]string, len(set))
	for i, line := range set {
		if line.httpsOnly && st.scheme != "https" {
			continue
		}
		values[i] = line.value
		if line.nonce {
			values[i] = strings.ReplaceAll(line.value, noncePlaceholder, "'nonce-"+st.makeNonce()+"'")
		}
		h[line.name] = values[i : i+1 : i+1]
	}
}

// remove takes the headers back.
func (set headerSet) remove(h http.Header) {
	for _, line := range set {
		h.Del(line.name)
	}
}

// compile checks Headers that have their defaults, for a site at origin. Key is theirs.
func (h Headers) compile(key, origin string, found *Findings) headerSet {
	if err := h.HSTS.check(origin); err != nil {
		found.Errorf(key+".HSTS", "%v", err)
	}
	for _, f := range []struct {
		name, value string
		check       func(string) error
	}{
		{"CSP", h.CSP, checkCSP},
		{"FrameAncestors", h.FrameAncestors, checkFrameAncestors},
		{"ReferrerPolicy", h.ReferrerPolicy, checkReferrerPolicy},
		{"PermissionsPolicy", h.PermissionsPolicy, checkPermissionsPolicy},
		{"OpenerPolicy", h.OpenerPolicy, checkOpenerPolicy},
	} {
		if f.value == Omit {
			continue
		}
		err := checkText(f.value)
		if err == nil {
			err = f.check(f.value)
		}
		if err != nil {
			found.Errorf(key+"."+f.name, "%v", err)
		}
	}
	return h.lines()
}

func (h Headers) lines() headerSet {
	set := headerSet{{name: "X-Content-Type-Options", value: "nosniff"}}
	add := func(name, value string) {
		if value != "" && value != Omit {
			set = append(set, headerLine{name: name, value: value, nonce: strings.Contains(value, noncePlaceholder)})
		}
	}
	add("Content-Security-Policy", h.policy())
	switch strings.ToLower(h.FrameAncestors) {
	case "'self'":
		add("X-Frame-Options", "SAMEORIGIN")
	case "'none'":
		add("X-Frame-Options", "DENY")
	}
	add("Referrer-Policy", h.ReferrerPolicy)
	add("Permissions-Policy", h.PermissionsPolicy)
	add("Cross-Origin-Opener-Policy", h.OpenerPolicy)
	if h.HSTS.MaxAge > 0 {
		set = append(set, headerLine{name: "Strict-Transport-Security", value: h.HSTS.value(), httpsOnly: true})
	}
	return set
}

func (s HSTS) value() string {
	value := fmt.Sprintf("max-age=%d", s.MaxAge/time.Second)
	if s.IncludeSubDomains {
		value += "; includeSubDomains"
	}
	if s.Preload {
		value += "; preload"
	}
	return value
}

const year = 365 * 24 * time.Hour

func (s HSTS) check(origin string) error {
	switch {
	case s == HSTS{}:
		return nil
	case s.MaxAge < time.Second || s.MaxAge%time.Second != 0:
		return errors.New("MaxAge must be a whole number of seconds, and at least one")
	case !strings.HasPrefix(origin, "https:"):
		return errors.New("it is for https sites only, and BaseURL is http")
	case webauth.IsLoopback(origin):
		return errors.New("browsers would insist on https for everything on this machine: leave it out on loopback")
	case s.Preload && (!s.IncludeSubDomains || s.MaxAge < year):
		return errors.New("for Preload set IncludeSubDomains, and a MaxAge of at least a year (8760h)")
	}
	return nil
}

// checkText refuses what is not plain text for a header.
func checkText(s string) error {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return fmt.Errorf("byte %#02x at position %d is not printable ASCII", s[i], i)
		}
	}
	if strings.TrimSpace(s) != s {
		return errors.New("it begins or ends with a blank")
	}
	return nil
}

func checkReferrerPolicy(s string) error {
	for policy := range strings.SplitSeq(s, ",") {
		if err := checkOneOf(strings.TrimSpace(policy), "no-referrer", "no-referrer-when-downgrade", "origin",
			"origin-when-cross-origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url"); err != nil {
			return err
		}
	}
	return nil
}

func checkOpenerPolicy(s string) error {
	return checkOneOf(s, "same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
}

func checkOneOf(s string, known ...string) error {
	if slices.Contains(known, s) {
		return nil
	}
	return fmt.Errorf("%q is none of %s", s, strings.Join(known, ", "))
}

// checkPermissionsPolicy catches the syntax of the old Feature-Policy, for which
// browsers would ignore the whole header.
func checkPermissionsPolicy(s string) error {
	for directive := range strings.SplitSeq(s, ",") {
		name, list, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || list == "" || strings.ContainsAny(list, ";'") {
			return fmt.Errorf("%q: write feature=(allowlist), separated by commas, as camera=(), fullscreen=(self)", directive)
		}
	}
	return nil
}
