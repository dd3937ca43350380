// Wlskeys shows and compares the public keys by which sites recognise a login service of the Ucam-WebAuth protocol. Run
// it without arguments for help, which also says how to do the same with openssl.
package main

import (
	_ "embed" // the help
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
)

// Exit statuses, as the help promises them.
const (
	exitSame      = 0
	exitDifferent = 1
	exitTrouble   = 2
)

//go:embed help.txt
var help string

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	status, err := runCommand(args, stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help)
		return exitSame
	case err != nil:
		fmt.Fprintf(stderr, "wlskeys: %v\nRun \"wlskeys help\" for help.\n", err)
		return exitTrouble
	}
	return status
}

// runCommand returns an error where the command line is wrong, or asks for help.
func runCommand(args []string, stdout, stderr io.Writer) (status int, err error) {
	command := "help"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "list":
		return list(args, stdout, stderr)
	case "show":
		return show(args, stdout, stderr)
	case "compare":
		return compare(args, stdout, stderr)
	case "help", "-h", "-help", "--help":
		return exitSame, flag.ErrHelp
	}
	return exitTrouble, fmt.Errorf("no command %q: list, show, compare or help", command)
}

// parseArgs reads flags before, between and after files, and after "--" files only. It returns flag.ErrHelp where help is
// asked for.
func parseArgs(flags *flag.FlagSet, args []string) (files []string, err error) {
	flags.SetOutput(io.Discard)
	var literal []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, literal = args[:i], args[i+1:]
	}
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return append(files, literal...), nil
		}
		files = append(files, flags.Arg(0))
		args = flags.Args()[1:]
	}
}
