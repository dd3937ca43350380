package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/ucam-webauth/go-webauth/keys"
)

func show(args []string, stdout, stderr io.Writer) int {
	files, err := parseArgs(flag.NewFlagSet("show", flag.ContinueOnError), args)
	if err != nil {
		return badArgs(err, stdout, stderr)
	}
	if len(files) == 0 {
		return misused(stderr, errors.New("show needs at least one file"))
	}
	status := exitSame
	for _, path := range files {
		key, err := readKey(path)
		if err != nil {
			unreadable(stderr, path, err)
			status = exitTrouble
			continue
		}
		showKey(stdout, path, key)
	}
	return status
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
