package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
)

// sizeLimit is more than a key file may have, in bytes; keys.Parse refuses a file that reaches it.
const sizeLimit = 1 << 20

// readKey reads a file wherever it lies and whatever its name and mode: it is only looked at, not trusted.
func readKey(path string) (keys.Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return keys.Key{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, sizeLimit))
	if err != nil {
		return keys.Key{}, err
	}
	return keys.Parse("1", data) // any kid: it is not shown
}

func unreadable(stderr io.Writer, path string, err error) {
	fmt.Fprintf(stderr, "wlskeys: %s: %s\n", path, reason(err))
}

// reason is an error's text without what introduces it: package keys' name, or the operation and path.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return strings.TrimPrefix(err.Error(), "keys: ")
}

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

// printKey prints what tells one key from another, and whether it is one that nobody should trust.
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
