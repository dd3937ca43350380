package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

type options struct {
	addr, keyFile, kid, pubkeyDir string
	anyAddr                       bool
	users                         []webauthtest.User // nil: the default ones
	faults                        map[webauthtest.Fault]float64
	quirks                        []webauthtest.Quirk
}

// parseOptions returns flag.ErrHelp if help is asked for, and writes it to out.
func parseOptions(args []string, out io.Writer) (options, error) {
	o := options{faults: make(map[webauthtest.Fault]float64)}
	flags := flag.NewFlagSet("fakewls", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8081", "`host:port` to listen on")
	flags.StringVar(&o.keyFile, "key", "", "private key `file` (PEM); made if it does not exist; without it a key is made for this run")
	flags.StringVar(&o.kid, "kid", webauthtest.DefaultKid, "the key's `number`")
	flags.StringVar(&o.pubkeyDir, "write-pubkey", "", "write the public key to `dir`/pubkeyN")
	flags.Func("user", "`id:password:ptags`, ptags joined by commas or left out; repeat; in place of test0001 to test0010", o.addUser)
	flags.Func("fault", "`name=probability`; repeat; names below", o.addFault)
	flags.Func("quirk", "`name` of something odd that services do; repeat; names below", o.addQuirk)
	flags.BoolVar(&o.anyAddr, "insecure-any-addr", false, "listen on any address: whoever reaches it can log in as anybody")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			printHelp(flags, out)
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if !keys.ValidKid(o.kid) {
		return o, fmt.Errorf("-kid %q: want 1 to 8 digits without a leading zero", o.kid)
	}
	return o, o.checkAddr()
}

func printHelp(flags *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, "fakewls is a fake web login service (Ucam-WebAuth), for tests only.\n\nUsage: fakewls [flags]\n\n")
	flags.SetOutput(out)
	flags.PrintDefaults()
	fmt.Fprintf(out, "\nFaults: %s\nQuirks: %s\n", joined(webauthtest.Faults()), joined(webauthtest.Quirks()))
}

func joined[T ~string](names []T) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(n))
	}
	return b.String()
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
	name, probability, found := strings.Cut(s, "=")
	p, err := strconv.ParseFloat(probability, 64)
	if !found || err != nil {
		return errors.New("want name=probability, such as stale=0.05")
	}
	if _, twice := o.faults[webauthtest.Fault(name)]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	o.faults[webauthtest.Fault(name)] = p
	return nil
}

func (o *options) addQuirk(s string) error {
	q := webauthtest.Quirk(s)
	if !slices.Contains(webauthtest.Quirks(), q) {
		return fmt.Errorf("want one of %s", joined(webauthtest.Quirks()))
	}
	o.quirks = append(o.quirks, q)
	return nil
}
