package main

import (
	"fmt"
	"io"

	"github.com/ucam-webauth/go-webauth/keys"
)

func whichKnown(key keys.Key) (keys.KnownKey, bool) {
	for _, known := range keys.Known() {
		if known.Fingerprints.SPKI == key.Fingerprints().SPKI {
			return known, true
		}
	}
	return keys.KnownKey{}, false
}

func title(known keys.KnownKey) string {
	if known.Kid == "" {
		return known.Service
	}
	return known.Service + ", kid " + known.Kid
}

// printKey prints the fingerprints of a key, and a warning if nobody should trust it.
func printKey(w io.Writer, key keys.Key) {
	printFingerprints(w, key.Fingerprints())
	if key.Published() {
		printPublished(w)
	}
}

func printPublished(w io.Writer) {
	fmt.Fprintln(w, "  WARNING: the private half of this key is public, so that anybody can sign with it: for tests only.")
}

func printFingerprints(w io.Writer, prints keys.Fingerprints) {
	fmt.Fprintf(w, "  SPKI SHA-256         %s\n", prints.SPKI)
	fmt.Fprintf(w, "  PKCS #1 SHA-256      %s\n", prints.PKCS1)
	if prints.Certificate != "" {
		fmt.Fprintf(w, "  certificate SHA-256  %s\n", prints.Certificate)
	}
}
