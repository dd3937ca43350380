// Wlsverify decodes and verifies one WLS-Response of the Ucam-WebAuth protocol and says
// exactly what is wrong with it. Run it with -help for help.
package main

import (
	_ "embed" // the help
	"io"
	"os"

	"github.com/ucam-webauth/go-webauth/keys/cli"
)

//go:embed help.txt
var help string

var program = cli.Program{Name: "wlsverify", Help: help}

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	result, err := verify(args, stdin, stderr)
	if err == nil {
		err = cli.WriteJSON(stdout, result)
	}
	if err == nil && !result.OK {
		return cli.ExitFailed
	}
	return program.Finish(err, stdout, stderr)
}

func verify(args []string, stdin io.Reader, stderr io.Writer) (*result, error) {
	o, err := parseOptions(args)
	if err != nil {
		return nil, err
	}
	text, err := readText(o.response, stdin, stderr)
	if err != nil {
		return nil, err
	}
	return examine(o, text)
}
