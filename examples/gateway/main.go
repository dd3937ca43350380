// Gateway is a fake login service, a gateway, and a plain backend that shows what it was
// told, in one process and with no set-up: go run ./examples/gateway, then open the
// address that it prints. The backend knows nothing of logins: it could be in any
// language.
package main

import (
	"flag"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
)

// options are the flags, and the clock for tests.
type options struct {
	addr, wlsAddr, backendAddr string
	show                       bool

	now func() time.Time // nil means time.Now
}

func main() { program(&options{}).Main() }

func program(o *options) demo.Program {
	return demo.Program{Name: "gateway", Flags: o.define, Run: o.serve}
}

func (o *options) define(fs *flag.FlagSet) {
	fs.StringVar(&o.addr, "addr", "localhost:8080", "`address` the gateway listens on")
	fs.StringVar(&o.wlsAddr, "wls-addr", "127.0.0.1:8081", "`address` the fake login service listens on")
	fs.StringVar(&o.backendAddr, "backend-addr", "127.0.0.1:8082", "`address` the backend listens on")
	fs.BoolVar(&o.show, "show", false, "print the gateway's configuration as a file for wlsgateway would have it")
}
