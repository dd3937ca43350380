package signkeys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
	"github.com/ucam-webauth/go-webauth/keys"
)

// dateKid is the form of kids that nobody has named.
const dateKid = "20060102"

// bits is the size of keys that are made. Old sites verify 4096 as well, but each response is
// a URL, and its signature is a sixth of a kilobyte longer for each 1024 bits.
const bits = 2048

// taken are kids of services that there are, beside those of [keys.Known]: sites keep keys of
// several services in one directory, by kid alone.
var taken = map[string]string{"500": "SRCF Goose", "501": "SRCF Goose"}

// CheckKid returns why a key of ours cannot have a kid.
func CheckKid(kid string) error {
	if !keys.ValidKid(kid) {
		return fmt.Errorf("%q is no kid: it is a number of at most 8 digits, without a zero in front", kid)
	}
	service := taken[kid]
	for _, known := range keys.Known() {
		if known.Kid == kid {
			service = known.Service
		}
	}
	if service != "" {
		return fmt.Errorf("kid %s is that of %s, whose key sites may have: choose another", kid, service)
	}
	return nil
}

// Make makes another key, and returns its kid; empty stands for today's date, such as 20261130.
// It signs from now on if it is the first.
func Make(dir, kid string, now time.Time) (string, error) { return makeKey(dir, kid, now, false) }

// MakeFirst makes the first key, unless there is one by now.
func MakeFirst(dir string, now time.Time) error {
	_, err := makeKey(dir, "", now, true)
	return err
}

func makeKey(dir, kid string, now time.Time, first bool) (string, error) {
	if kid == "" {
		kid = now.UTC().Format(dateKid)
	}
	if err := CheckKid(kid); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return kid, change(dir, func(kids []string) error {
		if first && len(kids) > 0 {
			return nil // another process was quicker
		}
		if slices.Contains(kids, kid) {
			return fmt.Errorf("there is a key with kid %s already: name another kid", kid)
		}
		signing := kid
		if len(kids) > 0 {
			var err error
			if signing, err = signingOf(dir, kids); err != nil {
				return err
			}
		}
		// Said before there are two, so that it is never unclear.
		if err := replace(filepath.Join(dir, signingName), signing+"\n"); err != nil {
			return err
		}
		return generate(dir, kid)
	})
}

// generate makes a private key.
func generate(dir, kid string) error {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := secretfile.CreateForOwner(privatePath(dir, kid), string(text)); err != nil {
		return fmt.Errorf("%s: %w", privatePath(dir, kid), secretfile.Cause(err))
	}
	return nil
}

// Use has another key sign.
func Use(dir, kid string) error {
	return change(dir, func(kids []string) error {
		if !slices.Contains(kids, kid) {
			return unknown(kid, kids)
		}
		return replace(filepath.Join(dir, signingName), kid+"\n")
	})
}

// Retire removes a key that does not sign, for good.
func Retire(dir, kid string) error {
	return change(dir, func(kids []string) error {
		if !slices.Contains(kids, kid) {
			return unknown(kid, kids)
		}
		signing, err := signingOf(dir, kids)
		if err != nil {
			return err
		}
		if kid == signing {
			return fmt.Errorf("the key with kid %s signs: have another one sign first", kid)
		}
		// The public half goes first: of what remains without it, all is made again.
		if err := os.Remove(publicPath(dir, kid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return os.Remove(privatePath(dir, kid))
	})
}

func unknown(kid string, kids []string) error {
	return fmt.Errorf("there is no key with kid %s: those here are %s", kid, strings.Join(kids, ", "))
}

// change changes a directory while no other process does, and publishes what is there then.
func change(dir string, do func(kids []string) error) error {
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	kids, err := kidsIn(dir)
	if err != nil {
		return err
	}
	if err := do(kids); err != nil {
		return err
	}
	return publish(dir)
}

// publish writes what sites and their operators are given.
func publish(dir string) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	for i := range r.Keys {
		k := &r.Keys[i]
		text := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&k.Private.PublicKey)})
		if err := replace(publicPath(dir, k.Kid), string(text)); err != nil {
			return err
		}
	}
	return replace(filepath.Join(dir, fingerprintsName), r.Fingerprints())
}

// replace writes a file that everybody may read, whole or not at all.
func replace(path, text string) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// Trial returns a key that is in no directory, to try with.
func Trial(now time.Time) (*Ring, error) {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	kid := now.UTC().Format(dateKid)
	public, err := keys.New(kid, &private.PublicKey)
	if err != nil {
		return nil, err
	}
	return &Ring{Keys: []Key{{kid, private, public}}}, nil
}
