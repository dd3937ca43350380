package gateway

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/internal/identityheader"
)

// proxyHeader becomes HTTP_PROXY under CGI, which programs take for their own ("httpoxy").
const proxyHeader = "proxy"

// stripping knows the headers that clients must not send: those that tell a backend who
// somebody is, be they the gateway's or such as other gateways send and applications
// believe, and more. What begins with X-Forwarded and is no name is removed by package
// site.
type stripping struct{ more []string }

// newStripping knows more names beside those that are always removed.
func newStripping(more []string) (*stripping, error) {
	s := &stripping{}
	for _, name := range more {
		folded := identityheader.FoldString(name)
		if folded == "" || len(name) > identityheader.MaxName || neededHeaders[folded] {
			return nil, fmt.Errorf("%q cannot be removed from requests", name)
		}
		s.more = append(s.more, folded)
	}
	return s, nil
}

// neededHeaders are those that no request would work without.
var neededHeaders = map[string]bool{
	"host": true, "cookie": true, "content-length": true, "content-type": true, "transfer-encoding": true,
	"connection": true, "upgrade": true, "origin": true,
}

// strip removes every header that names somebody, however it is spelled.
func (s *stripping) strip(h http.Header) {
	for name := range h {
		if s.removes(name) {
			delete(h, name)
		}
	}
}

// removes reports whether a header is removed.
func (s *stripping) removes(name string) bool {
	if !mayRemove(name[0]) && len(s.more) == 0 {
		return false
	}
	var buffer [identityheader.MaxName]byte
	folded := identityheader.Fold(&buffer, name)
	return identityheader.Is(folded) || string(folded) == proxyHeader || len(s.more) > 0 && slices.Contains(s.more, string(folded))
}

// mayRemove is quick about most names, by their first byte.
func mayRemove(c byte) bool {
	switch c | 0x20 {
	case 'a', 'h', 'p', 'r', 'x':
		return true
	}
	return false
}
