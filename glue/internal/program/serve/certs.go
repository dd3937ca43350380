package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// certificateInterval is how often, at most, the files of certificates are looked at.
const certificateInterval = time.Second

// certificates are those of the https listeners. They follow their files: a handshake
// finds out that one has changed. What cannot be used is logged and leaves the old one
// in force, because an old certificate serves people better than none.
type certificates struct {
	now     func() time.Time
	program string // begins what is logged
	log     *slog.Logger
	expires func(file string, at time.Time) // is told of each that is put in force

	looked  atomic.Int64 // when, in Unix nanoseconds
	mu      sync.Mutex   // held while files are read
	current atomic.Pointer[[]*keyPair]
}

// keyPair is a certificate with its key, and the state of the files it was read from.
type keyPair struct {
	files     Certificate
	cert, key fs.FileInfo // nil for a file that is not there
	pair      *tls.Certificate
	warning   string // about who can read the key's file
	failure   string // of the last attempt to read them anew; empty if that went well
}

func newCertificates(cfg *Config, expires func(string, time.Time)) *certificates {
	return &certificates{now: cfg.Now, program: cfg.Program, log: cfg.Logger, expires: expires}
}

// loadKeyPairs reads the certificates of a configuration, or those where they are by
// default. It reports every one that cannot be used.
func loadKeyPairs(cfg *Config) ([]*keyPair, error) {
	files := cfg.certificates()
	var found site.Findings
	pairs := make([]*keyPair, len(files))
	for i, f := range files {
		var err error
		if pairs[i], err = readKeyPair(f); err != nil {
			found.Errorf(config.Element("listen.certificate", i+1), "%v", err)
		}
	}
	return pairs, cfg.File.Err(found)
}

// readKeyPair returns the state of the files even where they cannot be used.
func readKeyPair(files Certificate) (*keyPair, error) {
	p := &keyPair{files: files}
	p.cert, p.key = stat(files.Cert), stat(files.Key) // before reading: a later change shows
	cert, err := os.ReadFile(files.Cert)
	key := &secretfile.File{}
	if err == nil {
		if key, err = secretfile.Read(files.Key, MaxSecretFile); err != nil {
			err = fmt.Errorf("%s: %w", files.Key, err)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, fmt.Errorf("%v: put the certificate and its key there, or name them in [[listen.certificate]]", err)
	case err != nil:
		return p, err
	}
	pair, err := tls.X509KeyPair(cert, key.Text)
	if err != nil {
		return p, fmt.Errorf("%s with %s: %v", files.Cert, files.Key, err)
	}
	p.pair, p.warning = &pair, key.Warning
	return p, nil
}

func stat(file string) fs.FileInfo {
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	return info
}

func (p *keyPair) changed() bool {
	return differ(p.cert, stat(p.files.Cert)) || differ(p.key, stat(p.files.Key))
}

func differ(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a != b
	}
	return !os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime())
}

// use puts certificates in force.
func (c *certificates) use(pairs []*keyPair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range pairs {
		c.expires(p.files.Cert, p.pair.Leaf.NotAfter)
		c.warn(p)
	}
	c.current.Store(&pairs)
	c.looked.Store(c.now().UnixNano())
}

// warn tells the operator who can read a key that should not.
func (c *certificates) warn(p *keyPair) {
	if p.warning != "" {
		c.log.Warn(c.program + ": " + p.files.Key + " " + p.warning)
	}
}

// get is for tls.Config.GetCertificate. It returns the first certificate that the client
// can use for the name that it asks for, else the first one of all.
func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.follow()
	pairs := *c.current.Load()
	for _, p := range pairs {
		if hello.SupportsCertificate(p.pair) == nil {
			return p.pair, nil
		}
	}
	return pairs[0].pair, nil
}

// follow reads files that have changed. While one handshake does, others go on with what
// there is.
func (c *certificates) follow() {
	if age := c.now().UnixNano() - c.looked.Load(); 0 <= age && age < int64(certificateInterval) || !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	pairs := slices.Clone(*c.current.Load())
	for i, p := range pairs {
		if p.failure != "" || p.changed() {
			pairs[i] = c.renew(p)
		}
	}
	c.current.Store(&pairs)
	c.looked.Store(c.now().UnixNano())
}

// renew reads a certificate again. One that cannot be used is tried again each time, for what
// is wrong may be mended without a change that shows: by the key's owner, say. It is logged
// once.
func (c *certificates) renew(old *keyPair) *keyPair {
	p, err := readKeyPair(old.files)
	if err != nil {
		p.pair, p.failure = old.pair, err.Error()
		if p.failure == old.failure {
			return p
		}
		c.log.Error(c.program+": the new certificate cannot be used, the old one stays", "file", p.files.Cert,
			"error", err, "expires", old.pair.Leaf.NotAfter)
		return p
	}
	c.expires(p.files.Cert, p.pair.Leaf.NotAfter)
	c.warn(p)
	c.log.Info(c.program+": certificate renewed", "file", p.files.Cert, "expires", p.pair.Leaf.NotAfter)
	return p
}
