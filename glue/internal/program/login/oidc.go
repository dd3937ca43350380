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
	// Name is a short lower-case name for logs, by default "oidc", and Title what people call
	// the provider, by default "your organisation's login".
	Name  string `toml:"name,omitempty"`
	Title string `toml:"title,omitempty"`
	// Issuer is the provider's issuer identifier, exactly as its configuration and its tokens
	// have it: an https URL, or http on a loopback host. It is required without Preset.
	Issuer string `toml:"issuer,omitempty"`

	// ClientID is the site's identifier at the provider. It is required.
	ClientID string `toml:"client-id,omitempty"`
	// ClientSecretFile holds the site's secret at the provider, alone. It is read for each
	// login.
	ClientSecretFile string `toml:"client-secret-file,omitempty"`
	// PrivateKeyFile is a PEM file with an RSA key of 2048 bits or more, by which the site signs
	// for itself (private_key_jwt, RS256) in the place of a secret. KeyID is the kid of these
	// signatures; it may be empty. A certificate in the file is named in them, too (x5t), as
	// Entra ID wants it.
	PrivateKeyFile string `toml:"private-key-file,omitempty"`
	KeyID          string `toml:"key-id,omitempty"`

	// Scopes are asked for beside openid.
	Scopes []string `toml:"scopes,omitempty"`
	// PrincipalClaim is the claim that is the principal; empty means "sub". "email" may not be
	// used: at many providers people choose theirs.
	PrincipalClaim string `toml:"principal-claim,omitempty"`
	// CRSid makes CRSids of the University of Cambridge's user names: it takes away exactly
	// "@cam.ac.uk", and leaves any other name whole. A name without a domain is refused.
	CRSid bool `toml:"crsid,omitempty"`
	// ObjectClaim is the claim with the account's identifier, such as Entra ID's "oid", that is
	// never given to another person. Empty for none.
	ObjectClaim string `toml:"object-claim,omitempty"`
	// TenantID is the Entra ID tenant whose tokens are accepted (claim tid). It is required
	// where the issuer is Entra ID, without Preset.
	TenantID string `toml:"tenant-id,omitempty"`
	// PtagsClaim is the claim with a list of groups or roles; empty for no ptags. Ptags are those
	// of them that the site knows, and no other is kept. A provider that gives no list because it
	// would be too long lets nobody in.
	PtagsClaim string   `toml:"ptags-claim,omitempty"`
	Ptags      []string `toml:"ptags,omitempty"`
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
