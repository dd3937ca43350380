// Package program is the command line of programs that serve a site as a configuration file
// says, and what they do about signals, systemd and their log.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Exit statuses.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Run is the program; it returns the exit status.
func (p *Program) Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	status, err := p.do(ctx, args, stdout, stderr)
	if usage := (UsageError)(""); errors.As(err, &usage) {
		fmt.Fprintf(stderr, "%s: %v\nRun \"%s -h\" for help.\n", p.Name, err, p.Name)
		return ExitUsage
	}
	for _, line := range lines(err) {
		fmt.Fprintln(stderr, p.Name+":", line)
	}
	if err != nil {
		return ExitFailed
	}
	return status
}

func (p *Program) do(ctx context.Context, args []string, stdout, stderr io.Writer) (status int, err error) {
	if len(args) > 0 {
		if command, ok := p.Commands[args[0]]; ok {
			return ExitOK, command(args[1:], stdout)
		}
	}
	command, file, err := parse(args)
	if err != nil {
		return ExitUsage, err
	}
	switch command {
	case "help":
		_, err = io.WriteString(stdout, p.Help)
	case "version":
		_, err = fmt.Fprintln(stdout, p.version())
	case "check":
		return p.check(file, stdout), nil
	case "show":
		err = p.show(file, stdout)
	default:
		err = p.serve(ctx, file, stderr)
	}
	return ExitOK, err
}

// lines returns a line for each thing that is wrong.
func lines(err error) []string {
	var all []string
	for _, f := range serve.FindingsOf(err) {
		all = append(all, (&site.ConfigError{Findings: []site.Finding{f}}).Error())
	}
	return all
}

// UsageError is the error of a command line that means nothing.
type UsageError string

func (e UsageError) Error() string { return string(e) }

// parse understands a command line: a command and a file, or the file alone.
func parse(args []string) (command, file string, err error) {
	if len(args) == 0 {
		return "", "", UsageError("which configuration file?")
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		return "help", "", nil
	case "version", "-version", "--version":
		return "version", "", nil
	case "check", "show":
		command, args = args[0], args[1:]
	}
	switch {
	case len(args) == 0:
		return "", "", UsageError(command + " which configuration file?")
	case len(args) > 1:
		return "", "", UsageError(fmt.Sprintf("unexpected argument %q", args[1]))
	case len(args[0]) > 1 && args[0][0] == '-':
		return "", "", UsageError("unknown option " + args[0])
	}
	return command, args[0], nil
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
			status = ExitFailed
		}
	}
	if status == ExitOK {
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

// version is what the program was built from.
func (p *Program) version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return p.Name + ", built without a version"
	}
	text := p.Name + " " + info.Main.Version + ", " + info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += ", " + s.Value
		}
	}
	return text
}
