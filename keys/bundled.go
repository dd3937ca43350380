package keys

import (
	_ "embed" // the key files
	"sync"
)

var (
	//go:embed pubkey2
	pubkey2 string
	//go:embed pubkey901
	pubkey901 string
)

var (
	raven     = sync.OnceValue(func() *Set { return bundled("2", pubkey2) })
	ravenDemo = sync.OnceValue(func() *Set { return bundled("901", pubkey901) })
)

// Raven returns the key of the University of Cambridge's Raven service: kid 2, RSA-1024, in use since 2004 and also by
// the proxy that has answered at Raven's address since December 2024.
//
// Provenance: published as pubkey2 and pubkey2.crt at https://raven.cam.ac.uk/project/keys/. The bundled file has the
// bytes of the published one (SHA-256 c35abba65049a046576fca64686eaa307c5eba77ddce1dba46d7aeb5c3ded0ff). Checked against
// three independently published copies, a PKCS #1 file and two X.509 certificates, and against 11 responses that the live
// service signed between 2005 and 2018.
func Raven() *Set { return raven() }

// RavenDemo returns the key of Raven's demonstration service: kid 901, RSA-1024. Its private half is published, so that
// anybody can sign with it: it is for tests, and never to be trusted beside another key.
//
// Provenance: published as pubkey901 and pubkey901.crt at https://raven.cam.ac.uk/project/keys/demo_server/. The bundled
// file was written from the published modulus. Checked against the published certificate, and against a response that the
// service signed in 2013.
func RavenDemo() *Set { return ravenDemo() }

// bundled panics on a damaged file, which only a broken source tree can hold.
func bundled(kid, text string) *Set {
	key, err := parse(kid, []byte(text))
	if err != nil {
		panic("keys: bundled pubkey" + kid + ": " + err.Error())
	}
	key.source = "bundled"
	return &Set{keys: []Key{key}}
}
