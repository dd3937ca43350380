package main

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

	"github.com/ucam-webauth/go-webauth/keys"
)

// privateKey is the key to sign with and where it is from.
type privateKey struct {
	private *rsa.PrivateKey
	origin  string
}

// signingKey reads the key in path, makes one there if there is no such file, or makes
// one for this run if path is empty.
func signingKey(path string) (privateKey, error) {
	text, err := os.ReadFile(path)
	switch {
	case path == "" || errors.Is(err, fs.ErrNotExist):
		return makeKey(path)
	case err != nil:
		return privateKey{}, err
	}
	key, err := parsePrivateKey(text)
	if err != nil {
		return privateKey{}, fmt.Errorf("%s: %v", path, err)
	}
	return privateKey{key, "read from " + path}, nil
}

func makeKey(path string) (privateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	switch {
	case err != nil:
		return privateKey{}, err
	case path == "":
		return privateKey{key, "made for this run"}, nil
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	if err := writeNew(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return privateKey{}, err
	}
	return privateKey{key, "made and written to " + path}, nil
}

func parsePrivateKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM in it")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		if rsaKey, ok := key.(*rsa.PrivateKey); ok {
			return rsaKey, nil
		}
		return nil, errors.New("not an RSA key, which is all the protocol knows")
	}
	return nil, fmt.Errorf("holds a %q: want an RSA private key without a passphrase", block.Type)
}

// writePublicKey writes dir/pubkeyN as mod_ucam_webauth and package keys read it, and
// says what it did. A file that holds another key is left alone, which is an error.
func writePublicKey(dir, kid string, key *rsa.PublicKey) (done string, err error) {
	path := filepath.Join(dir, "pubkey"+kid)
	text, err := os.ReadFile(path)
	if err == nil {
		return path + " (was there already)", checkSame(path, kid, text, key)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	block := &pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key)}
	return path, writeNew(path, pem.EncodeToMemory(block), 0o644)
}

func checkSame(path, kid string, text []byte, key *rsa.PublicKey) error {
	there, err := keys.Parse(kid, text)
	if err == nil && there.Public().Equal(key) {
		return nil
	}
	return fmt.Errorf("%s is there and is not this key: remove it, or sign with its private half by -key FILE", path)
}

// writeNew writes a file that did not exist, with exactly this mode under any umask.
func writeNew(path string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Chmod(mode), f.Close())
}
