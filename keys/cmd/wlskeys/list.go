package main

import (
	"fmt"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// listed is the form of a known key in the output of "list -json". Names stay as they are; more may come.
type listed struct {
	Name        string `json:"name"`
	Service     string `json:"service"`
	Kid         string `json:"kid,omitempty"`
	Bits        int    `json:"bits"`
	Bundled     bool   `json:"bundled"`
	Published   bool   `json:"private_key_is_public"`
	SPKI        string `json:"spki_sha256"`
	PKCS1       string `json:"pkcs1_der_sha256"`
	Certificate string `json:"certificate_sha256,omitempty"`
	Note        string `json:"note"`
}

func (c *command) list(args []string) error {
	files, err := cli.Parse(c.flags, args)
	switch {
	case err != nil:
		return err
	case len(files) > 0:
		return cli.Usagef("list takes no files")
	case *c.asJSON:
		return c.listJSON()
	}
	for i, known := range keys.Known() {
		if i > 0 {
			fmt.Fprintln(c.stdout)
		}
		fmt.Fprintf(c.stdout, "%-12s %s, RSA-%d, %s\n", known.Name, title(known), known.Bits, standing(known))
		printFingerprints(c.stdout, known.Fingerprints)
		if known.Published {
			printPublished(c.stdout)
		}
		fmt.Fprintf(c.stdout, "  %s\n", known.Note)
	}
	return nil
}

func (c *command) listJSON() error {
	all := []listed{}
	for _, k := range keys.Known() {
		all = append(all, listed{
			Name: k.Name, Service: k.Service, Kid: k.Kid, Bits: k.Bits, Bundled: k.Bundled, Published: k.Published,
			SPKI: k.Fingerprints.SPKI, PKCS1: k.Fingerprints.PKCS1, Certificate: k.Fingerprints.Certificate, Note: k.Note,
		})
	}
	return cli.WriteJSON(c.stdout, all)
}

func standing(known keys.KnownKey) string {
	if known.Bundled {
		return "bundled"
	}
	return "known to compare with, not bundled"
}
