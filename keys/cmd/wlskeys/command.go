package main

import (
	"flag"
	"io"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// command is one command of the program as it runs.
type command struct {
	flags          *flag.FlagSet
	asJSON         *bool
	stdin          io.Reader
	stdout, stderr io.Writer
}

func newCommand(name string, stdin io.Reader, stdout, stderr io.Writer) *command {
	flags := cli.Flags(name)
	return &command{flags, flags.Bool("json", false, ""), stdin, stdout, stderr}
}

// entry is what "show -json" and "compare -json" say of a file. Names stay as they are; more may come.
type entry struct {
	File  string `json:"file"`
	Error string `json:"error,omitempty"`
	*facts
	Same   *bool    `json:"same,omitempty"`
	Wanted string   `json:"wanted,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// facts are those of a key.
type facts struct {
	Form        string `json:"form"`
	Bits        int    `json:"bits"`
	Exponent    int    `json:"exponent"`
	Known       string `json:"known,omitempty"`
	Published   bool   `json:"private_key_is_public"`
	SPKI        string `json:"spki_sha256"`
	PKCS1       string `json:"pkcs1_der_sha256"`
	Certificate string `json:"certificate_sha256,omitempty"`
}

func factsOf(key keys.Key, form string) *facts {
	known, _ := whichKnown(key)
	prints := key.Fingerprints()
	return &facts{
		Form: form, Bits: key.Bits(), Exponent: key.Public().E, Known: known.Name, Published: key.Published(),
		SPKI: prints.SPKI, PKCS1: prints.PKCS1, Certificate: prints.Certificate,
	}
}

// eachKey calls do, which writes to w and to e, for the key in each file that args name. It returns the highest status, which
// is at least cli.ExitFailed where a file cannot be read.
func (c *command) eachKey(args []string, do func(w io.Writer, e *entry, key keys.Key) int) (status int, err error) {
	files, err := cli.Parse(c.flags, args)
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, cli.Usagef("%s needs at least one file, or - for standard input", c.flags.Name())
	}
	w, all := c.stdout, []*entry{}
	if *c.asJSON {
		w = io.Discard
	}
	for _, path := range files {
		e := &entry{File: path}
		all = append(all, e)
		key, form, err := c.readKey(path)
		if err != nil {
			program.Complain(c.stderr, err)
			e.Error, status = err.Error(), max(status, cli.ExitFailed)
			continue
		}
		e.facts = factsOf(key, form)
		status = max(status, do(w, e, key))
	}
	if *c.asJSON {
		return status, cli.WriteJSON(c.stdout, all)
	}
	return status, nil
}
