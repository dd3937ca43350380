// Package program is the command line of programs that serve a site as a configuration file
// says, and what they do about signals, systemd and their log.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// Program is a program whose argument is a configuration file.
type Program struct {
	// Name is what people call it by, such as "wlsgateway"; Title begins its lines in the
	// log, such as "wls gateway".
	Name, Title string
	Help        string
	// Load reads a configuration file.
	Load func(file string) (Config, error)
	// Commands are what it can do beside what every program can. Each is called with the
	// arguments that follow its name.
	Commands map[string]func(args []string, stdout io.Writer) error
}

// Config is a configuration that was read from a file.
type Config interface {
	// Check lists what is wrong or weak about it.
	Check() []site.Finding
	// Show writes it with all defaults and without secrets.
	Show(w io.Writer) error
	// Logs says what is logged.
	Logs() serve.Log
	// Alive asks the program that serves it on this machine whether it does.
	Alive(ctx context.Context) error
	// Open makes what serves it, with the sockets that systemd has passed.
	Open(log *slog.Logger, passed map[string][]net.Listener) (Server, error)
}

// Server serves what a configuration says.
type Server interface {
	// Serve answers requests until ctx ends or a socket fails.
	Serve(ctx context.Context) error
	// ReloadFile puts a file in force as it is now, or changes nothing. It returns what is
	// logged from then on.
	ReloadFile(file string) (serve.Log, error)
	// Close releases what outlived the requests.
	Close() error
}

// Main runs the program as the process's, and does not return.
func (p *Program) Main() {
	os.Exit(p.Run(cli.UntilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// Run is the program; it returns the exit status.
func (p *Program) Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	status, err := p.do(ctx, args, stdout, stderr)
	if err == nil {
		return status
	}
	if refused := (*site.ConfigError)(nil); errors.As(err, &refused) {
		err = errors.New(strings.Join(lines(err), "\n"))
	}
	return cli.Program{Name: p.Name, Help: p.Help}.Finish(err, stdout, stderr)
}

func (p *Program) do(ctx context.Context, args []string, stdout, stderr io.Writer) (status int, err error) {
	command, args, err := p.parse(args)
	if err != nil {
		return cli.ExitUsage, err
	}
	switch command {
	case "check":
		return p.check(args[0], stdout), nil
	case "show":
		return cli.ExitOK, p.show(args[0], stdout)
	case "":
		return cli.ExitOK, p.serve(ctx, args[0], stderr)
	}
	return cli.ExitOK, p.Commands[command](args, stdout)
}

// lines returns a line for each thing that is wrong.
func lines(err error) []string {
	var all []string
	for _, f := range serve.FindingsOf(err) {
		all = append(all, (&site.ConfigError{Findings: []site.Finding{f}}).Error())
	}
	return all
}

// parse understands a command line: a command of the program's own and its arguments, or one that
// all programs have and a file, or the file alone.
func (p *Program) parse(args []string) (command string, rest []string, err error) {
	if err := cli.Asked(args); err != nil {
		return "", nil, err
	}
	if len(args) == 0 {
		return "", nil, cli.Usagef("which configuration file?")
	}
	commands := append(slices.Sorted(maps.Keys(p.Commands)), "check", "show")
	name, unknown := words.Name(args[0], commands...)
	if unknown == nil {
		command, args = name, args[1:]
	}
	switch {
	case p.Commands[command] != nil:
	case len(args) == 0:
		return "", nil, cli.Usagef("%s which configuration file?", command)
	case len(args[0]) > 1 && args[0][0] == '-':
		return "", nil, cli.Usagef("there is no option %s: all that is set is in the configuration file, which is named alone", args[0])
	case len(args) > 1 && command == "":
		return "", nil, cli.Usagef("command %v", unknown)
	case len(args) > 1:
		return "", nil, cli.Usagef("unexpected argument %q", args[1])
	}
	return command, args, nil
}

// check prints what is wrong or weak about a configuration.
func (p *Program) check(file string, stdout io.Writer) (status int) {
	var found []site.Finding
	cfg, err := p.Load(file)
	if err != nil {
		found = serve.FindingsOf(err)
	} else {
		found = cfg.Check()
	}
	for _, f := range found {
		fmt.Fprintln(stdout, f)
		if f.Severity == site.SeverityError {
			status = cli.ExitFailed
		}
	}
	if status == cli.ExitOK {
		fmt.Fprintf(stdout, "%s can be used\n", file)
	}
	return status
}

func (p *Program) show(file string, stdout io.Writer) error {
	cfg, err := p.Load(file)
	if err != nil {
		return err
	}
	return cfg.Show(stdout)
}
