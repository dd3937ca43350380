// Package keys holds the public keys by which a site recognises what a web login service (WLS) of the Ucam-WebAuth
// protocol has signed: the two that are bundled, and those that an operator keeps in files.
//
// The common path:
//
//	set := keys.Raven()                           // the University of Cambridge's service, bundled
//	set, err := keys.LoadDir("/etc/webauth-keys") // any other service: its pubkeyN files
//	dir, err := keys.OpenDir("/etc/webauth-keys") // the same, and files may change
//	key, ok := set.Lookup("2")                    // by kid, the key's id in a response
//	err = key.VerifySHA1(sha1.Sum(signed), sig)
//
// A [Key], and a [Set] of them, cannot be changed once made. Everything that is refused is refused while loading, with
// an error that names the file and the reason.
//
// # What the caller must still do
//
// A key is trusted for the service it was loaded for, and for no other: keep a set, and a directory, for each service.
//
// The private halves of some keys are public, so that anybody can sign with them: that of Raven's demonstration service
// and those of the test keys in RFC 9500. [Key.Published] and [IsPublished] recognise them by fingerprint, in any file and
// under any kid. They load like any other key, because tests and demonstrations need them. Ask before trusting a key;
// package webauth does, and refuses them for any site that is not on loopback.
//
// Compare the fingerprints of a key file with those of the service's operator, over a channel that the sender of the
// file does not control. The wlskeys program in this folder does so, and its help shows how to do it with openssl.
//
// # Limits of the standard library
//
// The protocol fixes RSA with SHA-1, and Raven's key has 1024 bits. Go's FIPS 140-3 only mode (GODEBUG=fips140=only)
// allows neither SHA-1 nor keys under 2048 bits: in it [Key.VerifySHA1] refuses everything, and crypto/sha1 panics. A
// site that has to run in this mode cannot use the protocol.
//
// # Stability
//
// Exported names keep their meaning within a major version. Error texts are for people and may change; that a missing
// file satisfies errors.Is(err, fs.ErrNotExist) will not.
package keys
