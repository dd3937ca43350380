package site

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// ErrNoSecret is the error of what needs a secret, for a site without one.
var ErrNoSecret = errors.New("site: Config.SecretFile is missing: name a file that this program may write once, such as /var/lib/soc/secret")

// secretInUse is the site's secret, and all that was made of it.
type secretInUse struct {
	ring  atomic.Pointer[keyring] // nil without a secret
	mu    sync.Mutex              // held while the secret is replaced, or a user comes
	users []func(*Secret) error
}

// keyring is a secret and the keys that were derived from it for Site.Keys, which
// requests call.
type keyring struct {
	secret  *Secret
	derived sync.Map // derivedName to [][]byte
}

// derivedName returns a name of its own for each purpose and context of keys.
type derivedName struct {
	purpose string
	context string // its parts with their lengths
}

// Keys derives keys from the site's secret for one purpose of this site, and for what else
// the context says that they must not be shared with; the first seals, all open. It is nil
// for a site without a secret. The keys change with [Site.SetSecret], so ask each time, and
// do not change them. They are kept, so purposes and contexts must not come from requests.
func (s *Site) Keys(purpose string, context ...string) [][]byte {
	ring := s.secret.ring.Load()
	if ring == nil {
		return nil
	}
	name := derivedName{purpose: purpose}
	for _, part := range context {
		name.context = string(appendPart([]byte(name.context), part))
	}
	if keys, ok := ring.derived.Load(name); ok {
		return keys.([][]byte)
	}
	keys := ring.secret.Derive("site "+purpose, append([]string{s.origin, s.path}, context...)...)
	ring.derived.Store(name, keys)
	return keys
}

// OnSecret calls use with the site's secret, now and whenever it is replaced: for packages that
// keep what they derive from it. Where use returns an error it must go on with what it had; a
// replacement is then refused as a whole. It is an error where the site has no secret.
func (s *Site) OnSecret(use func(*Secret) error) error {
	s.secret.mu.Lock()
	defer s.secret.mu.Unlock()
	ring := s.secret.ring.Load()
	if ring == nil {
		return ErrNoSecret
	}
	if err := use(ring.secret); err != nil {
		return err
	}
	s.secret.users = append(s.secret.users, use)
	return nil
}

// SetSecret replaces the site's secret while requests go on. Sessions and logins in flight
// continue if the new secret keeps the line that they were made with; see "Rotation" in the
// package documentation. Should somebody not be
// able to use the new secret, the old one stays in force for all.
func (s *Site) SetSecret(secret *Secret) error {
	if secret == nil || secret.lines == nil {
		return errors.New("site: SetSecret: nil")
	}
	s.secret.mu.Lock()
	defer s.secret.mu.Unlock()
	if s.secret.ring.Load() == nil {
		return ErrNoSecret
	}
	for i, use := range s.secret.users {
		err := use(secret)
		if err == nil {
			continue
		}
		for _, undo := range s.secret.users[:i] {
			err = errors.Join(err, undo(s.secret.ring.Load().secret))
		}
		return err
	}
	s.secret.ring.Store(&keyring{secret: secret})
	return nil
}

// ReloadSecret reads Config.SecretFile again and does as [Site.SetSecret]; if the file
// cannot be used, the old secret stays in force. Call it on SIGHUP, say.
func (s *Site) ReloadSecret() error {
	if s.cfg.SecretFile == "" {
		return errors.New("site: ReloadSecret: there is no Config.SecretFile")
	}
	if _, err := os.Stat(s.cfg.SecretFile); err != nil {
		return fmt.Errorf("site: ReloadSecret: %w", err) // and no new one is made
	}
	secret, warning, err := s.cfg.loadSecret()
	if err != nil {
		return err
	}
	s.warnOfSecret(warning)
	return s.SetSecret(secret)
}

// loadSecret reads the secret that is configured, and makes a file that is not there.
func (c *Config) loadSecret() (secret *Secret, warning string, err error) {
	if c.SecretFile != "" {
		return loadSecret(c.SecretFile)
	}
	secret, err = ParseSecret(c.Secret)
	return secret, "", err
}

// warnOfSecret logs a warning about the secret's file, if there is one.
func (s *Site) warnOfSecret(warning string) {
	if warning != "" {
		s.cfg.Logger.Warn("site: Config.SecretFile: " + warning)
	}
}

// checkSecret looks at how the secret is given, without reading a file.
func (s *Site) checkSecret(found *Findings) {
	switch c := &s.cfg; {
	case c.SecretFile != "" && c.Secret != "":
		found.Errorf("", "set SecretFile or Secret, not both")
	case c.Secret != "":
		if _, err := ParseSecret(c.Secret); err != nil {
			found.Errorf("Secret", "%v", err)
		}
	}
}

func (s *Site) hasSecret() bool { return s.cfg.SecretFile != "" || s.cfg.Secret != "" }

// OneUse returns what remembers used responses, tokens and forms.
func (s *Site) OneUse() webauth.OneUse { return s.oneUse }

// SharesOneUse reports whether Config.OneUse was given: without, only this process
// remembers.
func (s *Site) SharesOneUse() bool { return s.cfg.OneUse != nil }
