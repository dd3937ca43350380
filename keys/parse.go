package keys

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxFileSize bounds a key file, in bytes. The largest key we take needs less than 2 KiB; the rest is room for
// certificates and for the text that "openssl x509 -text" writes above them.
const maxFileSize = 64 << 10

// Parse parses a key in PEM: an RSA PUBLIC KEY (PKCS #1), a PUBLIC KEY (PKIX) or a CERTIFICATE (X.509). It wants
// exactly one block; text outside the block is ignored, as RFC 7468 section 2 has it.
//
// Only the key of a certificate counts, because trust was decided with the file. Its dates, names and signature are
// ignored: those of Raven's own certificates ran out in 2004 and 2005.
//
// A private key is refused, and so is any key that [New] refuses.
func Parse(kid string, pemData []byte) (Key, error) {
	key, err := parse(kid, pemData)
	if err != nil {
		return Key{}, fmt.Errorf("keys: %w", err)
	}
	return key, nil
}

func parse(kid string, data []byte) (Key, error) {
	block, err := onlyBlock(data)
	if err != nil {
		return Key{}, err
	}
	pub, err := publicKey(block)
	if err != nil {
		return Key{}, err
	}
	key, err := newKey(kid, pub)
	if err != nil {
		return Key{}, err
	}
	if block.Type == "CERTIFICATE" {
		key.prints.Certificate = hexSHA256(block.Bytes)
	}
	return key, nil
}

// onlyBlock returns the single PEM block in data. It counts the beginnings itself, because pem.Decode steps over damaged
// blocks in silence.
func onlyBlock(data []byte) (*pem.Block, error) {
	if len(data) > maxFileSize {
		return nil, fmt.Errorf("more than %d KiB: too large for a key file", maxFileSize>>10)
	}
	if bytes.Contains(data, []byte("PRIVATE KEY-----")) {
		return nil, errors.New("a private key, where a public one belongs: take it away, " +
			"and replace the key pair if anybody else could have read the file")
	}
	switch n := bytes.Count(data, []byte("-----BEGIN ")); n {
	case 0:
		return nil, errors.New("no PEM block (it starts with a line like -----BEGIN RSA PUBLIC KEY-----)")
	case 1:
	default:
		return nil, fmt.Errorf("%d PEM blocks, where exactly one is wanted", n)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("the PEM block is damaged: its lines must stand as they were written, with nothing before them, no blank and no \">\"")
	}
	if len(block.Headers) > 0 {
		return nil, errors.New("the PEM block has headers, which a public key has no use for")
	}
	return block, nil
}

func publicKey(block *pem.Block) (*rsa.PublicKey, error) {
	var parsed any
	var err error
	switch block.Type {
	case "RSA PUBLIC KEY":
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "CERTIFICATE":
		parsed, err = certificateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("a PEM block of the kind %.40q: RSA PUBLIC KEY, PUBLIC KEY or CERTIFICATE is wanted", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the %s block cannot be read: %v", block.Type, err)
	}
	pub, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is not an RSA key")
	}
	return pub, nil
}

func certificateKey(der []byte) (any, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return cert.PublicKey, nil
}
