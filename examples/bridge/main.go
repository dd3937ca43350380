// Bridge is an OpenID Connect provider for trying things out, a login service of one's own in
// front of it, and two sites that speak Ucam-WebAuth to that, in one process and with no
// set-up: go run ./examples/bridge, then open the addresses that it prints. One site is made
// with this SDK; the other is an old script that does by hand what such scripts do.
package main

import (
	"flag"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
)

// options are the flags, and the clock for tests.
type options struct {
	addr, oldAddr, bridgeAddr, providerAddr string
	ask                                     bool

	now func() time.Time // nil means time.Now
}

func main() { program(&options{}).Main() }

func program(o *options) demo.Program {
	return demo.Program{Name: "bridge", Flags: o.define, Run: o.serve}
}

func (o *options) define(fs *flag.FlagSet) {
	fs.StringVar(&o.addr, "addr", "localhost:8080", "`address` the site of this SDK listens on")
	fs.StringVar(&o.oldAddr, "old-addr", "localhost:8083", "`address` the old site listens on")
	fs.StringVar(&o.bridgeAddr, "bridge-addr", "localhost:8081", "`address` the login service listens on")
	fs.StringVar(&o.providerAddr, "provider-addr", "127.0.0.1:8082", "`address` the OpenID Connect provider listens on")
	fs.BoolVar(&o.ask, "ask", true, "ask people, for each site, whether it may be told who they are")
}
