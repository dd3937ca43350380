package wls

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Fields are the fields of a response as they stand on the wire before kid and sig,
// not yet escaped: ver, status, msg, issue, id, url, principal, ptags (version 3
// only), auth, sso, life, params. Nothing checks them: they are for responses that no
// service should send, which tests need. [Response] is for all others.
type Fields []string

// sigEncoding is base64 with + / = written - . _ (WAA2WLS, "Authentication response").
var sigEncoding = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.").WithPadding('_')

// escaper writes what would end a field or start an escape; nothing else is escaped.
var escaper = strings.NewReplacer("%", "%25", "!", "%21")

// Sign returns the value with kid and an RSASSA-PKCS1-v1_5 signature with SHA-1 over
// everything before them. The kid is taken as it is.
func (f Fields) Sign(key *rsa.PrivateKey, kid string) (string, error) {
	if key == nil {
		return "", errors.New("wls: no key to sign with")
	}
	text := f.text()
	digest := sha1.Sum([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA1, digest[:])
	if err != nil {
		return "", fmt.Errorf("wls: signing: %v", err)
	}
	return text + "!" + kid + "!" + sigEncoding.EncodeToString(sig), nil
}

// Unsigned returns the value with kid and sig empty.
func (f Fields) Unsigned() string { return f.text() + "!!" }

// text returns what a signature covers.
func (f Fields) text() string {
	escaped := make([]string, len(f))
	for i, s := range f {
		escaped[i] = escaper.Replace(s)
	}
	return strings.Join(escaped, "!")
}
