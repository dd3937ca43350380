package gateway

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
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// tryFiles makes a gateway that writes nothing.
func (k *checker) tryFiles() {
	cfg := *k.Config
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Log.Access = observe.Off
	if k.Log.Access != observe.Off && k.Log.Access != observe.Stdout {
		k.tryDirectory("log.access", k.Log.Access)
	}
	if !k.trySecret() {
		elsewhere, err := os.MkdirTemp("", "wlsgateway")
		if err != nil {
			k.Errorf("secret-file", "%v", err)
			return
		}
		defer os.RemoveAll(elsewhere)
		cfg.SecretFile = filepath.Join(elsewhere, "secret")
	}
	g, err := New(cfg)
	if err != nil {
		k.Findings = append(k.Findings, Findings(err)...)
		return
	}
	k.Findings = append(k.Findings, g.core.Load().noted...)
	if err := g.Close(); err != nil {
		k.Errorf("", "%v", err)
	}
}

// trySecret reports whether there is a secret to go on with.
func (k *checker) trySecret() bool {
	_, err := os.Stat(k.SecretFile)
	usable := !errors.Is(err, fs.ErrNotExist)
	for _, f := range site.Check(site.Config{BaseURL: standIn, SecretFile: k.SecretFile}) {
		if f.Key == "SecretFile" {
			f.Key = "secret-file"
			k.Findings = append(k.Findings, f)
			usable = usable && f.Severity != site.SeverityError
		}
	}
	return usable
}

// tryDirectory reports a file that cannot be made because its directory is not there.
func (k *checker) tryDirectory(key, file string) bool {
	info, err := os.Stat(filepath.Dir(file))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", filepath.Dir(file))
	}
	if err != nil {
		k.Errorf(key, "%v: make the directory, for the user that the gateway runs as", err)
	}
	return err == nil
}

// tryCertificates reads the certificates and compares them with the site's hosts.
func (k *checker) tryCertificates() {
	listen := k.listening(false)
	if len(listen.HTTPS) == 0 {
		return
	}
	pairs, err := loadKeyPairs(k.Config)
	if err != nil {
		k.Findings = append(k.Findings, Findings(err)...)
		return
	}
	for i, p := range pairs {
		k.lookAtCertificate(config.Element("listen.certificate", i+1), p)
	}
	for _, host := range k.hosts() {
		name := hostnameOf(host)
		if !slices.ContainsFunc(pairs, func(p *keyPair) bool { return p.pair.Leaf.VerifyHostname(name) == nil }) {
			k.Warnf("listen.certificate", "no certificate is for %s: browsers will warn people", name)
		}
	}
}

func (k *checker) lookAtCertificate(key string, p *keyPair) {
	k.lookAtKeyPair(key, p)
	if len(p.pair.Certificate) == 1 && !isSelfSigned(p.pair) {
		k.Warnf(key, "%s has no certificates beside the site's own: most browsers need those in between too (fullchain.pem, as some call it)", p.files.Cert)
	}
}

// lookAtKeyPair warns of a certificate that is out of date, and of a key that others can use.
func (k *checker) lookAtKeyPair(key string, p *keyPair) {
	switch left := p.pair.Leaf.NotAfter.Sub(k.Now()); {
	case left <= 0:
		k.Warnf(key, "%s expired on %s", p.files.Cert, p.pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	case left < 7*24*time.Hour:
		k.Warnf(key, "%s expires on %s", p.files.Cert, p.pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	if k.Now().Before(p.pair.Leaf.NotBefore) {
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

// trySockets looks at the sockets of backends.
func (k *checker) trySockets() {
	for i, r := range k.Rules {
		path, ok := strings.CutPrefix(r.To, listen.Unix)
		if !ok {
			continue
		}
		key := ruleKey(i, "to")
		info, err := os.Stat(path)
		switch {
		case err != nil:
			k.Notef(key, "%s cannot be found now: until it is there, people see an error", path)
		case info.Mode().Type() != os.ModeSocket:
			k.Warnf(key, "%s is no socket", path)
		case info.Mode().Perm()&0o002 != 0:
			k.Warnf(key, "everybody on this machine can reach %s and claim to be anybody%s", path, k.claims())
		}
	}
}
