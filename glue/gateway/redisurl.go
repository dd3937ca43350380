package gateway

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
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

// tryRedisPassword reports a password in a configuration file that others can read.
func (k *checker) tryRedisPassword() {
	u, err := url.Parse(k.RedisURL)
	if err != nil || k.file.Name() == "" {
		return
	}
	if _, has := u.User.Password(); !has {
		return
	}
	file, err := secretfile.Read(k.file.Name(), maxConfigFile)
	if err == nil && file.Warning != "" {
		err = errors.New(file.Warning)
	}
	if err != nil {
		k.Warnf("redis-url", "there is a password in it, and this file is not for the gateway alone: put the URL into a file of its own, with redis-url-file (%v)", err)
	}
}

// maxConfigFile is more than a configuration file can have, in bytes.
const maxConfigFile = 2 << 20

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
