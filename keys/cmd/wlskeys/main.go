// Wlskeys shows and compares the public keys by which sites recognise a login service of the Ucam-WebAuth protocol. Run
// it with -help for help, which also says how to do the same with openssl.
package main

import (
	_ "embed" // the help
	"io"
	"os"

	"github.com/ucam-webauth/go-webauth/keys/cli"
)

//go:embed help.txt
var help string

var program = cli.Program{Name: "wlskeys", Help: help}

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command, args, err := cli.Command(args, "list", "show", "compare")
	if err != nil {
		return program.Finish(err, stdout, stderr)
	}
	status, err := cli.ExitOK, error(nil)
	switch c := newCommand(command, stdin, stdout, stderr); command {
	case "list":
		err = c.list(args)
	case "show":
		status, err = c.show(args)
	case "compare":
		status, err = c.compare(args)
	}
	if err != nil {
		return program.Finish(err, stdout, stderr)
	}
	return status
}
