package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

// fieldError is what is wrong about one field of a rule.
type fieldError struct {
	field string // its key
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }

// schemeOf returns the scheme of a backend's address; empty for a unix socket.
func schemeOf(to string) string {
	scheme, _, found := strings.Cut(to, "://")
	if !found {
		return ""
	}
	return strings.ToLower(scheme)
}

// backendTLS returns how the backend of a rule is spoken to by https, and a digest of all
// that the rule says about that, its files included; nil for other backends.
func backendTLS(ru *Rule) (*tls.Config, [sha256.Size]byte, error) {
	if schemeOf(ru.To) != "https" {
		return nil, [sha256.Size]byte{}, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: ru.BackendServerName}
	digest := sha256.New()
	var pems [3][]byte
	for i, f := range [...]struct{ field, file string }{{"backend-ca", ru.BackendCA}, {"backend-cert", ru.BackendCert}, {"backend-key", ru.BackendKey}} {
		if f.file == "" {
			continue
		}
		var err error
		if pems[i], err = os.ReadFile(f.file); err != nil {
			return nil, [sha256.Size]byte{}, &fieldError{f.field, err}
		}
		sum := sha256.Sum256(pems[i])
		digest.Write(append(sum[:], byte(i)))
	}
	digest.Write([]byte(ru.BackendServerName))
	if pems[0] != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pems[0]) {
			return nil, [sha256.Size]byte{}, &fieldError{"backend-ca", fmt.Errorf("there is no certificate in %s", ru.BackendCA)}
		}
	}
	if pems[1] != nil {
		pair, err := tls.X509KeyPair(pems[1], pems[2])
		if err != nil {
			return nil, [sha256.Size]byte{}, &fieldError{"backend-cert", fmt.Errorf("%s with %s: %w", ru.BackendCert, ru.BackendKey, err)}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, [sha256.Size]byte(digest.Sum(nil)), nil
}
