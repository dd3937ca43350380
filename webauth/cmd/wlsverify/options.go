package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/keys/words"
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

// parseOptions returns errors for [cli.Program.Finish].
func parseOptions(args []string) (options, error) {
	o := options{maxAge: 30 * time.Second, skew: 5 * time.Second, response: "-"}
	var service, keyDir, at, iact, aauth, versions string
	flags := cli.Flags("wlsverify")
	flags.StringVar(&service, "service", "raven", "")
	flags.StringVar(&keyDir, "keys", "", "")
	flags.StringVar(&o.want.URL, "url", "", "")
	flags.StringVar(&at, "at", "", "")
	flags.Func("max-age", "", durationTo(&o.maxAge))
	flags.Func("skew", "", durationTo(&o.skew))
	flags.StringVar(&versions, "versions", "1,2,3", "")
	flags.StringVar(&iact, "iact", "", "")
	flags.StringVar(&aauth, "aauth", "pwd", "")
	responses, err := cli.Parse(flags, args)
	switch {
	case err != nil:
		return o, err
	case len(responses) > 1:
		return o, cli.Usagef("want one RESPONSE, got %d: put it in quotes", len(responses))
	case len(responses) == 1:
		o.response = responses[0]
	}
	err = errors.Join(o.setService(service, keyDir), o.setURL(), o.setTimes(at), o.setVersions(versions), o.setStrength(iact, aauth))
	if err != nil {
		return o, cli.Usage(err)
	}
	return o, o.loadKeys(keyDir)
}

// durationTo returns what stores the value of a flag.
func durationTo(d *time.Duration) func(string) error {
	return func(text string) (err error) {
		if *d, err = time.ParseDuration(text); err != nil {
			return errors.New("want a time with its unit, such as 30s or 10m")
		}
		return nil
	}
}

func (o *options) setService(name, keyDir string) error {
	name, err := words.Name(name, "raven", "raven-demo")
	switch {
	case err != nil:
		return fmt.Errorf("-service %v; for another one, name the directory of its keys with -keys", err)
	case name == "raven":
		o.service = webauth.Raven()
	default:
		o.service, o.bundledDemo = webauth.RavenDemo(), keyDir == ""
	}
	return nil
}

// loadKeys has those of a directory trusted instead of the service's own.
func (o *options) loadKeys(dir string) error {
	if dir == "" {
		return nil
	}
	set, err := keys.LoadDir(dir)
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
	if iact != "" {
		word, err := words.Name(iact, string(webauth.IActYes), string(webauth.IActNo))
		if err != nil {
			return fmt.Errorf("-iact %v", err)
		}
		o.want.IAct = webauth.Interact(word)
	}
	o.want.AAuth = strings.Split(aauth, ",")
	for _, t := range o.want.AAuth {
		if t == "" || strings.Contains(t, " ") {
			return fmt.Errorf("-aauth %q: want types joined by commas, without blanks", aauth)
		}
	}
	return nil
}
