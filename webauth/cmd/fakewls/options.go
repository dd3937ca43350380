package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

type options struct {
	addr, keyFile, kid, pubkeyDir string
	anyAddr                       bool
	users                         []webauthtest.User // nil: the default ones
	faults                        map[webauthtest.Fault]float64
	quirks                        []webauthtest.Quirk
}

// newOptions returns the defaults, and the flags that set others.
func newOptions() (*options, *flag.FlagSet) {
	o := &options{faults: make(map[webauthtest.Fault]float64)}
	flags := cli.Flags("fakewls")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8081", "`host:port` to listen on")
	flags.StringVar(&o.keyFile, "key", "", "private key `file` (PEM); made if it does not exist; without it a key is made for this run")
	flags.StringVar(&o.kid, "kid", webauthtest.DefaultKid, "the key's `number`")
	flags.StringVar(&o.pubkeyDir, "write-pubkey", "", "write the public key to `dir`/pubkeyN")
	flags.Func("user", "`id:password:ptags`, ptags joined by commas or left out; repeat; in place of test0001 to test0010", o.addUser)
	flags.Func("fault", "`name=probability`; repeat; names below", o.addFault)
	flags.Func("quirk", "`name` of something odd that services do; repeat; names below", o.addQuirk)
	flags.BoolVar(&o.anyAddr, "insecure-any-addr", false, "listen on any address: whoever reaches it can log in as anybody")
	return o, flags
}

// parseOptions returns errors for [cli.Program.Finish].
func parseOptions(args []string) (*options, error) {
	o, flags := newOptions()
	others, err := cli.Parse(flags, args)
	switch {
	case err != nil:
		return nil, err
	case len(others) > 0:
		return nil, cli.Usagef("unexpected argument %q", others[0])
	case !keys.ValidKid(o.kid):
		return nil, cli.Usagef("-kid %q: want 1 to 8 digits without a leading zero", o.kid)
	}
	return o, cli.Usage(o.checkAddr())
}

func help() string {
	_, flags := newOptions()
	return fmt.Sprintf("fakewls is a fake web login service (Ucam-WebAuth), for tests only.\n\nUsage: fakewls [flags]\n\n%s\n"+
		"Faults: %s\n\nQuirks: %s\n\nExit status: 0 stopped by a signal, 1 failed, 2 wrong usage.\n",
		cli.Defaults(flags), strings.Join(names(webauthtest.Faults()), ", "), strings.Join(names(webauthtest.Quirks()), ", "))
}

func names[T ~string](all []T) []string {
	names := make([]string, len(all))
	for i, name := range all {
		names[i] = string(name)
	}
	return names
}

// checkAddr refuses addresses that others can reach.
func (o *options) checkAddr() error {
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return fmt.Errorf("-addr: %v", err)
	}
	if ip := net.ParseIP(host); o.anyAddr || host == "localhost" || ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("-addr %s can be reached from elsewhere, and whoever reaches it can log in as anybody: "+
		"use 127.0.0.1, or add -insecure-any-addr if you mean it", o.addr)
}

func (o *options) addUser(s string) error {
	parts := strings.SplitN(s, ":", 3)
	if len(parts) < 2 {
		return errors.New("want id:password or id:password:ptags")
	}
	u := webauthtest.User{ID: parts[0], Password: parts[1]}
	if len(parts) == 3 && parts[2] != "" {
		u.Ptags = strings.Split(parts[2], ",")
	}
	o.users = append(o.users, u)
	return u.Check()
}

func (o *options) addFault(s string) error {
	given, probability, found := strings.Cut(s, "=")
	p, err := strconv.ParseFloat(probability, 64)
	if !found || err != nil {
		return errors.New("want name=probability, such as stale=0.05")
	}
	name, err := words.Name(given, names(webauthtest.Faults())...)
	if err != nil {
		return err
	}
	if _, twice := o.faults[webauthtest.Fault(name)]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	o.faults[webauthtest.Fault(name)] = p
	return nil
}

func (o *options) addQuirk(s string) error {
	name, err := words.Name(s, names(webauthtest.Quirks())...)
	if err != nil {
		return err
	}
	o.quirks = append(o.quirks, webauthtest.Quirk(name))
	return nil
}
