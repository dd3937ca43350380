package serve

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// FindingsOf returns the mistakes that an error is about.
func FindingsOf(err error) []site.Finding {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var found []site.Finding
		for _, e := range many.Unwrap() {
			found = append(found, FindingsOf(e)...)
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

// Report is what is wrong or weak about a configuration, as it is found.
type Report struct{ site.Findings }

// Need reports a value that is missing.
func (k *Report) Need(key, value, what string) {
	if value == "" {
		k.Errorf(key, "this is missing: set it to %s", what)
	}
}

// OneOf reports a value that is none of the words it can be; all are in small letters, and so is
// the value since [Config.SetDefaults].
func (k *Report) OneOf(key, value string, known ...string) {
	switch name, err := words.Name(value, known...); {
	case err != nil:
		k.Errorf(key, "%v", err)
	case name != value:
		k.Errorf(key, "%q: write %q", value, name)
	}
}

// NotEmpty reports a list that is there, but says nothing.
func (k *Report) NotEmpty(key string, list []string) {
	if list != nil && len(list) == 0 {
		k.Errorf(key, "an empty list would let nobody in: leave it out, or name somebody")
	}
	for i, entry := range list {
		if entry == "" || strings.TrimSpace(entry) != entry {
			k.Errorf(config.Element(key, i+1), "%q: an entry must not be empty, nor begin or end with a blank", entry)
		}
	}
}

// CheckRanges reports ranges that mean something else than they seem to.
func (k *Report) CheckRanges(key string, ranges []netip.Prefix) {
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

// Between reports a duration that is too short, or too long unless most is 0, and returns
// whether it is neither.
func (k *Report) Between(key string, d Duration, least, most time.Duration) bool {
	switch v := time.Duration(d); {
	case v < least:
		k.Errorf(key, "%s is too short: the least is %s", words.Duration(v), words.Duration(least))
	case most > 0 && v > most:
		k.Errorf(key, "%s is too long: the most is %s", words.Duration(v), words.Duration(most))
	default:
		return true
	}
	return false
}

// Check reports what is wrong or weak about c, so far as no file needs to be looked at for
// that. headers are those of the site, and login checks where people log in.
func (c *Config) Check(k *Report, headers site.Headers, login func(*Report, *Config)) {
	c.checkSite(k, headers)
	login(k, c)
	k.Need("secret-file", c.SecretFile, "a file that is made on first use, such as /var/lib/"+c.command()+"/secret")
	c.checkRedis(k)
	c.checkListen(k)
	c.checkFront(k)
	k.OneOf("log.format", c.Log.Format, observe.Combined, observe.JSON)
	k.OneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
}

// noun is what the program is.
func (c *Config) noun() string { return c.Program[strings.LastIndexByte(c.Program, ' ')+1:] }

// command is the name of the program's binary.
func (c *Config) command() string { return strings.ReplaceAll(c.Program, " ", "") }

func (c *Config) checkFront(k *Report) {
	f := &c.Front
	k.CheckRanges("front.proxies", f.Proxies)
	for i, r := range f.Proxies {
		if IsWide(r) {
			k.Warnf(config.Element("front.proxies", i+1), "%v is many machines, each of which can say that it is anybody's front server", r)
		}
	}
	if f.Header != "" {
		k.OneOf("front.header", f.Header, XForwarded, Forwarded)
	}
	if !f.trusted() && f.Header != "" {
		k.Errorf("front.header", "nobody is believed: set front.proxies or front.unix-socket too")
	}
	if !f.trusted() && f.Host {
		k.Errorf("front.host", "nobody is believed: set front.proxies or front.unix-socket too")
	}
}
