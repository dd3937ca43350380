package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/ucam-webauth/go-webauth/keys"
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

func list(args []string, stdout, stderr io.Writer) (status int, err error) {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "")
	files, err := parseArgs(flags, args)
	switch {
	case err != nil:
		return exitTrouble, err
	case len(files) > 0:
		return exitTrouble, errors.New("list takes no files")
	case *asJSON:
		return listJSON(stdout, stderr), nil
	}
	for i, known := range keys.Known() {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		fmt.Fprintf(stdout, "%-12s %s, RSA-%d, %s\n", known.Name, title(known), known.Bits, standing(known))
		printFingerprints(stdout, known.Fingerprints)
		if known.Published {
			printPublished(stdout)
		}
		fmt.Fprintf(stdout, "  %s\n", known.Note)
	}
	return exitSame, nil
}

func listJSON(stdout, stderr io.Writer) int {
	all := []listed{}
	for _, k := range keys.Known() {
		all = append(all, listed{
			Name: k.Name, Service: k.Service, Kid: k.Kid, Bits: k.Bits, Bundled: k.Bundled, Published: k.Published,
			SPKI: k.Fingerprints.SPKI, PKCS1: k.Fingerprints.PKCS1, Certificate: k.Fingerprints.Certificate, Note: k.Note,
		})
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(all); err != nil {
		fmt.Fprintf(stderr, "wlskeys: %v\n", err)
		return exitTrouble
	}
	return exitSame
}

func standing(known keys.KnownKey) string {
	if known.Bundled {
		return "bundled"
	}
	return "known to compare with, not bundled"
}
