package remoteuser

import "github.com/ucam-webauth/go-webauth/glue/internal/identityheader"

// notIdentity are names like those of identity headers that mean something else: an
// address, which this package leaves to package site.
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

// isIdentity reports whether headers of that folded name are nobody's to send but the
// front server's.
func (u *RemoteUser) isIdentity(folded []byte) bool {
	return u.strip[string(folded)] || identityheader.Is(folded) && !notIdentity[string(folded)]
}
