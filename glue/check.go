package glue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Severity says how bad a Finding is.
type Severity string

// The severities, the worst first.
const (
	SeverityError   Severity = "error"   // New refuses it
	SeverityWarning Severity = "warning" // it weakens the site
	SeverityNote    Severity = "note"    // worth knowing
)

// Finding is something weak or wrong about a configuration.
type Finding struct {
	Severity Severity
	Field    string // of Config, such as "Session.MaxLife"; empty for several
	Text     string // what it means and what to do
}

func (f Finding) String() string {
	if f.Field == "" {
		return fmt.Sprintf("%s: %s", f.Severity, f.Text)
	}
	return fmt.Sprintf("%s: %s: %s", f.Severity, f.Field, f.Text)
}

// Check lists everything wrong or weak about a configuration, errors first, and about
// that of the site.Site around it, if there is one. It makes no secret file and asks
// nobody; an empty list is a good sign, not a proof.
func Check(cfg Config, around ...site.Config) []Finding {
	var found []Finding
	add := func(s Severity, field, format string, args ...any) {
		found = append(found, Finding{s, field, fmt.Sprintf(format, args...)})
	}
	given := cfg
	if err := errors.Join(cfg.normalise(), checkPlaces(&cfg), checkSecret(&cfg, add)); err != nil {
		for line := range strings.Lines(err.Error()) {
			add(SeverityError, "", "%s", strings.TrimSpace(line))
		}
	}
	checkTransport(&given, add)
	checkService(&given, add)
	checkTimes(&cfg, add)
	checkState(&given, add)
	checkPolicy(&given, add)
	checkAround(&given, around, add)
	order := []Severity{SeverityError, SeverityWarning, SeverityNote}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return slices.Index(order, a.Severity) - slices.Index(order, b.Severity)
	})
	return found
}

type addFinding func(s Severity, field, format string, args ...any)

// checkPlaces derives everything under a secret that is thrown away.
func checkPlaces(cfg *Config) error {
	if cfg.Service.Check() != nil {
		return nil // said already, and everything here would say it again
	}
	secret, err := site.ParseSecret(rand.Text() + rand.Text())
	if err != nil {
		return err
	}
	_, err = newPlaces(cfg, secret)
	return err
}

func checkSecret(cfg *Config, add addFinding) error {
	if cfg.SecretFile != "" {
		if _, err := os.Stat(cfg.SecretFile); errors.Is(err, os.ErrNotExist) {
			add(SeverityNote, "SecretFile", "%s is not there yet; it will be made with mode 0600", cfg.SecretFile)
			return nil
		}
	}
	_, err := cfg.secret()
	return err
}

func checkTransport(cfg *Config, add addFinding) {
	if cfg.InsecureAllowHTTP {
		add(SeverityWarning, "InsecureAllowHTTP", "whoever is on the way can read and use people's sessions")
	}
	if strings.HasPrefix(cfg.BaseURL, "http:") {
		add(SeverityNote, "BaseURL", "http: cookies have neither Secure nor __Host-, so other programs on this machine can set them")
	}
	if cfg.InsecureCookieDomain != "" {
		add(SeverityWarning, "InsecureCookieDomain", "every host below %s can read the session cookie", cfg.InsecureCookieDomain)
	}
	if p := cfg.Session.CookiePath; p != "" && p != "/" {
		add(SeverityWarning, "Session.CookiePath", "a cookie with path %s cannot be __Host-, so sibling hosts can set it; and paths do not keep sites of one origin apart", p)
	}
}

func checkService(cfg *Config, add addFinding) {
	if cfg.Service.Keys == nil {
		return
	}
	if cfg.Service.HasPublishedKey() {
		add(SeverityWarning, "Service", "%s signs with a key whose private half is public: for trying things out on loopback only", cfg.Service.Name)
	}
	for _, k := range cfg.Service.Keys.Keys() {
		if k.Bits() < 2048 && !k.Published() {
			add(SeverityNote, "Service", "key %s of %s has %d bits, as the service chose; Go in FIPS-only mode refuses it, and SHA-1 with it", k.Kid(), cfg.Service.Name, k.Bits())
		}
	}
	for _, v := range cfg.Versions {
		if v != 3 {
			add(SeverityWarning, "Versions", "version %d lets whoever alters a request imply ptag \"current\"", v)
		}
	}
}

func checkTimes(cfg *Config, add addFinding) {
	if cfg.MaxAge > 2*time.Minute {
		add(SeverityWarning, "MaxAge", "%v: a response that leaks can be used for that long where it was never seen", cfg.MaxAge)
	}
	if cfg.Skew > time.Minute {
		add(SeverityWarning, "Skew", "%v: set the clock by NTP instead", cfg.Skew)
	}
	if cfg.Session.MaxLife > 24*time.Hour {
		add(SeverityWarning, "Session.MaxLife", "%v: people who left the University stay logged in that long", cfg.Session.MaxLife)
	}
	if cfg.Session.IgnoreWLSLife {
		add(SeverityNote, "Session.IgnoreWLSLife", "sessions outlive the login service's own")
	}
}

func checkState(cfg *Config, add addFinding) {
	if cfg.Secret != "" {
		add(SeverityNote, "Secret", "keep it out of the program's source and of process listings; SecretFile is checked for who may read it")
	}
	if cfg.Session.Store == nil {
		add(SeverityNote, "Session.Store", "cookie sessions cannot be revoked before they expire; a server-side store can")
	}
	if cfg.OneUse == nil {
		add(SeverityNote, "OneUse", "used responses are remembered by this process only: right for one process, wrong for several")
	}
}

func checkPolicy(cfg *Config, add addFinding) {
	p := &cfg.Policy
	if p.AnyPtags && !cfg.Service.NoPtags {
		add(SeverityNote, "Policy.AnyPtags", "people who are no longer members of the University can log in too")
	}
	if p.IAct == "yes" && p.Fresh == 0 {
		add(SeverityNote, "Policy.IAct", "the password may have been typed at any time since the session began; Fresh bounds that")
	}
	if p.Fail {
		add(SeverityNote, "Policy.Fail", "people whose login fails stay at the login service and do not come back")
	}
}

// checkAround asks package site about what stands around the login.
func checkAround(cfg *Config, around []site.Config, add addFinding) {
	for _, s := range around {
		for _, f := range site.Check(s) {
			add(Severity(f.Severity), "site."+f.Field, "%s", f.Text)
		}
		if base, err := webauth.Origin(s.BaseURL); err == nil && !slices.Contains(originsOf(cfg), base) {
			add(SeverityError, "site.BaseURL", "%s is none of the login's origins: people would be sent back and forth", base)
		}
	}
	if cfg.Session.BindAddress && len(around) == 0 {
		add(SeverityWarning, "Session.BindAddress", "behind a front server and without a site.Site all people have its address")
	}
}

// originsOf lists BaseURL's origin and the further ones, in their normal form.
func originsOf(cfg *Config) []string {
	var origins []string
	for _, raw := range append([]string{cfg.BaseURL}, cfg.Origins...) {
		if o, err := webauth.Origin(raw); err == nil {
			origins = append(origins, o)
		}
	}
	return origins
}
