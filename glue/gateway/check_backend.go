package gateway

import (
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// backendField is a field of a rule that says how its backend is spoken to.
type backendField struct {
	field string
	set   bool
	tls   bool // it is for https
}

func backendFields(r *Rule) []backendField {
	return []backendField{
		{"backend-host", r.BackendHost != "", false},
		{"backend-idle-timeout", r.BackendIdleTimeout != 0, false},
		{"backend-ca", r.BackendCA != "", true},
		{"backend-cert", r.BackendCert != "", true},
		{"backend-key", r.BackendKey != "", true},
		{"backend-server-name", r.BackendServerName != "", true},
		{"strip-path", r.StripPath, false},
	}
}

// checkBackendTLS checks what a rule says about https, of which it has to be.
func (k *checker) checkBackendTLS(i int) {
	r := &k.Rules[i]
	if schemeOf(r.To) != "https" {
		for _, f := range backendFields(r) {
			if f.tls && f.set {
				k.Errorf(ruleKey(i, f.field), "this is for backends that speak https")
			}
		}
		return
	}
	if r.BackendCert != "" && r.BackendKey == "" {
		k.Need(ruleKey(i, "backend-key"), "", "the file with the key of backend-cert")
	}
	if r.BackendKey != "" && r.BackendCert == "" {
		k.Need(ruleKey(i, "backend-cert"), "", "the file with the certificate that backend-key belongs to")
	}
	if name := r.BackendServerName; name != "" {
		if origin, err := webauth.Origin("https://" + name); err != nil || serve.HostOf(origin) != strings.ToLower(name) || strings.ContainsAny(name, ":[") {
			k.Errorf(ruleKey(i, "backend-server-name"), "%q: write the name that stands in the backend's certificate, such as app.internal", name)
		}
	}
}

// tryBackendCertificates looks at the certificates that backends are shown; New has said what
// cannot be used.
func (k *checker) tryBackendCertificates() {
	common := k.common()
	for i, r := range k.Rules {
		if r.BackendCert == "" {
			continue
		}
		common.TryKeyPair(&k.Report, ruleKey(i, "backend-cert"), Certificate{Cert: r.BackendCert, Key: r.BackendKey})
	}
}
