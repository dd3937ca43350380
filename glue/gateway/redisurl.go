package gateway

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// redisURL returns the address of Redis, from its file where there is one, and the key that is
// answerable for it; empty for none.
func (c *core) redisURL() (address, key string, err error) {
	file := c.cfg.RedisURLFile
	if file == "" {
		return c.cfg.RedisURL, "redis-url", nil
	}
	key = "redis-url-file"
	text, err := c.readSecretFile(key, file)
	if err != nil {
		return "", key, err
	}
	address = strings.TrimSpace(string(text))
	var found site.Findings
	checkRedisURL(&found, key, address)
	c.noted = append(c.noted, found...)
	return address, key, c.cfg.file.Err(found)
}

// checkRedisURL looks at an address of Redis. It may hold a password, so nothing of it is shown.
func checkRedisURL(found *site.Findings, key, address string) {
	u, err := url.Parse(address)
	if err != nil || !isRedis(u) {
		found.Errorf(key, "this is no address of Redis: write it such as redis://user:password@127.0.0.1:6379/0, rediss://... for TLS, or unix:///path/of/socket; in a password, write other signs than letters and digits as %%XX")
		return
	}
	if u.Scheme == "redis" && !isLoopbackHost(u.Hostname()) {
		found.Warnf(key, "whoever is on the way to Redis can read and make sessions: use rediss://")
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
