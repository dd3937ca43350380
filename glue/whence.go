package glue

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// How much of an address people keep while they move about in one network.
const (
	boundV4Bits = 24
	boundV6Bits = 48
)

// whence says where a session comes from, as far as Session binds it to that: a hash,
// or empty where nothing is bound.
func (v *visit) whence() string {
	cfg := &v.cfg.Session
	if !cfg.BindBrowser && !cfg.BindAddress {
		return ""
	}
	h := sha256.New()
	if cfg.BindBrowser {
		h.Write([]byte(v.r.UserAgent()))
	}
	h.Write([]byte{0})
	if cfg.BindAddress {
		h.Write([]byte(site.AddressPrefix(site.ClientIP(v.r), boundV4Bits, boundV6Bits).String()))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
