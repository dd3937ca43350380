package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
)

func compare(args []string, stdout, stderr io.Writer) (status int, err error) {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	var wanted *keys.KnownKey
	flags.Func("service", "", func(name string) (err error) {
		wanted, err = knownByName(name)
		return err
	})
	return eachKey(flags, args, stderr, func(path string, key keys.Key) int {
		if wanted != nil {
			return compareWith(stdout, path, key, *wanted)
		}
		return compareWithAll(stdout, path, key)
	})
}

// compareWith prints whether the file holds this known key.
func compareWith(stdout io.Writer, path string, key keys.Key, wanted keys.KnownKey) int {
	if key.Fingerprints().SPKI == wanted.Fingerprints.SPKI {
		printSame(stdout, path, key, wanted)
		return exitSame
	}
	fmt.Fprintf(stdout, "%s: DIFFERENT from the key of %s\n", path, title(wanted))
	if actual, ok := whichKnown(key); ok {
		fmt.Fprintf(stdout, "  it is the key of %s\n", title(actual))
	}
	fmt.Fprintln(stdout, " in the file:")
	printKey(stdout, key)
	fmt.Fprintln(stdout, " wanted:")
	printFingerprints(stdout, wanted.Fingerprints)
	return exitDifferent
}

// compareWithAll prints which known key the file holds. One that anybody can sign with does not pass here: it has to be
// named.
func compareWithAll(stdout io.Writer, path string, key keys.Key) int {
	known, ok := whichKnown(key)
	if !ok {
		fmt.Fprintf(stdout, "%s: DIFFERENT from every known key\n", path)
		printKey(stdout, key)
		return exitDifferent
	}
	printSame(stdout, path, key, known)
	if known.Published {
		fmt.Fprintf(stdout, "  Use -service %s if this key is what you want.\n", known.Name)
		return exitDifferent
	}
	return exitSame
}

func printSame(stdout io.Writer, path string, key keys.Key, known keys.KnownKey) {
	fmt.Fprintf(stdout, "%s: the same key as that of %s\n", path, title(known))
	printKey(stdout, key)
	switch ours, theirs := key.Fingerprints().Certificate, known.Fingerprints.Certificate; {
	case ours == "":
	case ours == theirs:
		fmt.Fprintln(stdout, "  The certificate is the one we know, too.")
	case theirs != "":
		fmt.Fprintf(stdout, "  The certificate is not the one we know (%s), but only the key counts.\n", theirs)
	}
	if kid, ok := kidOfName(path); ok && known.Kid != "" && kid != known.Kid {
		fmt.Fprintf(stdout, "  NOTE: the file's name says kid %s, but the service signs under kid %s.\n", kid, known.Kid)
	}
}

// kidOfName returns the kid in the file's name, if any.
func kidOfName(path string) (string, bool) {
	name, ok := strings.CutPrefix(filepath.Base(path), "pubkey")
	kid, _, _ := strings.Cut(name, ".")
	return kid, ok && keys.ValidKid(kid)
}

func knownByName(name string) (*keys.KnownKey, error) {
	var names []string
	for _, known := range keys.Known() {
		if known.Name == name {
			return &known, nil
		}
		names = append(names, known.Name)
	}
	return nil, fmt.Errorf("no such service; known are %s", strings.Join(names, ", "))
}
