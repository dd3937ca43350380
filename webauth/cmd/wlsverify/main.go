// Wlsverify decodes and verifies one WLS-Response of the Ucam-WebAuth protocol and says
// exactly what is wrong with it. Run it with -help for help.
package main

import (
	_ "embed" // the help
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Exit statuses, as the help promises them.
const (
	exitVerified = 0
	exitRefused  = 1
	exitUsage    = 2
)

//go:embed help.txt
var help string

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help)
		return exitVerified
	}
	if err != nil {
		return misused(stderr, err)
	}
	text, err := readText(o.response, stdin)
	if err != nil {
		return misused(stderr, err)
	}
	result, err := examine(o, text)
	if err != nil {
		return misused(stderr, err)
	}
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(result); err != nil {
		return misused(stderr, err)
	}
	if !result.OK {
		return exitRefused
	}
	return exitVerified
}

func misused(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "wlsverify: %v\nRun \"wlsverify -help\" for help.\n", err)
	return exitUsage
}
