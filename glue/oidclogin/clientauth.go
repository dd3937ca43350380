package oidclogin

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 hash (RFC 7515 section 4.1.7)
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
)

// maxSecretFile bounds the files with a secret, in bytes.
const maxSecretFile = 64 << 10

// authenticate adds to a form for the token endpoint what shows that it is the site's, or returns
// the secret to show in the header Authorization (OpenID Connect Core 1.0, section 9).
func (p *Provider) authenticate(form url.Values, m *metadata, now time.Time) (basic string, err error) {
	if p.PrivateKeyFile != "" {
		assertion, err := p.assertion(m.Token, now)
		form.Set("client_id", p.ClientID)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
		return "", err
	}
	secret, err := p.readSecret()
	if err != nil {
		return "", err
	}
	offers := func(method string) bool { return slices.Contains(m.TokenAuth, method) }
	if offers("client_secret_post") && !offers("client_secret_basic") {
		form.Set("client_id", p.ClientID)
		form.Set("client_secret", secret)
		return "", nil
	}
	return secret, nil
}

// readSecret returns the client's secret as it is in its file now.
func (p *Provider) readSecret() (string, error) {
	path := secretfile.Path(p.ClientSecretFile)
	file, err := secretfile.Read(path, maxSecretFile)
	if err != nil {
		return "", fieldErrorf("ClientSecretFile", "%s: %v", path, err)
	}
	secret := strings.TrimRight(string(file.Text), "\r\n")
	switch {
	case secret == "":
		return "", fieldErrorf("ClientSecretFile", "%s: it is empty", path)
	case strings.ContainsFunc(secret, func(c rune) bool { return c < ' ' || c > '~' }): // RFC 6749 appendix A.2
		return "", fieldErrorf("ClientSecretFile", "%s: it must hold the secret alone, in one line of printable ASCII", path)
	}
	return secret, nil
}

// privateKey is the site's key, and the certificate that came with it, if any.
type privateKey struct {
	*rsa.PrivateKey
	certificate []byte
}

// readPrivateKey returns the site's key as it is in its file now.
func (p *Provider) readPrivateKey() (*privateKey, error) {
	path := secretfile.Path(p.PrivateKeyFile)
	file, err := secretfile.Read(path, maxSecretFile)
	var k *privateKey
	if err == nil {
		k, err = parsePrivateKey(file.Text)
	}
	if err != nil {
		return nil, fieldErrorf("PrivateKeyFile", "%s: %v", path, err)
	}
	return k, nil
}

func parsePrivateKey(text []byte) (*privateKey, error) {
	k := &privateKey{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			if k.certificate == nil { // the site's own is the first
				k.certificate = block.Bytes
			}
			continue
		case "PRIVATE KEY", "RSA PRIVATE KEY":
		default:
			return nil, fmt.Errorf("it holds %q: want an RSA key that is not encrypted", block.Type)
		}
		if k.PrivateKey != nil {
			return nil, errors.New("it holds more than one key")
		}
		if rsaKey, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			k.PrivateKey = rsaKey
			continue
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("it holds a key that cannot be read")
		}
		rsaKey, is := parsed.(*rsa.PrivateKey)
		if !is {
			return nil, errors.New("it holds a key that is not RSA")
		}
		k.PrivateKey = rsaKey
	}
	switch {
	case k.PrivateKey == nil:
		return nil, errors.New("it holds no RSA key in PEM")
	case k.N.BitLen() < minKeyBits:
		return nil, fmt.Errorf("its key has %d bits, want at least %d", k.N.BitLen(), minKeyBits)
	case k.certificate == nil:
		return k, nil
	}
	cert, err := x509.ParseCertificate(k.certificate)
	if err != nil {
		return nil, errors.New("it holds a certificate that cannot be read")
	}
	if !k.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("its first certificate is not of its key")
	}
	return k, nil
}

// assertionLife is how long an assertion can be used.
const assertionLife = time.Minute

// assertion returns what the site signs for itself with (RFC 7523 section 3): one for each
// request.
func (p *Provider) assertion(audience string, now time.Time) (string, error) {
	k, err := p.readPrivateKey()
	if err != nil {
		return "", err
	}
	header := map[string]any{"alg": signingAlg, "typ": "JWT"}
	if p.KeyID != "" {
		header["kid"] = p.KeyID
	}
	if k.certificate != nil {
		old, full := sha1.Sum(k.certificate), sha256.Sum256(k.certificate) //nolint:gosec // see above
		header["x5t"], header["x5t#S256"] = encode(old[:]), encode(full[:])
	}
	claims := map[string]any{
		"iss": p.ClientID, "sub": p.ClientID, "aud": audience, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encode(h) + "." + encode(c)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k.PrivateKey, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + encode(sig), nil
}

// fileWarning returns who can read a secret file that should not, as [Provider.Findings] has it.
func fileWarning(name string) string {
	path := secretfile.Path(name)
	file, err := secretfile.Read(path, maxSecretFile)
	if err != nil || file.Warning == "" {
		return ""
	}
	return path + " " + file.Warning
}
