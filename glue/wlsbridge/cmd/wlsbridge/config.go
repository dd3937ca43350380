package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/login"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge/internal/signkeys"
)

type (
	// Serving says where and how the bridge is served, as a gateway is.
	Serving = serve.Config
	// Where says where people log in, as for a gateway.
	Where = login.Config
)

// Config is a configuration file.
type Config struct {
	Serving
	Where

	// SigningKeys is a directory with the keys that sign; it is made on first use. It has the
	// private keys, their public halves for sites as pubkeyN, and fingerprints.txt of those. See
	// also "wlsbridge keys".
	SigningKeys string `toml:"signing-keys,omitempty"`
	// Confirm says when people are asked whether a site may be told who they are: "each-site"
	// (the default), the first time for each site in a browser session, "first", the first time
	// for any, or "never": then any page can have a browser tell any of the sites who uses it.
	Confirm string `toml:"confirm,omitempty"`
	// HSTS is how long browsers are to remember that the host is https alone. Nothing takes it
	// back from one that does not visit again: begin with a short time.
	HSTS serve.Duration `toml:"hsts,omitempty"`
	// People says who may log in at all.
	People People `toml:"people,omitempty"`
	// PtagNames are the ptags of the protocol by those that people have where they log in, such
	// as the identifier of a group: "0c54..." = "current". Others are told to nobody. Without
	// the table they are told as they are. Sites take "current" for members of the University:
	// only what says that of a person may become it.
	PtagNames map[string]string `toml:"ptag-names,omitempty"`
	// AAuthNames are the authentication types of the protocol by those that people have where
	// they log in, such as mfa = "pwd"; "" is for all others. Types that have no line are told to
	// nobody. Without the table they are told as they are, as another login service is asked for them.
	// Most sites accept "pwd" alone, and OpenID Connect providers rarely say that: with one of
	// those, "" = "pwd" is what lets people in.
	AAuthNames map[string]string `toml:"aauth-names,omitempty"`
	// Sites are those that may ask for logins; there is at least one.
	Sites []Site `toml:"site,omitempty"`
}

// People says who may log in; see glue.Policy.
type People struct {
	// Principals may log in, with names as the login service writes them; without it, everybody.
	Principals []string `toml:"principals,omitempty"`
	// Ptags are those of which people must have one; without it that is "current" where the
	// login service has ptags. AnyPtags drops this condition: former members come in too.
	Ptags    []string `toml:"ptags,omitempty"`
	AnyPtags bool     `toml:"any-ptags,omitempty"`
}

// Site is a site that may ask; see wlsbridge.Site.
type Site struct {
	// URL is where the site is: its origin and, where others share that, its path, such as
	// "https://soc.example/" or "https://people.example/~soc/". A path ends at a segment.
	URL string `toml:"url,omitempty"`
	// Name is what people know the site as; empty shows its address alone.
	Name string `toml:"name,omitempty"`
	// Ptags are those that the site may be told; without it, none.
	Ptags []string `toml:"ptags,omitempty"`
	// AAuth are the authentication types that the site may be told; the default is "pwd".
	AAuth []string `toml:"aauth,omitempty"`
	// InsecureHTTP allows an http URL that is not on loopback: whoever is on the way can read
	// responses, and log in there as the person.
	InsecureHTTP bool `toml:"insecure-http,omitempty"`
	// InsecureImplyCurrent answers the site in versions 1 and 2 of the protocol for people
	// without the ptag "current", too. Those versions have no ptags, and most sites that speak
	// them take whoever comes back for a current member of the University.
	InsecureImplyCurrent bool `toml:"insecure-imply-current,omitempty"`
}

// confirms are the values of Confirm.
var confirms = map[string]wlsbridge.Confirm{
	"each-site": wlsbridge.ConfirmEachSite, "first": wlsbridge.ConfirmFirst, "never": wlsbridge.ConfirmNever,
}

// load reads a configuration file. Files that it names are not looked at yet.
func load(path string) (*Config, error) {
	c := &Config{}
	file, found, err := config.Read(path, c, map[reflect.Type]string{reflect.TypeFor[serve.Duration](): `a duration such as "90s"`})
	if err != nil {
		return nil, err
	}
	c.File, c.Program = file, title
	for _, f := range c.check().Findings {
		if !file.Refused(f.Key) {
			found = append(found, f)
		}
	}
	if err := file.Err(found); err != nil {
		return nil, err
	}
	return c, nil
}

// check fills in the defaults, and finds what can be found without a look at files.
func (c *Config) check() *serve.Report {
	c.SetDefaults()
	c.Normalise(&c.Serving)
	c.SigningKeys = c.File.Path(c.SigningKeys)
	serve.SmallLetters(&c.Confirm)
	serve.SetDefault(&c.Confirm, "each-site")
	k := &serve.Report{}
	c.Serving.Check(k, c.headers(), c.Where.Check)
	for i := range k.Findings {
		if k.Findings[i].Key == "headers.hsts" { // as gateways call it
			k.Findings[i].Key = "hsts"
		}
	}
	k.Need("signing-keys", c.SigningKeys, "a directory that is made on first use, such as /var/lib/wlsbridge/keys")
	k.OneOf("confirm", c.Confirm, "each-site", "first", "never")
	if c.Front.URL != "" {
		k.Errorf("front.url", "this is for gateways: leave it out")
	}
	k.NotEmpty("people.principals", c.People.Principals)
	k.NotEmpty("people.ptags", c.People.Ptags)
	if len(c.Sites) == 0 {
		k.Errorf("site", "no site may ask: write a [[site]] with its url for each that may")
	}
	for i, s := range c.Sites {
		k.Need(siteKey(i, "url"), s.URL, "where the site is, such as https://soc.example/ or https://people.example/~soc/")
	}
	return k
}

// headers are the defaults of package site, and HSTS.
func (c *Config) headers() site.Headers {
	return site.Headers{HSTS: site.HSTS{MaxAge: time.Duration(c.HSTS)}}
}

func siteKey(i int, field string) string { return fmt.Sprintf("site[%d].%s", i+1, field) }

// Check implements [program.Config]: it makes the bridge, and leaves everything as it is.
func (c *Config) Check() []site.Finding {
	k := c.check()
	if err := c.File.Err(k.Findings); err != nil {
		return serve.FindingsOf(err)
	}
	c.Try(k, func(shared serve.Config) {
		cfg := *c
		cfg.Serving = shared
		s := newService(&cfg)
		made, err := s.build(&cfg, cfg.trialKeys)
		if err != nil {
			k.Findings = append(k.Findings, serve.FindingsOf(err)...)
			return
		}
		k.Findings = append(k.Findings, made.noted...)
		if c.AAuthNames == nil && c.Where.Open() != nil {
			k.Warnf("aauth-names", "this is missing: sites accept \"pwd\" alone, which most OpenID Connect providers do not call it, so that nobody gets in: write [aauth-names] and \"\" = \"pwd\"")
		}
		s.release(made)
	})
	return c.File.Placed(k.Findings).Sorted()
}

// Show implements [program.Config].
func (c *Config) Show(w io.Writer) error {
	shown := *c
	shown.Listen = shown.Listening(false)
	shown.RedisURL = serve.WithoutSecrets(shown.RedisURL)
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(shown); err != nil {
		return err
	}
	_, err := w.Write(text.Bytes())
	return err
}

// policy is what the login asks of people.
func (c *Config) policy() glue.Policy {
	return glue.Policy{Principals: c.People.Principals, Ptags: c.People.Ptags, AnyPtags: c.People.AnyPtags}
}

// bridge is what package wlsbridge is told, but for the login.
func (c *Config) bridge(ring *signkeys.Ring) wlsbridge.Config {
	b := wlsbridge.Config{Confirm: confirms[c.Confirm], Ptags: c.PtagNames, AAuth: c.AAuthNames}
	for _, k := range ring.Keys {
		b.Keys = append(b.Keys, wlsbridge.Key{Kid: k.Kid, Private: k.Private})
	}
	for _, s := range c.Sites {
		b.Sites = append(b.Sites, wlsbridge.Site{
			URLPrefix: s.URL, Name: s.Name, Ptags: s.Ptags, AAuth: s.AAuth,
			InsecureHTTP: s.InsecureHTTP, InsecureImplyCurrent: s.InsecureImplyCurrent,
		})
	}
	return b
}

// fields are the keys of a file for fields of package wlsbridge.
var fields = map[string]string{
	"Keys": "signing-keys", "Confirm": "confirm", "Ptags": "ptag-names", "AAuth": "aauth-names", "Sites": "site",
	"URLPrefix": "url", "Name": "name", "InsecureHTTP": "insecure-http", "InsecureImplyCurrent": "insecure-imply-current",
}

var siteField = regexp.MustCompile(`^Sites\[(\d+)\]\.(\w+)$`)

// refused returns an error of package wlsbridge as one about keys of the file.
func (c *Config) refused(err error) error {
	var found site.Findings
	for _, f := range serve.FindingsOf(err) {
		key := f.Key
		var i int
		if m := siteField.FindStringSubmatch(key); m != nil {
			_, _ = fmt.Sscan(m[1], &i)
			key = siteKey(i, fieldIn(m[2]))
		} else {
			for field, name := range fields {
				if regexp.MustCompile(`^` + field + `\b`).MatchString(key) {
					key = name
				}
			}
		}
		f.Key, f.Text = key, strings.ReplaceAll(f.Text, "Config.AAuth", "aauth-names")
		found = append(found, f)
	}
	return c.File.Err(found)
}

// fieldIn is the key of a field of a site.
func fieldIn(field string) string {
	switch field {
	case "Ptags":
		return "ptags"
	case "AAuth":
		return "aauth"
	}
	return fields[field]
}

// openKeys returns the keys that sign. Where the program begins, it makes the first one.
func (c *Config) openKeys(begins bool) (*signkeys.Ring, error) {
	ring, err := signkeys.Open(c.SigningKeys)
	if errors.Is(err, signkeys.ErrNone) && begins && !c.isShared() {
		if err = signkeys.MakeFirst(c.SigningKeys, c.Now()); err == nil {
			ring, err = signkeys.Open(c.SigningKeys)
		}
	}
	if errors.Is(err, signkeys.ErrNone) {
		err = fmt.Errorf("%w in %s: make one with: wlsbridge keys new FILE; or put back what was there", err, c.SigningKeys)
		if c.isShared() {
			err = fmt.Errorf("%w; machines that share a Redis need the same keys: copy the directory to each", err)
		}
	}
	if err != nil {
		return nil, c.File.Errorf("signing-keys", "%v", err)
	}
	return ring, nil
}

// isShared reports whether there may be several machines, which need the same keys.
func (c *Config) isShared() bool { return c.RedisURL != "" || c.RedisURLFile != "" }

// trialKeys returns the keys that sign, or one that is forgotten where the first is yet to be
// made.
func (c *Config) trialKeys(noted *site.Findings) (*signkeys.Ring, error) {
	ring, err := c.openKeys(false)
	if _, none := signkeys.Open(c.SigningKeys); !errors.Is(none, signkeys.ErrNone) || c.isShared() {
		return ring, err
	}
	noted.Notef("signing-keys", "there is no key in %s yet; the first will be made there, with mode 0600", c.SigningKeys)
	return signkeys.Trial(c.Now())
}
