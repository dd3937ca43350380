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

// clientBinding returns what a session is bound to beside the browser's secret, as Session
// says: a hash of the browser and its network, or empty where nothing is bound.
func (q *request) clientBinding() string {
	cfg := &q.cfg.Session
	if !cfg.BindBrowser && !cfg.BindAddress {
		return ""
	}
	h := sha256.New()
	if cfg.BindBrowser {
		h.Write([]byte(q.r.UserAgent()))
	}
	h.Write([]byte{0})
	if cfg.BindAddress {
		h.Write([]byte(site.AddressPrefix(site.ClientIP(q.r), boundV4Bits, boundV6Bits).String()))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
