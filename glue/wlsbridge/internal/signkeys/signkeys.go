// Package signkeys keeps the keys that a login service signs with in a directory:
//
//	key20261130.pem   the private key under the kid 20261130, mode 0600
//	pubkey20261130    its public half, for sites, as mod_ucam_webauth and package keys read it
//	signing           the kid of the key that signs
//	fingerprints.txt  of all public keys, for operators to publish
//
// A key is published before it signs, and stays published when another one does, until it is
// retired: sites are given the new public key in between. A directory that was put together by
// somebody else, such as one that a platform has mounted read-only, needs the private keys
// alone, and the file "signing" if there is more than one.
package signkeys

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
	"github.com/ucam-webauth/go-webauth/keys"
)

// Names of files. That of a private key has its kid in between.
const (
	privatePrefix, privateSuffix = "key", ".pem"
	publicPrefix                 = "pubkey"
	signingName                  = "signing"
	fingerprintsName             = "fingerprints.txt"
)

// maxKeyFile is the largest file of a private key that is read, in bytes.
const maxKeyFile = 64 << 10

// ErrNone is the error of a directory that has no key yet, or is not there.
var ErrNone = errors.New("there is no key yet")

// Key is a private key and the kid under which sites know its public half.
type Key struct {
	Kid     string
	Private *rsa.PrivateKey
	public  keys.Key
}

// Bits is the size of the key.
func (k *Key) Bits() int { return k.public.Bits() }

// Ring are the keys of a directory.
type Ring struct {
	// Keys has the one that signs first, and the others by kid, the newest first.
	Keys []Key
	// Warnings are what is weak or odd about the files.
	Warnings []string
}

// Open reads a directory, and changes nothing.
func Open(dir string) (*Ring, error) {
	kids, err := kidsIn(dir)
	if err != nil {
		return nil, err
	}
	if len(kids) == 0 {
		return nil, ErrNone
	}
	signing, err := signingOf(dir, kids)
	errs := []error{err}
	r := &Ring{}
	for _, kid := range kids {
		if err := r.read(dir, kid); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", privatePath(dir, kid), err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.Keys, func(k Key) bool { return k.Kid == signing })
	first := r.Keys[i]
	r.Keys = append([]Key{first}, slices.Delete(r.Keys, i, i+1)...)
	return r, nil
}

func privatePath(dir, kid string) string {
	return filepath.Join(dir, privatePrefix+kid+privateSuffix)
}
func publicPath(dir, kid string) string { return filepath.Join(dir, publicPrefix+kid) }

// kidsIn returns the kids of the private keys in a directory, the newest first.
func kidsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var kids []string
	for _, e := range entries {
		kid, ok := strings.CutPrefix(e.Name(), privatePrefix)
		if kid, found := strings.CutSuffix(kid, privateSuffix); ok && found && keys.ValidKid(kid) {
			kids = append(kids, kid)
		}
	}
	slices.SortFunc(kids, func(a, b string) int { return number(b) - number(a) })
	return kids, nil
}

// number is a kid's, which has at most 8 digits.
func number(kid string) int {
	n, _ := strconv.Atoi(kid)
	return n
}

// signingOf returns the kid of the key that signs.
func signingOf(dir string, kids []string) (string, error) {
	path := filepath.Join(dir, signingName)
	text, err := os.ReadFile(path)
	kid := strings.TrimSpace(string(text))
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(kids) == 1:
		return kids[0], nil
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s is not there: write into it which of the keys %s signs", path, strings.Join(kids, ", "))
	case err != nil:
		return "", err
	case !slices.Contains(kids, kid):
		return "", fmt.Errorf("%s holds %q, but the keys here are %s", path, kid, strings.Join(kids, ", "))
	}
	return kid, nil
}

// read adds the key of a kid.
func (r *Ring) read(dir, kid string) error {
	path := privatePath(dir, kid)
	file, err := secretfile.Read(path, maxKeyFile)
	if err != nil {
		return err
	}
	private, err := parsePrivate(file.Text)
	if err != nil {
		return err
	}
	public, err := keys.New(kid, &private.PublicKey)
	if err != nil {
		return err
	}
	if err := CheckKid(kid); err != nil {
		return err
	}
	if file.Warning != "" {
		r.Warnings = append(r.Warnings, path+" "+file.Warning)
	}
	published, err := os.ReadFile(publicPath(dir, kid))
	if there, parseErr := keys.Parse(kid, published); err == nil && (parseErr != nil || !there.Equal(public)) {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s is not the public half of %s: sites that are given it refuse what the key signs", publicPath(dir, kid), path))
	}
	r.Keys = append(r.Keys, Key{kid, private, public})
	return nil
}

// parsePrivate reads a key as openssl writes it, in either form.
func parsePrivate(text []byte) (*rsa.PrivateKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it does not hold one private key in PEM form, and nothing else")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("it holds a %s: want a PRIVATE KEY without a password", block.Type)
	}
	if err != nil {
		return nil, errors.New("the private key in it is damaged") // the error could show some of it
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it holds a key of another kind than RSA, which the protocol signs with")
	}
	return private, nil
}

// Fingerprints describes the public keys, as operators give that to sites.
func (r *Ring) Fingerprints() string {
	var b strings.Builder
	for i := range r.Keys {
		k := &r.Keys[i]
		prints := k.public.Fingerprints()
		fmt.Fprintf(&b, "%s%s: RSA-%d\n  SPKI SHA-256         %s\n  PKCS #1 SHA-256      %s\n", publicPrefix, k.Kid, k.Bits(), prints.SPKI, prints.PKCS1)
	}
	return b.String()
}
