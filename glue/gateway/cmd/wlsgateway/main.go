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
	"io"
	"log/slog"
	"net"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
	"github.com/ucam-webauth/go-webauth/glue/internal/program"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

//go:embed help.txt
var help string

func main() { wlsgateway().Main() }

func wlsgateway() *program.Program {
	return &program.Program{
		Name: "wlsgateway", Title: "wls gateway", Help: help, Load: load,
		Commands: map[string]func([]string, io.Writer) error{"health": program.Health(load)},
	}
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return wlsgateway().Run(ctx, args, stdout, stderr)
}

// configuration is a gateway's, for package program.
type configuration struct{ gateway.Config }

func load(file string) (program.Config, error) {
	cfg, err := gateway.Load(file)
	if err != nil {
		return nil, err
	}
	return &configuration{*cfg}, nil
}

func (c *configuration) Check() []site.Finding { return gateway.Check(c.Config) }
func (c *configuration) Logs() gateway.Log     { return c.Config.Log }

// Open makes the gateway and its sockets.
func (c *configuration) Open(log *slog.Logger, passed map[string][]net.Listener) (program.Server, error) {
	c.Logger = log
	g, err := gateway.New(c.Config)
	if err != nil {
		return nil, err
	}
	s, err := gateway.NewServer(g, c.Config, passed)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return &server{s, g}, nil
}

// server is a gateway with its sockets, for package program.
type server struct {
	*gateway.Server
	gateway *gateway.Gateway
}

func (s *server) ReloadFile(file string) (gateway.Log, error) {
	err := s.Server.ReloadFile(file)
	return s.Config().Log, err
}

func (s *server) Close() error { return s.gateway.Close() }
