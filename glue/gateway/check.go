package gateway

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Findings are the mistakes of a configuration that New, NewServer or Load refused.
func Findings(err error) []site.Finding {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var found []site.Finding
		for _, e := range many.Unwrap() {
			found = append(found, Findings(e)...)
		}
		return found
	}
	if refused := (*site.ConfigError)(nil); errors.As(err, &refused) {
		return refused.Findings
	}
	if err == nil {
		return nil
	}
	return []site.Finding{{Severity: site.SeverityError, Text: err.Error()}}
}

// Check lists what is wrong about a configuration or, if nothing is, what is weak. It reads the
// files that are named, tries what New does, and leaves everything as it is: no secret is
// made, no log begun, no socket opened. An empty list is a good sign, not a proof.
func Check(cfg Config) []site.Finding {
	k := cfg.check()
	if err := cfg.file.Err(k.Findings); err != nil {
		return Findings(err)
	}
	k.tryFiles()
	k.tryRedisPassword()
	k.tryCertificates()
	k.tryBackendCertificates()
	k.trySockets()
	return cfg.file.Placed(k.Findings).Sorted()
}

// normalise fills in the defaults and returns every mistake. It does not look at the files
// that the configuration names. To do it twice changes nothing.
func (c *Config) normalise() error { return c.file.Err(c.check().Findings) }

// checker finds out what is wrong or weak about a configuration.
type checker struct {
	*Config
	site.Findings
}

// check fills in the defaults, and finds what can be found without a look at files.
func (c *Config) check() *checker {
	c.setDefaults()
	k := &checker{Config: c}
	k.checkSite()
	k.checkService()
	k.lookAtService()
	k.checkState()
	k.checkListen()
	k.checkFront()
	k.checkIdentity()
	if c.Headers.HSTSSubDomains && c.Headers.HSTS == 0 {
		k.Errorf("headers.hsts-include-subdomains", "set headers.hsts too, to how long browsers shall remember it")
	}
	k.checkLimits()
	k.checkLog()
	k.checkRules()
	return k
}

// need reports a value that is missing.
func (k *checker) need(key, value, what string) {
	if value == "" {
		k.Errorf(key, "this is missing: set it to %s", what)
	}
}

// oneOf reports a value that is none of the words it can be.
func (k *checker) oneOf(key, value string, words ...string) {
	if !slices.Contains(words, value) {
		k.Errorf(key, "%q is none of %s", value, strings.Join(words, ", "))
	}
}

// notEmpty reports a list that is there, but says nothing.
func (k *checker) notEmpty(key string, list []string) {
	if list != nil && len(list) == 0 {
		k.Errorf(key, "an empty list would let nobody in: leave it out, or name somebody")
	}
	for i, entry := range list {
		if entry == "" || strings.TrimSpace(entry) != entry {
			k.Errorf(config.Element(key, i+1), "%q: an entry must not be empty, nor begin or end with a blank", entry)
		}
	}
}

// services are the values of WLS; those that are false need a KeyDir.
var services = map[string]bool{"raven": true, "raven-demo": true, "nevar": false, "goose": false, "custom": false}

func (k *checker) checkService() {
	if k.Service != nil {
		if k.WLS != "" || k.KeyDir != "" || k.CustomWLS != (CustomWLS{}) {
			k.Errorf("wls", "Config.Service is set already: leave wls, key-dir and custom-wls out")
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
		k.Errorf("key-dir", "the key of %s is built in: leave this out", k.WLS)
	case !bundled && k.KeyDir == "":
		k.Errorf("key-dir", "this is missing: the operators of %s hand out its public key; name a directory with it, as a file pubkeyN where N is the key's number", k.WLS)
	}
	if k.WLS == "raven-demo" {
		if !webauth.IsLoopback(k.BaseURL) {
			k.Errorf("wls", "anybody can sign as raven-demo, whose private key is published: it is for sites on a loopback host")
		}
		k.Warnf("wls", "anybody can sign as raven-demo, so that anybody can be anybody: for trying things out")
	}
	if k.WLS == "custom" {
		k.checkCustom()
	} else if k.CustomWLS != (CustomWLS{}) {
		k.Errorf("custom-wls", `this is for wls = "custom"`)
	}
}

func (k *checker) checkCustom() {
	k.need("custom-wls.name", k.CustomWLS.Name, "a short name for logs, such as college")
	k.need("custom-wls.auth-url", k.CustomWLS.AuthURL, "where the service has people log in, such as https://wls.example/authenticate")
	if name := k.CustomWLS.Name; name != "" && !serviceName.MatchString(name) {
		k.Errorf("custom-wls.name", "%q: use 1 to 32 of a-z, 0-9 and '-'", name)
	}
	for _, f := range [][2]string{{"custom-wls.auth-url", k.CustomWLS.AuthURL}, {"custom-wls.logout-url", k.CustomWLS.LogoutURL}} {
		if f[1] == "" {
			continue
		}
		origin, err := webauth.Origin(f[1])
		switch {
		case err != nil:
			k.Errorf(f[0], "%q: %v", f[1], err)
		case strings.Contains(f[1], "?"):
			k.Errorf(f[0], "%q must not have a query", f[1])
		case strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(origin):
			k.Errorf(f[0], "%q must be https (http is for loopback hosts)", f[1])
		}
	}
}

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// service is where people log in. It reads the service's keys, where they are in files.
func (c *Config) service() (webauth.Service, error) {
	s := c.serviceWithoutKeys()
	if c.Service != nil || s.Keys != nil {
		return s, nil
	}
	dir, err := keys.NewDir(keys.DirConfig{Path: c.KeyDir, Now: c.Now})
	if err != nil {
		return webauth.Service{}, c.file.Errorf("key-dir", "%v", err)
	}
	s.Keys = dir
	return s, nil
}

// serviceWithoutKeys is where people log in, without its keys where those are in files.
func (c *Config) serviceWithoutKeys() webauth.Service {
	if c.Service != nil {
		return *c.Service
	}
	switch c.WLS {
	case "raven":
		return webauth.Raven()
	case "raven-demo":
		return webauth.RavenDemo()
	case "nevar":
		return webauth.Nevar(nil)
	case "goose":
		return webauth.Goose(nil)
	}
	w := c.CustomWLS
	return webauth.Service{Name: w.Name, AuthURL: w.AuthURL, LogoutURL: w.LogoutURL, NoPtags: w.NoPtags}
}

// setsPtags reports whether the service sets ptags.
func (c *Config) setsPtags() bool { return !c.serviceWithoutKeys().NoPtags }

func (k *checker) checkState() {
	k.need("secret-file", k.SecretFile, "a file that is made on first use, such as /var/lib/wlsgateway/secret")
	if k.RedisURLFile != "" {
		if k.RedisURL != "" {
			k.Errorf("redis-url-file", "redis-url is there as well: leave one of them out")
		}
		return // whose content New looks at
	}
	if k.RedisURL != "" {
		checkRedisURL(&k.Findings, "redis-url", k.RedisURL)
	}
}

func (k *checker) checkFront() {
	f := &k.Front
	k.checkRanges("front.proxies", f.Proxies)
	for i, r := range f.Proxies {
		if isWide(r) {
			k.Warnf(config.Element("front.proxies", i+1), "%v is many machines, each of which can say that it is anybody's front server", r)
		}
	}
	trusted := len(f.Proxies) > 0 || f.UnixSocket
	if f.Header != "" {
		k.oneOf("front.header", f.Header, frontXForwarded, frontForwarded)
	}
	if !trusted && f.Header != "" {
		k.Errorf("front.header", "nobody is believed: set front.proxies or front.unix-socket too")
	}
	if f.URL != "" {
		k.oneOf("front.url", f.URL, urlOriginal, urlPath)
	}
	switch {
	case f.URL == "":
	case !k.ForwardAuth:
		k.Errorf("front.url", "no front server asks: set forward-auth = true too, or leave this out")
	case f.Header == frontForwarded:
		k.Errorf("front.url", "front servers that ask so write no Forwarded header: leave front.header out")
	case f.URL == urlPath && f.Host:
		k.Errorf("front.host", "front servers that ask by path keep the Host header, and clients could write the other: leave this out")
	}
	for i, r := range k.Rules {
		if f.URL == urlOriginal && r.Host != "" {
			k.Warnf(ruleKey(i, "host"), "ingress-nginx tells the Host header, and may have found another host's application by the request's target: rules that differ by host do not hold behind it")
		}
	}
	if !trusted && f.Host {
		k.Errorf("front.host", "nobody is believed: set front.proxies or front.unix-socket too")
	}
	if k.ForwardAuth && !trusted {
		k.Errorf("forward-auth", "name the front servers that may ask, in front.proxies or with front.unix-socket")
	}
}

// checkRanges reports ranges that mean something else than they seem to.
func (k *checker) checkRanges(key string, ranges []netip.Prefix) {
	for i, r := range ranges {
		key := config.Element(key, i+1)
		switch {
		case !r.IsValid():
			k.Errorf(key, "this is no address range")
		case r.Bits() == 0:
			k.Errorf(key, "%v is everybody: name those who are meant", r)
		case r != r.Masked():
			k.Errorf(key, "%v has bits beyond its length: write %v", r, r.Masked())
		case r.Addr().Is4In6():
			k.Errorf(key, "%v is IPv4 written as IPv6: write it as IPv4", r)
		}
	}
}

// between reports a duration that is too short, or too long unless most is 0, and returns
// whether it is neither.
func (k *checker) between(key string, d Duration, least, most time.Duration) bool {
	switch v := time.Duration(d); {
	case v < least:
		k.Errorf(key, "%v is too short: the least is %v", v, least)
	case most > 0 && v > most:
		k.Errorf(key, "%v is too long: the most is %v", v, most)
	default:
		return true
	}
	return false
}

func (k *checker) checkIdentity() {
	ways := []string{sendRemoteUser, sendXForwardedUser, sendXAA}
	for i, way := range k.Identity.Send {
		key := config.Element("identity.send", i+1)
		k.oneOf(key, way, ways...)
		if slices.Contains(k.Identity.Send[:i], way) {
			k.Errorf(key, "%q is there already", way)
		}
	}
	k.checkNamed()
	for i, name := range k.Identity.Strip {
		if !httpguts.ValidHeaderFieldName(name) {
			k.Errorf(config.Element("identity.strip", i+1), "%q is no name of a header", name)
		}
	}
	if k.Identity.HMACKeyFile != "" && !slices.Contains(k.Identity.Send, sendXAA) {
		k.Errorf("identity.hmac-key-file", "only the X-AA headers have this form: add %q to identity.send, or leave it out", sendXAA)
	}
}

func (k *checker) checkLimits() {
	l := &k.Limits
	if l.HeaderBytes < 4<<10 || l.HeaderBytes > 1<<20 {
		k.Errorf("limits.header-bytes", "%d: want 4096 to 1048576 (cookies and what people bring back from logging in need room)", l.HeaderBytes)
	}
	for _, f := range []struct {
		key   string
		value int64
	}{{"limits.body-bytes", l.BodyBytes}, {"limits.connections", int64(l.Connections)}, {"limits.idle-connections", int64(l.IdleConnections)}} {
		if f.value < 0 {
			k.Errorf(f.key, "%d must not be negative: leave it out for the default", f.value)
		}
	}
	if l.HeaderTimeout < 0 {
		k.Warnf("limits.header-timeout", "none: clients that send nothing can take all connections")
	}
	if l.IdleTimeout < 0 {
		k.Warnf("limits.idle-timeout", "none: clients that send nothing can take all connections")
	}
	if (l.BodyRate < 0 || l.BodyGrace < 0) && l.BodyTimeout <= 0 {
		k.Warnf("limits.body-rate", "none: clients that send a body slowly can take all connections to a backend for as long as they like")
	}
	if l.Connections > 0 && l.IdleConnections > l.Connections {
		l.IdleConnections = l.Connections
	}
}

func (k *checker) checkLog() {
	k.oneOf("log.format", k.Log.Format, observe.Combined, observe.JSON)
	k.oneOf("log.level", k.Log.Level, "debug", "info", "warn", "error")
}
