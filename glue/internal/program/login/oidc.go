package login

import (
	"cmp"
	"errors"
	"reflect"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// OIDC is an OpenID Connect provider; see oidclogin.Provider. The site is registered there
// with the redirect URI serve.LoginPath at each of its origins.
type OIDC struct {
	// Preset is "cambridge" for the University of Cambridge's Entra ID, whose issuer, tenant,
	// scopes and claims need not be written then.
	Preset string `toml:"preset,omitempty"`
	Name   string `toml:"name,omitempty"`
	Title  string `toml:"title,omitempty"`
	Issuer string `toml:"issuer,omitempty"`

	ClientID         string `toml:"client-id,omitempty"`
	ClientSecretFile string `toml:"client-secret-file,omitempty"`
	PrivateKeyFile   string `toml:"private-key-file,omitempty"`
	KeyID            string `toml:"key-id,omitempty"`

	Scopes         []string `toml:"scopes,omitempty"`
	PrincipalClaim string   `toml:"principal-claim,omitempty"`
	CRSid          bool     `toml:"crsid,omitempty"`
	ObjectClaim    string   `toml:"object-claim,omitempty"`
	TenantID       string   `toml:"tenant-id,omitempty"`
	PtagsClaim     string   `toml:"ptags-claim,omitempty"`
	Ptags          []string `toml:"ptags,omitempty"`
}

const (
	oidcKey         = "oidc"
	presetCambridge = "cambridge"
)

// isSet reports whether anything is said of a provider.
func (o *OIDC) isSet() bool { return !reflect.ValueOf(o).Elem().IsZero() }

// provider returns what o describes, which reads no file before it is used.
func (o *OIDC) provider() *oidclogin.Provider {
	p := &oidclogin.Provider{}
	if o.Preset == presetCambridge {
		p = oidclogin.Cambridge("", "")
	}
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&p.Name, o.Name}, {&p.Title, o.Title}, {&p.Issuer, o.Issuer},
		{&p.ClientID, o.ClientID}, {&p.ClientSecretFile, o.ClientSecretFile}, {&p.PrivateKeyFile, o.PrivateKeyFile}, {&p.KeyID, o.KeyID},
		{&p.PrincipalClaim, o.PrincipalClaim}, {&p.ObjectClaim, o.ObjectClaim}, {&p.TenantID, o.TenantID}, {&p.PtagsClaim, o.PtagsClaim},
	} {
		*f.to = cmp.Or(f.from, *f.to)
	}
	if o.Scopes != nil {
		p.Scopes = o.Scopes
	}
	p.CRSid, p.Ptags = o.CRSid, o.Ptags
	return p
}

// oidcKeys are the keys of fields of oidclogin.Provider.
var oidcKeys = func() map[string]string {
	keys := map[string]string{}
	for field := range reflect.TypeFor[OIDC]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		keys[field.Name] = name
	}
	return keys
}()

// inWordsOfFile replaces what package oidclogin calls its fields, where no other word is one.
var inWordsOfFile = strings.NewReplacer(
	"ClientSecretFile", "client-secret-file", "PrivateKeyFile", "private-key-file", "PrincipalClaim", "principal-claim",
	"ObjectClaim", "object-claim", "PtagsClaim", "ptags-claim", "CRSid", "crsid", "TenantID", "tenant-id",
	"Identity.ObjectID", "the account's identifier",
)

// check finds what can be found without a look at files.
func (o *OIDC) check(k *serve.Report) {
	if o.Preset != "" {
		k.OneOf("oidc.preset", o.Preset, presetCambridge)
		for _, f := range [][2]string{{"oidc.issuer", o.Issuer}, {"oidc.tenant-id", o.TenantID}} {
			if f[1] != "" {
				k.Errorf(f[0], "preset = %q says this already: leave one of the two out", o.Preset)
			}
		}
	}
	for _, f := range o.mistakes() {
		ofFile := f.Key == "oidc.client-secret-file" && o.ClientSecretFile != "" || f.Key == "oidc.private-key-file" && o.PrivateKeyFile != ""
		if !ofFile || o.ClientSecretFile != "" && o.PrivateKeyFile != "" {
			k.Findings = append(k.Findings, f)
		}
	}
}

// mistakes are all that is wrong, by the keys of the file. The files that o names are read.
func (o *OIDC) mistakes() (found site.Findings) {
	for _, err := range unjoined(o.provider().Check()) {
		if of := (*oidclogin.FieldError)(nil); errors.As(err, &of) {
			found.Errorf(config.Join(oidcKey, oidcKeys[of.Field]), "%s", inWordsOfFile.Replace(of.Text))
		} else {
			found.Errorf(oidcKey, "%v", err)
		}
	}
	return found
}

// unjoined returns the errors that errors.Join has put together.
func unjoined(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// setPaths makes the paths of files absolute.
func (o *OIDC) setPaths(s *serve.Config) {
	for _, p := range []*string{&o.ClientSecretFile, &o.PrivateKeyFile} {
		*p = s.SecretPath(*p)
	}
}
