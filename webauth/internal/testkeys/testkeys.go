// Package testkeys holds the RSA test keys of RFC 9500, section 2.1.
//
// The RFC prints their private halves, so that anybody can sign with them. That is what makes them right for tests and
// demonstrations: nobody can mistake them for a secret, and keys.IsPublished recognises each of them by its
// fingerprint, so that a site which is not on loopback refuses to trust one.
package testkeys

import (
	"crypto/rsa"
	"crypto/x509"
	_ "embed" // the PEM files
	"encoding/pem"
	"sync"
)

var (
	//go:embed testRSA1024.pem
	testRSA1024 string
	//go:embed testRSA2048.pem
	testRSA2048 string
	//go:embed testRSA4096.pem
	testRSA4096 string
)

var (
	rsa1024 = sync.OnceValue(func() *rsa.PrivateKey { return mustParse(testRSA1024) })
	rsa2048 = sync.OnceValue(func() *rsa.PrivateKey { return mustParse(testRSA2048) })
	rsa4096 = sync.OnceValue(func() *rsa.PrivateKey { return mustParse(testRSA4096) })
)

// RSA1024 returns the RFC's testRSA1024, the size of Raven's own key. All callers share it: do not change it.
func RSA1024() *rsa.PrivateKey { return rsa1024() }

// RSA2048 returns the RFC's testRSA2048, the key to take where nothing speaks for another. All callers share it: do not
// change it.
func RSA2048() *rsa.PrivateKey { return rsa2048() }

// RSA4096 returns the RFC's testRSA4096, the size of SRCF Nevar's key. All callers share it: do not change it.
func RSA4096() *rsa.PrivateKey { return rsa4096() }

// mustParse panics on damaged PEM, which only a broken source tree can hold.
func mustParse(text string) *rsa.PrivateKey {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		panic("testkeys: no PEM block in an embedded key")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		panic("testkeys: embedded key: " + err.Error())
	}
	return key
}
