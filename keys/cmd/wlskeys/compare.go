package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// exitDifferent is the status where a key is not the one that it is compared with: as where there is none.
const exitDifferent = cli.ExitFailed

func (c *command) compare(args []string) (status int, err error) {
	var wanted *keys.KnownKey
	c.flags.Func("service", "", func(name string) (err error) {
		wanted, err = knownByName(name)
		return err
	})
	return c.eachKey(args, func(w io.Writer, e *entry, key keys.Key) int {
		status := 0
		if wanted != nil {
			e.Wanted = wanted.Name
			status = compareWith(w, e, key, *wanted)
		} else {
			status = compareWithAll(w, e, key)
		}
		e.noteLoading(w)
		same := status == cli.ExitOK
		e.Same = &same
		return status
	})
}

// compareWith prints whether the file holds this known key.
func compareWith(w io.Writer, e *entry, key keys.Key, wanted keys.KnownKey) int {
	if e.SPKI == wanted.Fingerprints.SPKI {
		printSame(w, e, key, wanted)
		return cli.ExitOK
	}
	fmt.Fprintf(w, "%s: DIFFERENT from the key of %s\n", e.File, title(wanted))
	if actual, ok := whichKnown(key); ok {
		fmt.Fprintf(w, "  it is the key of %s\n", title(actual))
	}
	fmt.Fprintln(w, " in the file:")
	printKey(w, key)
	fmt.Fprintln(w, " wanted:")
	printFingerprints(w, wanted.Fingerprints)
	return exitDifferent
}

// compareWithAll prints which known key the file holds. One that anybody can sign with does not pass here: it has to be
// named.
func compareWithAll(w io.Writer, e *entry, key keys.Key) int {
	known, ok := whichKnown(key)
	if !ok {
		fmt.Fprintf(w, "%s: DIFFERENT from every known key\n", e.File)
		printKey(w, key)
		return exitDifferent
	}
	printSame(w, e, key, known)
	if known.Published {
		fmt.Fprintf(w, "  Use -service %s if this key is what you want.\n", known.Name)
		return exitDifferent
	}
	return cli.ExitOK
}

func printSame(w io.Writer, e *entry, key keys.Key, known keys.KnownKey) {
	fmt.Fprintf(w, "%s: the same key as that of %s\n", e.File, title(known))
	printKey(w, key)
	switch ours, theirs := e.Certificate, known.Fingerprints.Certificate; {
	case ours == "":
	case ours == theirs:
		fmt.Fprintln(w, "  The certificate is the one we know, too.")
	case theirs != "":
		fmt.Fprintf(w, "  The certificate is not the one we know (%s), but only the key counts.\n", theirs)
	}
	if kid, ok := kidOfName(e.File); ok && known.Kid != "" && kid != known.Kid {
		e.note(w, fmt.Sprintf("the file's name says kid %s, but the service signs under kid %s.", kid, known.Kid))
	}
}

// kidOfName returns the kid in the file's name, if any.
func kidOfName(path string) (string, bool) {
	name, ok := strings.CutPrefix(filepath.Base(path), "pubkey")
	kid, _, _ := strings.Cut(name, ".")
	return kid, ok && keys.ValidKid(kid)
}

// knownByName returns a key by its name, whatever the letter case.
func knownByName(name string) (*keys.KnownKey, error) {
	all := keys.Known()
	names := make([]string, len(all))
	for i, known := range all {
		names[i] = known.Name
	}
	name, err := words.Name(name, names...)
	if err != nil {
		return nil, err
	}
	return &all[slices.Index(names, name)], nil
}
