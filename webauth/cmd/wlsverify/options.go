package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

type options struct {
	service      webauth.Service
	bundledDemo  bool // the demo service with its own key, which proves nothing
	versions     []int
	maxAge, skew time.Duration
	at           time.Time // zero: now
	want         webauth.Expect
	response     string
}

// parseOptions returns flag.ErrHelp if help is asked for.
func parseOptions(args []string) (options, error) {
	var o options
	var service, keyDir, at, iact, aauth, versions string
	flags := flag.NewFlagSet("wlsverify", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&service, "service", "raven", "")
	flags.StringVar(&keyDir, "keys", "", "")
	flags.StringVar(&o.want.URL, "url", "", "")
	flags.StringVar(&at, "at", "", "")
	flags.DurationVar(&o.maxAge, "max-age", 30*time.Second, "")
	flags.DurationVar(&o.skew, "skew", 5*time.Second, "")
	flags.StringVar(&versions, "versions", "1,2,3", "")
	flags.StringVar(&iact, "iact", "", "")
	flags.StringVar(&aauth, "aauth", "pwd", "")
	responses, err := parseArgs(flags, args)
	if err != nil {
		return o, err
	}
	if len(responses) != 1 {
		return o, fmt.Errorf("want one RESPONSE, got %d", len(responses))
	}
	o.response = responses[0]
	return o, errors.Join(
		o.setService(service, keyDir), o.setURL(), o.setTimes(at), o.setVersions(versions), o.setStrength(iact, aauth))
}

// parseArgs reads flags before and after the other arguments.
func parseArgs(flags *flag.FlagSet, args []string) (others []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return others, nil
		}
		others = append(others, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func (o *options) setService(name, keyDir string) error {
	switch name {
	case "raven":
		o.service = webauth.Raven()
	case "raven-demo":
		o.service, o.bundledDemo = webauth.RavenDemo(), keyDir == ""
	default:
		return fmt.Errorf("-service %q: want raven or raven-demo; for another one, name the directory of its keys with -keys", name)
	}
	if keyDir == "" {
		return nil
	}
	set, err := keys.LoadDir(keyDir)
	if err != nil {
		return fmt.Errorf("-keys: %v", err)
	}
	o.service.Keys = set
	return nil
}

func (o *options) setURL() error {
	if o.want.URL == "" {
		o.want.InsecureAnyURL = true
		return nil
	}
	if _, err := webauth.Origin(o.want.URL); err != nil {
		return fmt.Errorf("-url: %v", err)
	}
	return nil
}

func (o *options) setTimes(at string) (err error) {
	if o.maxAge < 0 || o.skew < 0 {
		return errors.New("-max-age and -skew must not be negative")
	}
	// In webauth zero means the default; on the command line it means zero.
	o.maxAge, o.skew = max(o.maxAge, 1), max(o.skew, 1)
	if at == "" {
		return nil
	}
	if o.at, err = time.Parse(time.RFC3339, at); err != nil {
		return fmt.Errorf("-at %q: want a time such as 2014-11-10T16:46:20Z", at)
	}
	return nil
}

func (o *options) setVersions(list string) error {
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 3 {
			return fmt.Errorf("-versions %q: want some of 1,2,3", list)
		}
		o.versions = append(o.versions, n)
	}
	return nil
}

func (o *options) setStrength(iact, aauth string) error {
	switch o.want.IAct = webauth.Interact(iact); o.want.IAct {
	case webauth.IActAsNeeded, webauth.IActYes, webauth.IActNo:
	default:
		return fmt.Errorf("-iact %q: want yes or no, or leave it out", iact)
	}
	o.want.AAuth = strings.Split(aauth, ",")
	for _, t := range o.want.AAuth {
		if t == "" || strings.Contains(t, " ") {
			return fmt.Errorf("-aauth %q: want types joined by commas, without blanks", aauth)
		}
	}
	return nil
}
