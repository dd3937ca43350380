package main

import (
	"fmt"
	"io"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
)

func (c *command) show(args []string) (status int, err error) { return c.eachKey(args, showKey) }

func showKey(w io.Writer, e *entry, key keys.Key) int {
	fmt.Fprintf(w, "%s: RSA-%d, exponent %d\n", e.File, e.Bits, e.Exponent)
	printKey(w, key)
	if known, ok := whichKnown(key); ok {
		fmt.Fprintf(w, "  the key of %s\n", title(known))
	} else {
		fmt.Fprintln(w, "  not a known key: compare the fingerprints with those that the service's operators give")
	}
	if e.Form != formPEM {
		e.note(w, "a site would not load it: it is "+e.Form+", and has to be PEM (the help says how to make that)")
		return cli.ExitOK
	}
	if e.File == standardInput {
		return cli.ExitOK
	}
	// Sites are stricter than this program about names and permissions.
	if _, err := keys.LoadFile(e.File); err != nil {
		e.note(w, "as it lies there a site would not load it: "+reason(err))
	}
	return cli.ExitOK
}

func (e *entry) note(w io.Writer, text string) {
	e.Notes = append(e.Notes, text)
	fmt.Fprintf(w, "  NOTE: %s\n", text)
}
