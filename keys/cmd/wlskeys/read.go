package main

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
)

// sizeLimit is more than a key file may have, in bytes; keys.Parse refuses a file that reaches it.
const sizeLimit = 1 << 20

const standardInput = "-"

// Forms in which a file can hold a key. Sites read PEM alone.
const (
	formPEM     = "PEM"
	formDER     = "DER"
	formBase64  = "base64"
	formOpenSSH = "OpenSSH"
)

// readKey reads a file of any name and mode, in any directory and any form: its key is shown, not trusted.
func (c *command) readKey(path string) (key keys.Key, form string, err error) {
	data, err := c.read(path)
	if err == nil {
		key, form, err = parse(data)
	}
	if err != nil {
		return keys.Key{}, "", fmt.Errorf("%s: %s", path, reason(err))
	}
	return key, form, nil
}

func (c *command) read(path string) ([]byte, error) {
	if path == standardInput {
		return program.ReadInput(c.stdin, c.stderr, "a public key", sizeLimit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, sizeLimit))
}

// anyKid is that of a key that is only shown.
const anyKid = "1"

// parse takes what is no PEM, and what editors write before it, too.
func parse(data []byte) (keys.Key, string, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	key, err := keys.Parse(anyKid, data)
	if err == nil || bytes.Contains(data, []byte("-----BEGIN ")) || len(data) >= sizeLimit {
		return key, formPEM, err
	}
	text := strings.TrimSpace(string(data))
	if kind, _, _ := strings.Cut(text, " "); strings.HasPrefix(kind, "ssh-") || strings.HasPrefix(kind, "ecdsa-") {
		key, err := parseOpenSSH(text)
		return key, formOpenSSH, err
	}
	if key, ok, err := parseDER(data); ok {
		return key, formDER, err
	}
	if der, notBase64 := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); notBase64 == nil {
		if key, ok, err := parseDER(der); ok {
			return key, formBase64, err
		}
	}
	return keys.Key{}, "", instead(text, err)
}

// parseOpenSSH takes a line such as "ssh-rsa AAAA... comment" (RFC 4253 section 6.6).
func parseOpenSSH(text string) (keys.Key, error) {
	if strings.ContainsAny(text, "\r\n") { // as for PEM: which of them is meant?
		return keys.Key{}, errors.New("more than one line, where exactly one key of OpenSSH is wanted")
	}
	fields := strings.Fields(text)
	if fields[0] != "ssh-rsa" {
		return keys.Key{}, errors.New("the key is not an RSA key")
	}
	damaged := errors.New("the OpenSSH key is damaged")
	if len(fields) < 2 {
		return keys.Key{}, damaged
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return keys.Key{}, damaged
	}
	var parts [][]byte
	for len(blob) >= 4 {
		length := uint64(binary.BigEndian.Uint32(blob))
		if blob = blob[4:]; length > uint64(len(blob)) {
			return keys.Key{}, damaged
		}
		parts, blob = append(parts, blob[:length]), blob[length:]
	}
	if len(blob) > 0 || len(parts) != 3 || string(parts[0]) != fields[0] || len(parts[1]) > 4 {
		return keys.Key{}, damaged
	}
	return keys.New(anyKid, &rsa.PublicKey{E: int(new(big.Int).SetBytes(parts[1]).Int64()), N: new(big.Int).SetBytes(parts[2])})
}

// parseDER takes a public key, or a certificate, of one of the kinds that PEM may hold. It returns false where der is nothing
// of the sort.
func parseDER(der []byte) (key keys.Key, ok bool, err error) {
	for kind, parses := range map[string]func([]byte) error{
		"PUBLIC KEY":      func(der []byte) error { _, err := x509.ParsePKIXPublicKey(der); return err },
		"RSA PUBLIC KEY":  func(der []byte) error { _, err := x509.ParsePKCS1PublicKey(der); return err },
		"CERTIFICATE":     func(der []byte) error { _, err := x509.ParseCertificate(der); return err },
		"PRIVATE KEY":     func(der []byte) error { _, err := x509.ParsePKCS8PrivateKey(der); return err }, // which keys.Parse refuses
		"RSA PRIVATE KEY": func(der []byte) error { _, err := x509.ParsePKCS1PrivateKey(der); return err },
		"EC PRIVATE KEY":  func(der []byte) error { _, err := x509.ParseECPrivateKey(der); return err },
	} {
		if parses(der) == nil {
			key, err = parseBlock(kind, der)
			return key, true, err
		}
	}
	return keys.Key{}, false, nil
}

func parseBlock(kind string, der []byte) (keys.Key, error) {
	return keys.Parse(anyKid, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// instead says what there is instead of a key, if that can be told; else err.
func instead(text string, err error) error {
	small := strings.ToLower(text[:min(len(text), 1000)])
	switch {
	case text == "":
		return errors.New("there is nothing in it")
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return errors.New("the text is UTF-16, as some Windows programs write it: save it as UTF-8 or ASCII")
	case strings.Contains(small, "<html"), strings.HasPrefix(small, "<!doctype"):
		return errors.New("this is a web page: save the key that it shows or links to")
	case strings.HasPrefix(text, "---- BEGIN SSH2"):
		return errors.New("this is a key for SSH in the form of RFC 4716: ssh-keygen -i -f FILE makes one line of it, which can be read here")
	}
	return err
}

// reason is an error's text without what introduces it: package keys' name, or the operation and path.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return strings.TrimPrefix(err.Error(), "keys: ")
}
