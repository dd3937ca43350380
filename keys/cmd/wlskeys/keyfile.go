package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
)

// sizeLimit is more than a key file may have, in bytes; keys.Parse refuses a file that reaches it.
const sizeLimit = 1 << 20

// eachKey calls do for the key in each file that args name. It returns the highest status, which is exitTrouble where a
// file cannot be read.
func eachKey(flags *flag.FlagSet, args []string, stderr io.Writer, do func(path string, key keys.Key) int) (status int, err error) {
	files, err := parseArgs(flags, args)
	if err != nil {
		return exitTrouble, err
	}
	if len(files) == 0 {
		return exitTrouble, fmt.Errorf("%s needs at least one file", flags.Name())
	}
	for _, path := range files {
		key, err := readKey(path)
		if err != nil {
			fmt.Fprintf(stderr, "wlskeys: %s: %s\n", path, reason(err))
			status = exitTrouble
			continue
		}
		status = max(status, do(path, key))
	}
	return status, nil
}

// readKey reads a file of any name and mode, in any directory: its key is shown, not trusted.
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
