package main

import (
	"fmt"
	"io"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/wlsbridge/internal/signkeys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// keysCommand is "wlsbridge keys".
func keysCommand(args []string, stdout io.Writer, now func() time.Time) error {
	command, unknown := "", error(nil) // empty lists the keys
	if len(args) > 0 {
		if command, unknown = words.Name(args[0], "new", "use", "retire"); unknown == nil {
			args = args[1:]
		}
	}
	least, most := 1, 1
	switch command {
	case "new":
		most = 2
	case "use", "retire":
		least, most = 2, 2
	}
	switch {
	case len(args) == 0:
		return cli.Usagef("keys: which configuration file?")
	case len(args) < least:
		return cli.Usagef("keys %s: which kid?", command)
	case len(args) > most && unknown != nil:
		return cli.Usagef("keys: command %v", unknown)
	case len(args) > most:
		return cli.Usagef("keys: unexpected argument %q", args[most])
	}
	cfg, err := load(args[0])
	if err != nil {
		return err
	}
	kid := ""
	if len(args) == 2 {
		kid = args[1]
	}
	dir := cfg.SigningKeys
	switch command {
	case "new":
		if kid, err = signkeys.Make(dir, kid, now()); err == nil {
			fmt.Fprintf(stdout, "Key %s was made in %s. Reload the service to publish it, give sites the file pubkey%s, and then: wlsbridge keys use %s %s\n", kid, dir, kid, args[0], kid)
		}
	case "use":
		if err = signkeys.Use(dir, kid); err == nil {
			fmt.Fprintf(stdout, "Key %s signs from the next reload on. Sites that do not have pubkey%s refuse logins then.\n", kid, kid)
		}
	case "retire":
		if err = signkeys.Retire(dir, kid); err == nil {
			fmt.Fprintf(stdout, "Key %s is gone. Reload the service, and have sites remove pubkey%s.\n", kid, kid)
		}
	}
	if err != nil {
		return cfg.File.Errorf("signing-keys", "%v", err)
	}
	ring, err := signkeys.Open(dir)
	if err != nil {
		return cfg.File.Errorf("signing-keys", "%s: %v", dir, err)
	}
	for _, warning := range ring.Warnings {
		fmt.Fprintln(stdout, "warning:", warning)
	}
	fmt.Fprintf(stdout, "pubkey%s is of the key that signs.\n%s", ring.Keys[0].Kid, ring.Fingerprints())
	return nil
}
