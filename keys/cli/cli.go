// Package cli is what the programs of this module have in common: how they are asked for help
// and for their version, how they print JSON, and how they say that they failed or were called
// wrongly.
//
// It is public only because nothing internal is in reach of all of them. It is no part of what
// this module promises to keep.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

// Exit statuses.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// Program is a program, with what it tells about itself.
type Program struct{ Name, Help string }

// Finish says what has come of a run, which ended with err, and returns the exit status. Help and
// the version go to stdout if err asks for them, anything else to stderr: one line for each thing
// that is wrong, and where the command line is, one that says how to get help.
func (p Program) Finish(err error, stdout, stderr io.Writer) int {
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err = io.WriteString(stdout, p.Help)
	case errors.Is(err, errVersion):
		_, err = fmt.Fprintln(stdout, p.Name, Version())
	}
	if err == nil {
		return ExitOK
	}
	p.Complain(stderr, err)
	if wrong := (usageError)(""); errors.As(err, &wrong) {
		fmt.Fprintf(stderr, "Run '%s -help' for help.\n", p.Name)
		return ExitUsage
	}
	return ExitFailed
}

// Complain says what is wrong, and whose word that is.
func (p Program) Complain(stderr io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "%s: %s\n", p.Name, strings.TrimSuffix(line, "\n"))
	}
}

type usageError string

func (e usageError) Error() string { return string(e) }

// Usagef returns an error about the command line.
func Usagef(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// Usage returns err as one about the command line; nil for nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError(err.Error())
}

var errVersion = errors.New("cli: the version was asked for")

// Asked returns an error for [Program.Finish] if the first argument asks for help or for the
// version, in any of the ways that people try; nil if it does not.
func Asked(args []string) error {
	if len(args) == 0 {
		return nil
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return flag.ErrHelp
	case "version", "-version", "--version":
		return errVersion
	}
	return nil
}

// Command returns the command that the first argument names, and the arguments behind it.
func Command(args []string, commands ...string) (command string, rest []string, err error) {
	if err := Asked(args); err != nil {
		return "", nil, err
	}
	if len(args) == 0 {
		return "", nil, Usagef("which command? There are %s", strings.Join(commands, ", "))
	}
	if command, err = words.Name(args[0], commands...); err != nil {
		return "", nil, Usagef("command %v", err)
	}
	return command, args[1:], nil
}

// Flags returns an empty set of options for [Parse].
func Flags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Bool(versionFlag, false, "say what was built, and from what")
	return flags
}

const versionFlag = "version"

// Parse reads options before, between and behind other arguments, which it returns; behind "--"
// there are no options. Its errors are for [Program.Finish].
func Parse(flags *flag.FlagSet, args []string) (others []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, parseError(flags, err)
		}
		if flags.Lookup(versionFlag).Value.String() == "true" {
			return nil, errVersion
		}
		rest := flags.Args()
		if parsed := args[:len(args)-len(rest)]; len(rest) == 0 || len(parsed) > 0 && parsed[len(parsed)-1] == "--" {
			return append(others, rest...), nil
		}
		others, args = append(others, rest[0]), rest[1:]
	}
}

func parseError(flags *flag.FlagSet, err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case !unknown:
		return Usage(err)
	}
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	if nearest := words.Nearest(name, known); nearest != "" {
		return Usagef("there is no option -%s: did you mean -%s?", name, nearest)
	}
	return Usagef("there is no option -%s", name)
}

// Defaults returns a description of options and their defaults.
func Defaults(flags *flag.FlagSet) string {
	var text strings.Builder
	flags.SetOutput(&text)
	flags.PrintDefaults()
	flags.SetOutput(io.Discard)
	return text.String()
}
