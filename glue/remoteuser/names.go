package remoteuser

import (
	"bytes"
	"strings"
)

// maxName is longer than any name that matters: it is enough to look at as much of one.
const maxName = 64

// identityPrefixes begin the names, as fold gives them, of headers by which front
// servers tell who somebody is.
var identityPrefixes = [][]byte{
	[]byte("remote-"), []byte("x-remote-"), []byte("x-aa"), []byte("x-auth-request-"), []byte("x-authenticated-"),
	[]byte("x-webauth-"), []byte("x-forwarded-user"), []byte("x-forwarded-email"), []byte("x-forwarded-groups"),
	[]byte("x-forwarded-preferred-username"), []byte("x-forwarded-access-token"),
}

// identityNames are the others.
var identityNames = map[string]bool{"auth-user": true, "x-auth-user": true, "x-user": true, "proxy-user": true}

// notIdentity are names with such a prefix that mean something else: an address, which
// this package leaves to package site.
var notIdentity = map[string]bool{
	"remote-addr": true, "remote-host": true, "remote-port": true, "x-remote-addr": true, "x-remote-ip": true,
}

// neverIdentity are names that a Config must not give: without these headers a site
// would not work, or not be safe.
var neverIdentity = map[string]bool{
	"accept": true, "authorization": true, "connection": true, "content-length": true, "content-type": true,
	"cookie": true, "forwarded": true, "host": true, "origin": true, "referer": true, "transfer-encoding": true,
	"sec-fetch-dest": true, "sec-fetch-mode": true, "sec-fetch-site": true, "upgrade": true,
	"x-forwarded-for": true, "x-forwarded-host": true, "x-forwarded-proto": true,
}

// fold gives the one form that names are compared in, in buf, as far as it goes. CGI and
// its heirs pass headers on as variables, in which Remote_User and Remote.User are
// Remote-User; and some take Http-Remote-User for a variable that they made themselves.
// So all that is neither letter nor digit counts as '-', case does not count, and "http-"
// in front is dropped.
func fold(buf *[maxName]byte, name string) []byte {
	for len(name) > len("http-") && strings.EqualFold(name[:4], "http") && foldByte(name[4]) == '-' {
		name = name[len("http-"):]
	}
	n := min(len(name), len(buf))
	for i := range n {
		buf[i] = foldByte(name[i])
	}
	return buf[:n]
}

func foldByte(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		return c
	default:
		return '-'
	}
}

func foldString(name string) string {
	var buf [maxName]byte
	return string(fold(&buf, name))
}

// isIdentity reports whether headers of that folded name are nobody's to send but the
// front server's.
func (u *RemoteUser) isIdentity(folded []byte) bool {
	if identityNames[string(folded)] || u.strip[string(folded)] {
		return true
	}
	for _, prefix := range identityPrefixes {
		if bytes.HasPrefix(folded, prefix) {
			return !notIdentity[string(folded)]
		}
	}
	return false
}
