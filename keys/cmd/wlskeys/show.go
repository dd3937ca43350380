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
	e.noteLoading(w)
	return cli.ExitOK
}

// noteLoading notes why a site would not load the file, if it would not: sites are stricter than
// this program about forms, names and permissions.
func (e *entry) noteLoading(w io.Writer) {
	switch {
	case e.Form != formPEM:
		e.note(w, "a site would not load it: it is "+e.Form+", and has to be PEM (the help says how to make that)")
	case e.File == standardInput:
	default:
		if _, err := keys.LoadFile(e.File); err != nil {
			e.note(w, "as it lies there a site would not load it: "+reason(err))
		}
	}
}

func (e *entry) note(w io.Writer, text string) {
	e.Notes = append(e.Notes, text)
	fmt.Fprintf(w, "  NOTE: %s\n", text)
}
