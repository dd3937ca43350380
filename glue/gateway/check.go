package gateway

import (
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Findings are the mistakes of a configuration that New, NewServer or Load refused.
func Findings(err error) []site.Finding { return serve.FindingsOf(err) }

// Check lists what is wrong about a configuration or, if nothing is, what is weak. It reads the
// files that are named, tries what New does, and leaves everything as it is: no secret is made,
// no log begun, no socket opened. An empty list does not prove that all is well.
func Check(cfg Config) []site.Finding {
	k := cfg.check()
	if err := cfg.file.Err(k.Findings); err != nil {
		return Findings(err)
	}
	k.tryFiles()
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
	serve.Report
}

// check fills in the defaults, and finds what can be found without a look at files.
func (c *Config) check() *checker {
	c.setDefaults()
	k := &checker{Config: c}
	common := c.common()
	common.Check(&k.Report, c.Headers.site(), c.login().Check)
	c.setCommon(common)
	k.checkForwardAuth()
	k.checkIdentity()
	if c.Headers.HSTSSubDomains && c.Headers.HSTS == 0 {
		k.Errorf("headers.hsts-include-subdomains", "set headers.hsts too, to how long browsers shall remember it")
	}
	k.checkLimits()
	k.checkRules()
	return k
}

// checkForwardAuth checks what is said of front servers that ask.
func (k *checker) checkForwardAuth() {
	f := &k.Front
	if f.URL != "" {
		k.OneOf("front.url", f.URL, urlOriginal, urlPath)
	}
	switch {
	case f.URL == "":
	case !k.ForwardAuth:
		k.Errorf("front.url", "no front server asks: set forward-auth = true too, or leave this out")
	case f.Header == serve.Forwarded:
		k.Errorf("front.url", "front servers that ask so write no Forwarded header: leave front.header out")
	case f.URL == urlPath && f.Host:
		k.Errorf("front.host", "front servers that ask by path keep the Host header, and clients could write the other: leave this out")
	}
	for i, r := range k.Rules {
		if f.URL == urlOriginal && r.Host != "" {
			k.Warnf(ruleKey(i, "host"), "ingress-nginx tells the Host header, and may have found another host's application by the request's target: rules that differ by host do not hold behind it")
		}
	}
	if k.ForwardAuth && len(f.Proxies) == 0 && !f.UnixSocket {
		k.Errorf("forward-auth", "name the front servers that may ask, in front.proxies or with front.unix-socket")
	}
}

func (k *checker) checkIdentity() {
	ways := []string{sendRemoteUser, sendXForwardedUser, sendXAA}
	for i, way := range k.Identity.Send {
		key := config.Element("identity.send", i+1)
		k.OneOf(key, way, ways...)
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
