// Command wlsbridge is a login service of one's own: it logs people in by an OpenID Connect
// provider or another WLS, and answers sites that speak Ucam-WebAuth under its own key. It takes
// one configuration file, of which the help shows the smallest; package wlsbridge says what it
// does.
//
//	wlsbridge check FILE     # what is wrong or weak about it
//	wlsbridge keys FILE      # the public keys that sites need
//	wlsbridge FILE
//
// SIGHUP has it read the file and the keys again: what is wrong is logged, and the old
// configuration stays in force. SIGTERM and SIGINT stop it when the requests under way have ended.
package main

import (
	_ "embed" // the help
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

//go:embed help.txt
var help string

// title begins the lines of a bridge in the log.
const title = "wls bridge"

func main() { command(time.Now).Main() }

func command(now func() time.Time) *program.Program {
	load := func(file string) (program.Config, error) {
		c, err := load(file)
		if err != nil {
			return nil, err
		}
		c.Now = now
		return c, nil
	}
	return &program.Program{
		Name: "wlsbridge", Title: title, Help: help, Load: load,
		Commands: map[string]func(args []string, stdout io.Writer) error{
			"health": program.Health(load),
			"keys":   func(args []string, stdout io.Writer) error { return keysCommand(args, stdout, now) },
		},
	}
}

// Logs implements [program.Config].
func (c *Config) Logs() serve.Log { return c.Log }

// Open implements [program.Config].
func (c *Config) Open(log *slog.Logger, passed map[string][]net.Listener) (program.Server, error) {
	c.Logger = log
	return open(c, passed)
}
