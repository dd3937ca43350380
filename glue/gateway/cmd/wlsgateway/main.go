// Command wlsgateway is a reverse proxy that logs people in with Ucam-WebAuth before any
// backend, and tells the backend who they are. It takes one configuration file; package
// gateway describes it.
//
//	wlsgateway check FILE    # what is wrong or weak about it
//	wlsgateway FILE
//
// SIGHUP has it read the file again: a wrong one is logged, and the old one stays in
// force. SIGTERM and SIGINT stop it when the requests under way have ended.
package main

import (
	"context"
	_ "embed" // the help
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Exit statuses, as the help promises them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

//go:embed help.txt
var help string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command, file, err := parse(args)
	if err == nil {
		switch command {
		case "help":
			_, err = io.WriteString(stdout, help)
		case "version":
			_, err = fmt.Fprintln(stdout, version())
		case "check":
			return check(file, stdout)
		case "show":
			err = show(file, stdout)
		default:
			err = serve(ctx, file, stderr)
		}
	}
	if usage := (usageError)(""); errors.As(err, &usage) {
		fmt.Fprintf(stderr, "wlsgateway: %v\nRun \"wlsgateway -h\" for help.\n", err)
		return exitUsage
	}
	for _, line := range lines(err) {
		fmt.Fprintln(stderr, "wlsgateway:", line)
	}
	if err != nil {
		return exitFailed
	}
	return exitOK
}

// lines returns a line for each thing that is wrong.
func lines(err error) []string {
	var all []string
	for _, f := range gateway.Findings(err) {
		all = append(all, (&site.ConfigError{Findings: []site.Finding{f}}).Error())
	}
	return all
}

type usageError string

func (e usageError) Error() string { return string(e) }

// parse understands a command line: a command and a file, or the file alone.
func parse(args []string) (command, file string, err error) {
	if len(args) == 0 {
		return "", "", usageError("which configuration file?")
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
		return "", "", usageError(command + " which configuration file?")
	case len(args) > 1:
		return "", "", usageError(fmt.Sprintf("unexpected argument %q", args[1]))
	case len(args[0]) > 1 && args[0][0] == '-':
		return "", "", usageError("unknown option " + args[0])
	}
	return command, args[0], nil
}

// check prints what is wrong or weak about a configuration.
func check(file string, stdout io.Writer) int {
	var found []site.Finding
	cfg, err := gateway.Load(file)
	if err != nil {
		found = gateway.Findings(err)
	} else {
		found = gateway.Check(*cfg)
	}
	status := exitOK
	for _, f := range found {
		fmt.Fprintln(stdout, f)
		if f.Severity == site.SeverityError {
			status = exitFailed
		}
	}
	if status == exitOK {
		fmt.Fprintf(stdout, "%s can be used\n", file)
	}
	return status
}

func show(file string, stdout io.Writer) error {
	cfg, err := gateway.Load(file)
	if err != nil {
		return err
	}
	return cfg.Show(stdout)
}

// version is what the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "wlsgateway, built without a version"
	}
	text := "wlsgateway " + info.Main.Version + ", " + info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += ", " + s.Value
		}
	}
	return text
}
