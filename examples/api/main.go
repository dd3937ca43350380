// Api is a site with a small REST API, the pages where people make tokens for it and
// register applications, two such applications of somebody else's, one on a server and one
// in the browser, and a library that serves a part of the API by itself, in one process
// beside a fake login service: go run ./examples/api, then open the addresses that it
// prints. Everything listens on this machine only.
package main

import (
	"errors"
	"flag"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
)

// options are the flags, and the clock for tests.
type options struct {
	addr, wlsAddr, appAddr string
	spaAddr, libraryAddr   string
	db, postgres           string
	resourceServer         string

	now func() time.Time // nil means time.Now
}

func main() { program(&options{}).Main() }

func program(o *options) demo.Program {
	return demo.Program{Name: "api", Flags: o.define, Check: o.check, Run: o.serve}
}

func (o *options) define(fs *flag.FlagSet) {
	fs.StringVar(&o.addr, "addr", "localhost:8080", "loopback `address` the site listens on")
	fs.StringVar(&o.wlsAddr, "wls-addr", "127.0.0.1:8081", "loopback `address` the fake login service listens on")
	fs.StringVar(&o.appAddr, "app-addr", "127.0.0.1:8082", "loopback `address` the third party's application listens on")
	fs.StringVar(&o.spaAddr, "spa-addr", "127.0.0.1:8083", "loopback `address` the application in the browser comes from")
	fs.StringVar(&o.libraryAddr, "library-addr", "127.0.0.1:8084", "loopback `address` the library listens on")
	fs.StringVar(&o.resourceServer, "resource-server", "", "the `client-id` with which the library is registered at the site")
	fs.StringVar(&o.db, "db", "", "keep applications and tokens in this SQLite `file` (default: one that goes with the program)")
	fs.StringVar(&o.postgres, "postgres", "", "keep them in PostgreSQL at this `URL` instead, such as postgres://user@127.0.0.1/soc")
}

func (o *options) check() error {
	if o.db != "" && o.postgres != "" {
		return errors.New("-db and -postgres contradict each other")
	}
	return errors.Join(demo.CheckLoopback(o.addr), demo.CheckLoopback(o.wlsAddr), demo.CheckLoopback(o.appAddr),
		demo.CheckLoopback(o.spaAddr), demo.CheckLoopback(o.libraryAddr))
}
