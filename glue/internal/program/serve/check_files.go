package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Try puts a configuration to work, to see what is wrong or weak about the files that it
// names, and leaves everything as it is: use is to make of it what the program would, and is
// given one that writes nothing of anybody's. use reports what it finds itself.
func (c *Config) Try(k *Report, use func(Config)) {
	cfg := *c
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Log.Access = observe.Off
	if c.Log.Access != observe.Off && c.Log.Access != observe.Stdout {
		c.tryDirectory(k, "log.access", c.Log.Access)
	}
	if !c.trySecret(k) {
		elsewhere, err := os.MkdirTemp("", c.command())
		if err != nil {
			k.Errorf("secret-file", "%v", err)
			return
		}
		defer os.RemoveAll(elsewhere)
		cfg.SecretFile = filepath.Join(elsewhere, "secret")
	}
	use(cfg)
	c.tryRedisPassword(k)
	c.tryCertificates(k)
}

// trySecret reports whether there is a secret to go on with.
func (c *Config) trySecret(k *Report) bool {
	_, err := os.Stat(c.SecretFile)
	usable := !errors.Is(err, fs.ErrNotExist)
	for _, f := range site.Check(site.Config{BaseURL: standIn, SecretFile: c.SecretFile}) {
		if f.Key == "SecretFile" {
			f.Key = "secret-file"
			k.Findings = append(k.Findings, f)
			usable = usable && f.Severity != site.SeverityError
		}
	}
	return usable
}

// tryDirectory reports a file that cannot be made because its directory is not there.
func (c *Config) tryDirectory(k *Report, key, file string) bool {
	info, err := os.Stat(filepath.Dir(file))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", filepath.Dir(file))
	}
	if err != nil {
		k.Errorf(key, "%v: make the directory, for the user that the %s runs as", err, c.noun())
	}
	return err == nil
}

// tryCertificates reads the certificates and compares them with the site's hosts.
func (c *Config) tryCertificates(k *Report) {
	listen := c.Listening(false)
	if len(listen.HTTPS) == 0 {
		return
	}
	pairs, err := loadKeyPairs(c)
	if err != nil {
		k.Findings = append(k.Findings, FindingsOf(err)...)
		return
	}
	for i, p := range pairs {
		c.lookAtCertificate(k, config.Element("listen.certificate", i+1), p)
	}
	for _, host := range c.Hosts() {
		name := HostnameOf(host)
		if !slices.ContainsFunc(pairs, func(p *keyPair) bool { return p.pair.Leaf.VerifyHostname(name) == nil }) {
			k.Warnf("listen.certificate", "no certificate is for %s: browsers will warn people", name)
		}
	}
}

func (c *Config) lookAtCertificate(k *Report, key string, p *keyPair) {
	c.lookAtKeyPair(k, key, p)
	if len(p.pair.Certificate) == 1 && !isSelfSigned(p.pair) {
		k.Warnf(key, "%s has no certificates beside the site's own: most browsers need those in between too (fullchain.pem, as some call it)", p.files.Cert)
	}
}

// lookAtKeyPair warns of a certificate that is out of date, and of a key that others can use.
func (c *Config) lookAtKeyPair(k *Report, key string, p *keyPair) {
	switch left := p.pair.Leaf.NotAfter.Sub(c.Now()); {
	case left <= 0:
		k.Warnf(key, "%s expired on %s", p.files.Cert, p.pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	case left < 7*24*time.Hour:
		k.Warnf(key, "%s expires on %s", p.files.Cert, p.pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	if c.Now().Before(p.pair.Leaf.NotBefore) {
		k.Warnf(key, "%s is not good before %s", p.files.Cert, p.pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	if p.warning != "" {
		k.Warnf(key, "%s %s", p.files.Key, p.warning)
	}
}

func isSelfSigned(c *tls.Certificate) bool {
	return c.Leaf.CheckSignatureFrom(asAuthority(c.Leaf)) == nil
}

// asAuthority lets a certificate that is no authority be compared with its own signature.
func asAuthority(c *x509.Certificate) *x509.Certificate {
	own := *c
	own.BasicConstraintsValid, own.IsCA, own.KeyUsage = true, true, 0
	return &own
}

// TryKeyPair warns of a certificate that is out of date, and of a key that others can use.
func (c *Config) TryKeyPair(k *Report, key string, files Certificate) {
	if p, err := readKeyPair(files); err == nil {
		c.lookAtKeyPair(k, key, p)
	}
}
