// Package demo is what the example programs have in common: flags, exit codes, servers
// on loopback that start and stop together, and how pages are shown.
package demo

import (
	"context"
	"flag"
	"io"
	"os"

	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// Ready is the last line that a program prints once it serves.
const Ready = "Stop with Ctrl-C."

// Program is an example program.
type Program struct {
	Name string
	// Flags defines its flags.
	Flags func(*flag.FlagSet)
	// Check returns what is wrong with their values; nil checks nothing.
	Check func() error
	// Run does what the program is for until the context ends.
	Run func(ctx context.Context, stdout, stderr io.Writer) error
}

// Main runs the program until it ends or is interrupted, and exits.
func (p Program) Main() {
	os.Exit(p.Start(cli.UntilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// Start runs the program and returns its exit code: 0 done, 1 failed, 2 wrong usage.
func (p Program) Start(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := cli.Flags(p.Name)
	p.Flags(flags)
	help := "Usage: " + p.Name + " [flags]\n\n" + cli.Defaults(flags)
	err := p.parse(flags, args)
	if err == nil {
		err = p.Run(ctx, stdout, stderr)
	}
	return cli.Program{Name: p.Name, Help: help}.Finish(err, stdout, stderr)
}

func (p Program) parse(flags *flag.FlagSet, args []string) error {
	others, err := cli.Parse(flags, args)
	switch {
	case err != nil:
		return err
	case len(others) > 0:
		return cli.Usagef("unexpected argument %q", others[0])
	case p.Check != nil:
		return cli.Usage(p.Check())
	}
	return nil
}
