// Package demo is what the example programs have in common: flags, exit codes, servers
// on loopback that start and stop together, and how pages are shown.
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(p.Start(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Start runs the program and returns its exit code: 0 done, 1 failed, 2 wrong usage.
func (p Program) Start(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	p.Flags(fs)
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil { // which Parse has printed
		return 2
	}
	var usage error
	if fs.NArg() > 0 {
		usage = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	} else if p.Check != nil {
		usage = p.Check()
	}
	if usage != nil {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, usage)
		return 2
	}
	if err := p.Run(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return 1
	}
	return 0
}
