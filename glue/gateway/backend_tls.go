package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
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

// spokenTLS is how a backend is spoken to by https.
type spokenTLS struct {
	config  *tls.Config
	digest  [sha256.Size]byte // of all that the rule says about it, its files included
	warning string            // who can read the key that should not
}

// backendTLS returns how the backend of a rule is spoken to; the zero value if that is not
// https.
func backendTLS(ru *Rule) (of spokenTLS, err error) {
	if schemeOf(ru.To) != "https" {
		return of, nil
	}
	of.config = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: ru.BackendServerName}
	digest := sha256.New()
	var pems [3][]byte
	for i, f := range [...]struct{ field, file string }{{"backend-ca", ru.BackendCA}, {"backend-cert", ru.BackendCert}, {"backend-key", ru.BackendKey}} {
		switch {
		case f.file == "":
			continue
		case f.field == "backend-key":
			var key *secretfile.File
			if key, err = secretfile.Read(f.file, serve.MaxSecretFile); err != nil {
				return of, &fieldError{f.field, fmt.Errorf("%s: %w", f.file, err)}
			}
			pems[i], of.warning = key.Text, key.Warning
		default:
			if pems[i], err = os.ReadFile(f.file); err != nil {
				return of, &fieldError{f.field, err}
			}
		}
		sum := sha256.Sum256(pems[i])
		digest.Write(append(sum[:], byte(i)))
	}
	digest.Write([]byte(ru.BackendServerName))
	digest.Sum(of.digest[:0])
	if pems[0] != nil {
		of.config.RootCAs = x509.NewCertPool()
		if !of.config.RootCAs.AppendCertsFromPEM(pems[0]) {
			return of, &fieldError{"backend-ca", fmt.Errorf("there is no certificate in %s", ru.BackendCA)}
		}
	}
	if pems[1] != nil {
		pair, err := tls.X509KeyPair(pems[1], pems[2])
		if err != nil {
			return of, &fieldError{"backend-cert", fmt.Errorf("%s with %s: %w", ru.BackendCert, ru.BackendKey, err)}
		}
		of.config.Certificates = []tls.Certificate{pair}
	}
	return of, nil
}
