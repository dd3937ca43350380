package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/ucam-webauth/go-webauth/keys"
)

func show(args []string, stdout, stderr io.Writer) (status int, err error) {
	return eachKey(flag.NewFlagSet("show", flag.ContinueOnError), args, stderr, func(path string, key keys.Key) int {
		showKey(stdout, path, key)
		return exitSame
	})
}

func showKey(stdout io.Writer, path string, key keys.Key) {
	fmt.Fprintf(stdout, "%s: RSA-%d, exponent %d\n", path, key.Bits(), key.Public().E)
	printKey(stdout, key)
	if known, ok := whichKnown(key); ok {
		fmt.Fprintf(stdout, "  the key of %s\n", title(known))
	} else {
		fmt.Fprintln(stdout, "  not a known key: compare the fingerprints with those that the service's operators give")
	}
	// Sites are stricter than this program about names and permissions.
	if _, err := keys.LoadFile(path); err != nil {
		fmt.Fprintf(stdout, "  NOTE: as it lies there a site would not load it: %s\n", reason(err))
	}
}
