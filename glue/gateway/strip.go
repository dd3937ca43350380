package gateway

import (
	"fmt"
	"net/http"
	"strings"
)

// Headers that tell a backend who somebody is, with names as foldName gives them: those
// that the gateway can send, and those that other gateways do and applications believe.
// What begins with X-Forwarded is removed by package site.
var (
	identityPrefixes = []string{"remote-", "x-remote-", "x-aa", "x-auth-request-", "x-webauth-"}
	identityNames    = []string{"auth-user", "x-authenticated-user", "x-authenticated-userid", "x-forwarded-user", "x-forwarded-email",
		"x-forwarded-groups", "x-forwarded-preferred-username", "x-forwarded-access-token", "proxy"} // the last is httpoxy
)

// maxFolded is longer than any name that is looked for; what comes after it is not looked
// at.
const maxFolded = 64

// stripping knows the headers that clients must not send.
type stripping struct{ names map[string]bool }

// newStripping knows more names beside those that are always removed.
func newStripping(more []string) (*stripping, error) {
	s := &stripping{names: map[string]bool{}}
	for _, name := range identityNames {
		s.names[name] = true
	}
	for _, name := range more {
		var buffer [maxFolded]byte
		folded := string(foldName(&buffer, name))
		if folded == "" || len(name) > maxFolded || neededHeaders[folded] {
			return nil, fmt.Errorf("%q cannot be removed from requests", name)
		}
		s.names[folded] = true
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

// removes reports whether a header is removed. Applications that get headers as variables
// (CGI, WSGI, Rack) cannot tell Remote-User from Remote_User, and some servers make '_'
// of other bytes too, so all that is neither letter nor digit counts as '-'.
func (s *stripping) removes(name string) bool {
	if !mayRemove(name[0]) && len(s.names) == len(identityNames) {
		return false
	}
	var buffer [maxFolded]byte
	folded := foldName(&buffer, name)
	for strings.HasPrefix(string(folded), "http-") { // as CGI names them
		folded = folded[len("http-"):]
	}
	if s.names[string(folded)] {
		return true
	}
	for _, prefix := range identityPrefixes {
		if strings.HasPrefix(string(folded), prefix) {
			return true
		}
	}
	return false
}

// mayRemove is quick about most names, by their first byte.
func mayRemove(c byte) bool {
	switch c | 0x20 {
	case 'a', 'h', 'p', 'r', 'x':
		return true
	}
	return false
}

func foldName(buffer *[maxFolded]byte, name string) []byte {
	n := min(len(name), maxFolded)
	for i := range n {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case !('a' <= c && c <= 'z' || '0' <= c && c <= '9'):
			c = '-'
		}
		buffer[i] = c
	}
	return buffer[:n]
}
