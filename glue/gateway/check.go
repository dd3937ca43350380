package gateway

import (
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/config"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// normalise fills in the defaults and reports every mistake, as Problems. It does not
// look at the files that the configuration names. To do it twice changes nothing.
func (c *Config) normalise() error { return c.check().Sorted() }

// checker collects problems.
type checker struct {
	*Config
	problems Problems
}

func (c *Config) check() Problems {
	c.setDefaults()
	k := &checker{Config: c}
	k.checkSite()
	k.checkService()
	k.checkState()
	k.checkListen()
	k.checkFront()
	k.checkSession()
	k.checkIdentity()
	k.checkHeaders()
	k.checkLimits()
	k.checkLog()
	k.checkRules()
	return k.problems
}

func (k *checker) bad(key, format string, args ...any) {
	k.problems = append(k.problems, k.file.Problem(key, format, args...))
}

// need reports a value that is missing.
func (k *checker) need(key, value, what string) {
	if value == "" {
		k.bad(key, "this is missing: set it to %s", what)
	}
}

// oneOf reports a value that is none of the words it can be.
func (k *checker) oneOf(key, value string, words ...string) {
	if !slices.Contains(words, value) {
		k.bad(key, "%q is none of %s", value, strings.Join(words, ", "))
	}
}

// notEmpty reports a list that is there, but says nothing.
func (k *checker) notEmpty(key string, list []string) {
	if list != nil && len(list) == 0 {
		k.bad(key, "an empty list would let nobody in: leave it out, or name somebody")
	}
	for i, entry := range list {
		if entry == "" || strings.TrimSpace(entry) != entry {
			k.bad(config.Element(key, i+1), "%q: an entry must not be empty, nor begin or end with a blank", entry)
		}
	}
}

func (k *checker) checkSite() {
	k.need("base-url", k.BaseURL, `where browsers see the site, such as "https://soc.example"`)
	if k.BaseURL != "" {
		k.BaseURL = k.origin("base-url", k.BaseURL)
	}
	seen := []string{k.BaseURL}
	for i, raw := range k.Origins {
		key := config.Element("origins", i+1)
		k.Origins[i] = k.origin(key, raw)
		if strings.HasPrefix(k.Origins[i], "https:") != strings.HasPrefix(k.BaseURL, "https:") && k.isOrigin(k.Origins[i]) && k.isOrigin(k.BaseURL) {
			k.bad(key, "%s has another scheme than base-url", k.Origins[i])
		}
		if slices.Contains(seen, k.Origins[i]) {
			k.bad(key, "%s is there already", k.Origins[i])
		}
		seen = append(seen, k.Origins[i])
	}
}

func (k *checker) isOrigin(s string) bool {
	_, err := webauth.Origin(s)
	return err == nil
}

// origin checks an address of the site, and gives its normal form.
func (k *checker) origin(key, raw string) string {
	origin, err := webauth.Origin(raw)
	if err != nil {
		k.bad(key, "%q: %v: write it such as https://soc.example", raw, err)
		return raw
	}
	if u, err := url.Parse(raw); err != nil || u.Path != "" && u.Path != "/" || strings.Contains(raw, "?") {
		k.bad(key, "%q has a path or a query: write %s", raw, origin)
	}
	if strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(origin) {
		k.bad(key, "%q: whoever is on the way could read and use people's sessions: use https (http is for loopback hosts)", raw)
	}
	return origin
}

// services are the values of WLS; those that are false need a KeyDir.
var services = map[string]bool{"raven": true, "raven-demo": true, "nevar": false, "goose": false, "custom": false}

func (k *checker) checkService() {
	if k.Service != nil {
		if k.WLS != "" || k.KeyDir != "" || k.CustomWLS != (CustomWLS{}) {
			k.bad("wls", "Config.Service is set already: leave wls, key-dir and custom-wls out")
		}
		return
	}
	bundled, known := services[k.WLS]
	switch {
	case k.WLS == "":
		k.need("wls", k.WLS, `where people log in: "raven", "raven-demo", "nevar", "goose" or "custom"`)
	case !known:
		k.oneOf("wls", k.WLS, "raven", "raven-demo", "nevar", "goose", "custom")
	case bundled && k.KeyDir != "":
		k.bad("key-dir", "the key of %s is built in: leave this out", k.WLS)
	case !bundled && k.KeyDir == "":
		k.bad("key-dir", "this is missing: the operators of %s hand out its public key; name a directory with it, as a file pubkeyN where N is the key's number", k.WLS)
	}
	if k.WLS == "raven-demo" && !webauth.IsLoopback(k.BaseURL) {
		k.bad("wls", "anybody can sign as raven-demo, whose private key is published: it is for sites on a loopback host")
	}
	if k.WLS == "custom" {
		k.checkCustom()
	} else if k.CustomWLS != (CustomWLS{}) {
		k.bad("custom-wls", `this is for wls = "custom"`)
	}
}

func (k *checker) checkCustom() {
	k.need("custom-wls.name", k.CustomWLS.Name, "a short name for logs, such as college")
	k.need("custom-wls.auth-url", k.CustomWLS.AuthURL, "where the service has people log in, such as https://wls.example/authenticate")
	if name := k.CustomWLS.Name; name != "" && !serviceName.MatchString(name) {
		k.bad("custom-wls.name", "%q: use 1 to 32 of a-z, 0-9 and '-'", name)
	}
	for _, f := range [][2]string{{"custom-wls.auth-url", k.CustomWLS.AuthURL}, {"custom-wls.logout-url", k.CustomWLS.LogoutURL}} {
		if f[1] == "" {
			continue
		}
		origin, err := webauth.Origin(f[1])
		switch {
		case err != nil:
			k.bad(f[0], "%q: %v", f[1], err)
		case strings.Contains(f[1], "?"):
			k.bad(f[0], "%q must not have a query", f[1])
		case strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(origin):
			k.bad(f[0], "%q must be https (http is for loopback hosts)", f[1])
		}
	}
}

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// service is where people log in. It reads the service's keys, where they are in files.
func (c *Config) service() (webauth.Service, error) {
	if c.Service != nil {
		return *c.Service, nil
	}
	switch c.WLS {
	case "raven":
		return webauth.Raven(), nil
	case "raven-demo":
		return webauth.RavenDemo(), nil
	}
	dir, err := keys.NewDir(keys.DirConfig{Path: c.KeyDir, Now: c.Now})
	if err != nil {
		return webauth.Service{}, c.file.Problem("key-dir", "%v", err)
	}
	switch c.WLS {
	case "nevar":
		return webauth.Nevar(dir), nil
	case "goose":
		return webauth.Goose(dir), nil
	}
	w := c.CustomWLS
	return webauth.Service{Name: w.Name, AuthURL: w.AuthURL, LogoutURL: w.LogoutURL, NoPtags: w.NoPtags, Keys: dir}, nil
}

// setsPtags reports whether the service sets ptags, without reading its keys.
func (c *Config) setsPtags() bool {
	if c.Service != nil {
		return !c.Service.NoPtags
	}
	return c.WLS != "goose" && (c.WLS != "custom" || !c.CustomWLS.NoPtags)
}

func (k *checker) checkState() {
	k.need("secret-file", k.SecretFile, "a file that is made on first use, such as /var/lib/wlsgateway/secret")
	if k.RedisURL == "" {
		return
	}
	// It may hold a password, so nothing of it is shown.
	u, err := url.Parse(k.RedisURL)
	if err != nil || !isRedis(u) {
		k.bad("redis-url", "this is no address of Redis: write it such as redis://user:password@127.0.0.1:6379/0, rediss://... for TLS, or unix:///path/of/socket; in a password, write other signs than letters and digits as %%XX")
	}
}

// isRedis reports whether each part of a URL is what it seems to be. A password with a
// '/', '?' or '#' in it would go on as path, query or fragment, and be shown as such.
func isRedis(u *url.URL) bool {
	if u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(u.Path, "@") {
		return false
	}
	switch u.Scheme {
	case "redis", "rediss":
		return u.Hostname() != "" && redisDatabase.MatchString(u.Path)
	case "unix":
		return u.Host == "" && len(u.Path) > 1
	}
	return false
}

var redisDatabase = regexp.MustCompile(`^(/[0-9]{0,5})?$`)

func (k *checker) checkFront() {
	f := &k.Front
	k.checkRanges("front.proxies", f.Proxies)
	trusted := len(f.Proxies) > 0 || f.UnixSocket
	if f.Header != "" {
		k.oneOf("front.header", f.Header, frontXForwarded, frontForwarded)
	}
	if !trusted && f.Header != "" {
		k.bad("front.header", "nobody is believed: set front.proxies or front.unix-socket too")
	}
	if !trusted && f.Host {
		k.bad("front.host", "nobody is believed: set front.proxies or front.unix-socket too")
	}
	if k.ForwardAuth && !trusted {
		k.bad("forward-auth", "name the front servers that may ask, in front.proxies or with front.unix-socket")
	}
}

// checkRanges reports ranges that mean something else than they seem to.
func (k *checker) checkRanges(key string, ranges []netip.Prefix) {
	for i, r := range ranges {
		key := config.Element(key, i+1)
		switch {
		case !r.IsValid():
			k.bad(key, "this is no address range")
		case r.Bits() == 0:
			k.bad(key, "%v is everybody: name those who are meant", r)
		case r != r.Masked():
			k.bad(key, "%v has bits beyond its length: write %v", r, r.Masked())
		case r.Addr().Is4In6():
			k.bad(key, "%v is IPv4 written as IPv6: write it as IPv4", r)
		}
	}
}

func (k *checker) checkSession() {
	s := &k.Session
	k.between("session.max-life", s.MaxLife, time.Minute, 0)
	if s.Inactivity != 0 {
		k.between("session.inactivity", s.Inactivity, 2*time.Minute, 0)
	}
	k.between("session.response-max-age", s.MaxAge, time.Second, 10*time.Minute)
	k.between("session.clock-skew", s.Skew, 0, 10*time.Minute)
	if p := s.AfterLogout; p != "" && !isPlainPath(p) {
		k.bad("session.after-logout", "%q is no path of this site: write it such as /goodbye", p)
	}
}

// between reports a duration that is too short, or too long unless most is 0.
func (k *checker) between(key string, d Duration, least, most time.Duration) {
	switch v := time.Duration(d); {
	case v < least:
		k.bad(key, "%v is too short: the least is %v", v, least)
	case most > 0 && v > most:
		k.bad(key, "%v is too long: the most is %v", v, most)
	}
}

// isPlainPath reports whether browsers take p for a path of the same site.
func isPlainPath(p string) bool {
	return strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "//") && !strings.ContainsFunc(p, func(r rune) bool {
		return r <= ' ' || r == '\\' || r >= 0x7f
	})
}

func (k *checker) checkIdentity() {
	ways := []string{sendRemoteUser, sendXForwardedUser, sendXAA}
	for i, way := range k.Identity.Send {
		key := config.Element("identity.send", i+1)
		k.oneOf(key, way, ways...)
		if slices.Contains(k.Identity.Send[:i], way) {
			k.bad(key, "%q is there already", way)
		}
	}
	for i, name := range k.Identity.Strip {
		if !headerName.MatchString(name) {
			k.bad(config.Element("identity.strip", i+1), "%q is no name of a header", name)
		}
	}
	if k.Identity.HMACKeyFile != "" && !slices.Contains(k.Identity.Send, sendXAA) {
		k.bad("identity.hmac-key-file", "only the X-AA headers have this form: add %q to identity.send, or leave it out", sendXAA)
	}
}

// headerName is a field name of RFC 9110 section 5.1.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// checkHeaders asks package site about one header after the other.
func (k *checker) checkHeaders() {
	h := &k.Headers
	if h.HSTSSubDomains && h.HSTS == 0 {
		k.bad("headers.hsts-include-subdomains", "set headers.hsts too, to how long browsers shall remember it")
	}
	base := k.BaseURL
	if _, err := site.New(site.Config{BaseURL: base}); err != nil {
		base = "https://soc.example" // that is reported already
	}
	for _, f := range []struct {
		key, field string
		set        func(to *site.Headers)
	}{
		{"content-security-policy", "CSP", func(to *site.Headers) { to.CSP = h.CSP }},
		{"frame-ancestors", "FrameAncestors", func(to *site.Headers) { to.FrameAncestors = h.FrameAncestors }},
		{"referrer-policy", "ReferrerPolicy", func(to *site.Headers) { to.ReferrerPolicy = h.ReferrerPolicy }},
		{"permissions-policy", "PermissionsPolicy", func(to *site.Headers) { to.PermissionsPolicy = h.PermissionsPolicy }},
		{"hsts", "HSTS", func(to *site.Headers) { to.HSTS.MaxAge = time.Duration(h.HSTS) }},
	} {
		cfg := site.Config{BaseURL: base, Logger: slog.New(slog.DiscardHandler)}
		f.set(&cfg.Headers)
		if _, err := site.New(cfg); err != nil {
			_, text, _ := strings.Cut(err.Error(), f.field+": ")
			k.bad("headers."+f.key, "%s", text)
		}
	}
}

func (k *checker) checkLimits() {
	l := &k.Limits
	if l.HeaderBytes < 4<<10 || l.HeaderBytes > 1<<20 {
		k.bad("limits.header-bytes", "%d: want 4096 to 1048576 (cookies and what people bring back from logging in need room)", l.HeaderBytes)
	}
	for _, f := range []struct {
		key   string
		value int64
	}{{"limits.body-bytes", l.BodyBytes}, {"limits.connections", int64(l.Connections)}, {"limits.idle-connections", int64(l.IdleConnections)}} {
		if f.value < 0 {
			k.bad(f.key, "%d must not be negative: leave it out for the default", f.value)
		}
	}
	if l.Connections > 0 && l.IdleConnections > l.Connections {
		l.IdleConnections = l.Connections
	}
}

func (k *checker) checkLog() {
	k.oneOf("log.format", k.Log.Format, observe.Combined, observe.JSON)
	k.oneOf("log.level", k.Log.Level, "debug", "info", "warn", "error")
}
