package remoteuser

import "github.com/ucam-webauth/go-webauth/glue/internal/headername"

// neverIdentity are names that a Config must not give, beside those by which HTTP or this
// package works: they tell an address, which is for package site.
var neverIdentity = map[string]bool{
	"forwarded": true, "x-forwarded-for": true, "x-forwarded-host": true, "x-forwarded-proto": true,
}

// isIdentity reports whether headers of that name, and folded name, are nobody's to send
// but the front server's.
func (u *RemoteUser) isIdentity(name string, folded []byte) bool {
	return u.strip[string(folded)] || headername.Lookup(name).Class&headername.Identifies != 0
}
