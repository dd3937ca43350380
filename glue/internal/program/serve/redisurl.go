package serve

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// MaxSecretFile bounds the files of keys and passwords, in bytes.
const MaxSecretFile = 64 << 10

// ReadSecretFile reads a file that must stay secret, and notes who can read it that should not.
func (c *Config) ReadSecretFile(noted *site.Findings, key, path string) ([]byte, error) {
	file, err := secretfile.Read(path, MaxSecretFile)
	if err != nil {
		return nil, c.File.Errorf(key, "%s: %v", path, err)
	}
	if file.Warning != "" {
		noted.Warnf(key, "%s %s", path, file.Warning)
	}
	return file.Text, nil
}

func (c *Config) checkRedis(k *Report) {
	if c.RedisURLFile != "" {
		if c.RedisURL != "" {
			k.Errorf("redis-url-file", "redis-url is there as well: leave one of them out")
		}
		return // whose content is looked at when it is read
	}
	if c.RedisURL != "" {
		checkRedisURL(&k.Findings, "redis-url", c.RedisURL)
	}
}

// redisURL returns the address of Redis, from its file where there is one, and the key that is
// answerable for it; empty for none.
func (c *Config) redisURL(noted *site.Findings) (address, key string, err error) {
	file := c.RedisURLFile
	if file == "" {
		return c.RedisURL, "redis-url", nil
	}
	key = "redis-url-file"
	text, err := c.ReadSecretFile(noted, key, file)
	if err != nil {
		return "", key, err
	}
	address = strings.TrimSpace(string(text))
	var found site.Findings
	checkRedisURL(&found, key, address)
	*noted = append(*noted, found...)
	return address, key, c.File.Err(found)
}

// checkRedisURL looks at an address of Redis. It may hold a password, so nothing of it is shown.
func checkRedisURL(found *site.Findings, key, address string) {
	u, err := url.Parse(address)
	if err != nil || !isRedis(u) {
		found.Errorf(key, "this is no address of Redis: write it such as redis://user:password@127.0.0.1:6379/0, rediss://... for TLS, or unix:///path/of/socket; in a password, write other signs than letters and digits as %%XX")
		return
	}
	if u.Scheme == "redis" && !IsLoopbackHost(u.Hostname()) {
		found.Warnf(key, "whoever is on the way to Redis can read and make sessions: use rediss://")
	}
}

// tryRedisPassword reports a password in a configuration file that others can read.
func (c *Config) tryRedisPassword(k *Report) {
	u, err := url.Parse(c.RedisURL)
	if err != nil || c.File.Name() == "" {
		return
	}
	if _, has := u.User.Password(); !has {
		return
	}
	file, err := secretfile.Read(c.File.Name(), maxConfigFile)
	if err == nil && file.Warning != "" {
		err = errors.New(file.Warning)
	}
	if err != nil {
		k.Warnf("redis-url", "there is a password in it, and this file is not for the "+c.noun()+" alone: put the URL into a file of its own, with redis-url-file (%v)", err)
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

// WithoutSecrets returns what of a Redis's URL cannot be a password: which one it is.
func WithoutSecrets(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "" // only a URL that can be read is in force
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
