package site

import (
	"net/http"
	"strings"
)

// forwardingPrefixes begin the names, as isForwarding folds them, of headers that tell
// a client's address, scheme, host or path.
var forwardingPrefixes = []string{"x-forwarded", "x-original-"}

// forwardingNames are the others: what front servers and content networks write, and
// frameworks believe. Via is left alone, which names no client.
var forwardingNames = map[string]bool{
	"forwarded": true, "forwarded-for": true, "forwarded-host": true, "forwarded-proto": true,
	"x-real-ip": true, "x-real-port": true, "x-client-ip": true, "x-clientip": true, "client-ip": true,
	"true-client-ip": true, "x-true-client-ip": true, "x-cluster-client-ip": true,
	"x-remote-ip": true, "x-remote-addr": true, "remote-addr": true,
	"x-proxyuser-ip": true, "proxy-client-ip": true, "wl-proxy-client-ip": true,
	"cf-connecting-ip": true, "cf-connecting-ipv6": true, "cf-pseudo-ipv4": true, "cf-visitor": true,
	"fastly-client-ip": true, "fly-client-ip": true, "do-connecting-ip": true, "x-nf-client-connection-ip": true,
	"x-azure-clientip": true, "x-azure-socketip": true, "x-appengine-user-ip": true, "x-envoy-external-address": true,
	"x-host": true, "x-http-host-override": true, "x-rewrite-url": true, "x-override-url": true,
	"x-scheme": true, "x-url-scheme": true, "front-end-https": true,
}

// forwardingInitials are the first bytes of all these names; most headers begin otherwise.
var forwardingInitials = func() (initials [256]bool) {
	for name := range forwardingNames {
		initials[name[0]] = true
	}
	for _, prefix := range forwardingPrefixes {
		initials[prefix[0]] = true
	}
	return initials
}()

// maxForwardingName is longer than any of them: it is enough to look at as much of a
// name.
const maxForwardingName = 32

// withoutForwarding gives the header without all that tells where a request comes
// from. It is the same map if there is nothing of the kind.
func withoutForwarding(header http.Header) http.Header {
	var clean http.Header
	for name := range header {
		if !isForwarding(name) {
			continue
		}
		if clean == nil {
			clean = make(http.Header, len(header))
			for k, v := range header {
				clean[k] = v
			}
		}
		delete(clean, name)
	}
	if clean == nil {
		return header
	}
	return clean
}

// isForwarding reports whether a header of that name is to be removed. Software that
// passes headers on as variables takes X_Forwarded_For for X-Forwarded-For, and some
// takes X.Forwarded.For for it, so all that is neither letter nor digit counts as '-'.
func isForwarding(name string) bool {
	if name == "" || !forwardingInitials[name[0]|0x20] {
		return false
	}
	var folded [maxForwardingName]byte
	n := min(len(name), maxForwardingName)
	for i := range n {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case !isAlphanumeric(c):
			c = '-'
		}
		folded[i] = c
	}
	if forwardingNames[string(folded[:n])] {
		return true
	}
	for _, prefix := range forwardingPrefixes {
		if strings.HasPrefix(string(folded[:n]), prefix) {
			return true
		}
	}
	return false
}
