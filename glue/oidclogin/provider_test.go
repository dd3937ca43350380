package oidclogin_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

const tenant = "11111111-2222-3333-4444-555555555555"

func TestCheckNamesTheField(t *testing.T) {
	secret := secretFile(t, "s")
	for name, test := range map[string]struct {
		edit func(p *oidclogin.Provider)
		want string
	}{
		"name":                           {func(p *oidclogin.Provider) { p.Name = "My Login" }, "Provider.Name"},
		"no issuer":                      {func(p *oidclogin.Provider) { p.Issuer = "" }, "Provider.Issuer: it is missing"},
		"issuer over http":               {func(p *oidclogin.Provider) { p.Issuer = "http://id.example" }, "must be https"},
		"issuer with a query":            {func(p *oidclogin.Provider) { p.Issuer += "?x=1" }, "must not have a query"},
		"issuer with a fragment":         {func(p *oidclogin.Provider) { p.Issuer += "#x" }, "fragment"},
		"the configuration's address":    {func(p *oidclogin.Provider) { p.Issuer += "/.well-known/openid-configuration" }, "leave /.well-known"},
		"common":                         {func(p *oidclogin.Provider) { p.Issuer = "https://login.microsoftonline.com/common/v2.0" }, "any tenant"},
		"organizations":                  {func(p *oidclogin.Provider) { p.Issuer = "https://login.microsoftonline.com/organizations/v2.0" }, "any tenant"},
		"consumers":                      {func(p *oidclogin.Provider) { p.Issuer = "https://login.microsoftonline.com/consumers/v2.0" }, "any tenant"},
		"a pattern":                      {func(p *oidclogin.Provider) { p.Issuer = "https://login.microsoftonline.com/{tenantid}/v2.0" }, "pattern"},
		"no tenant":                      {func(p *oidclogin.Provider) { p.Issuer = "https://login.microsoftonline.com/" + tenant + "/v2.0" }, "Provider.TenantID: it is missing"},
		"another tenant":                 {func(p *oidclogin.Provider) { p.Issuer, p.TenantID = "https://login.microsoftonline.com/x/v2.0", tenant }, "not the tenant in the issuer"},
		"no client":                      {func(p *oidclogin.Provider) { p.ClientID = "" }, "Provider.ClientID"},
		"a client with a blank":          {func(p *oidclogin.Provider) { p.ClientID = "a b" }, "Provider.ClientID"},
		"no secret":                      {func(p *oidclogin.Provider) { p.ClientSecretFile = "" }, "Provider.ClientSecretFile: it is missing"},
		"secret and key":                 {func(p *oidclogin.Provider) { p.PrivateKeyFile = "x" }, "not both"},
		"a key's name without key":       {func(p *oidclogin.Provider) { p.KeyID = "x" }, "PrivateKeyFile, which is missing"},
		"a secret file that is none":     {func(p *oidclogin.Provider) { p.ClientSecretFile = "/nonexistent/secret" }, "/nonexistent/secret: no such file"},
		"an empty secret":                {func(p *oidclogin.Provider) { p.ClientSecretFile = secretFile(t, "\n") }, "it is empty"},
		"a secret of two lines":          {func(p *oidclogin.Provider) { p.ClientSecretFile = secretFile(t, "a\nb\n") }, "alone, in one line"},
		"two scopes in one":              {func(p *oidclogin.Provider) { p.Scopes = []string{"a b"} }, "Provider.Scopes"},
		"email":                          {func(p *oidclogin.Provider) { p.PrincipalClaim = "email" }, `"email" names nobody`},
		"the audience as principal":      {func(p *oidclogin.Provider) { p.PrincipalClaim = "aud" }, "names nobody"},
		"ptags of no claim":              {func(p *oidclogin.Provider) { p.Ptags = []string{"a"} }, "Provider.PtagsClaim: it is missing"},
		"a claim and no ptags":           {func(p *oidclogin.Provider) { p.PtagsClaim = "groups" }, "Provider.Ptags: it is missing"},
		"a ptag with a comma":            {func(p *oidclogin.Provider) { p.PtagsClaim, p.Ptags = "groups", []string{"a,b"} }, `Provider.Ptags: "a,b"`},
		"a ptag with a blank":            {func(p *oidclogin.Provider) { p.PtagsClaim, p.Ptags = "groups", []string{"a b"} }, `Provider.Ptags: "a b"`},
		"two things wrong, the first...": {func(p *oidclogin.Provider) { p.Issuer, p.ClientID = "", "" }, "Provider.Issuer"},
		"...and the second":              {func(p *oidclogin.Provider) { p.Issuer, p.ClientID = "", "" }, "Provider.ClientID"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &oidclogin.Provider{Issuer: "https://id.example", ClientID: clientID, ClientSecretFile: secret}
			require.NoError(t, p.Check())
			test.edit(p)
			require.ErrorContains(t, p.Check(), test.want)
			_, err := p.At(webauth.Place{Origin: origin, Callback: callback})
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestCambridge(t *testing.T) {
	p := oidclogin.Cambridge(clientID, secretFile(t, "s"))
	require.NoError(t, p.Check())
	assert.Equal(t, webauth.ServiceInfo{Name: "cambridge", Title: "your University account", URL: p.Issuer, Challenge: "OpenID-Connect", NoPtags: true, Callback: true, Open: true}, p.Info())
	require.NoError(t, p.CheckPrincipal("spqr1@cam.ac.uk"))
	require.ErrorContains(t, p.CheckPrincipal("spqr1"), `write "spqr1@cam.ac.uk", or set CRSid`)
	require.Error(t, p.CheckPrincipal("a b@cam.ac.uk"))
	require.ErrorContains(t, p.CheckPtag("current"), "never reported")

	p = oidclogin.Cambridge(clientID, secretFile(t, "s"))
	p.CRSid = true
	require.ErrorContains(t, p.CheckPrincipal("spqr1@cam.ac.uk"), `write "spqr1"`)
	require.NoError(t, p.CheckPrincipal("spqr1"))
	require.NoError(t, p.CheckPrincipal("spqr1@alumni.example"))
}

func TestProvidersDiffer(t *testing.T) {
	base := oidclogin.Provider{Issuer: "https://id.example", ClientID: clientID}
	other := oidclogin.Provider{Issuer: "https://id.example", ClientID: "site-two"}
	third := oidclogin.Provider{Issuer: "https://id.example/", ClientID: clientID}
	named := oidclogin.Provider{Name: "x", Issuer: "https://id.example", ClientID: clientID}
	ids := map[string]bool{base.ID(): true, other.ID(): true, third.ID(): true, named.ID(): true}
	assert.Len(t, ids, 4)
}

func TestFindings(t *testing.T) {
	texts := func(p *oidclogin.Provider, origins ...string) string {
		var all []string
		for _, f := range p.Findings(origins) {
			all = append(all, fmt.Sprintf("%v %s", f.Note, f.Text))
		}
		return strings.Join(all, "\n")
	}
	p := &oidclogin.Provider{Issuer: "https://id.example", ClientID: clientID, ClientSecretFile: secretFile(t, "s")}
	assert.Equal(t, 1, len(p.Findings([]string{origin})), "what policies lose, and no more")
	assert.Contains(t, texts(p), `true oidc knows no ptag "current"`)

	p.Issuer, p.PrincipalClaim, p.Scopes = "https://127.0.0.1:9", "preferred_username", []string{"offline_access"}
	found := texts(p, "https://soc.example", "http://localhost:8080")
	assert.Contains(t, found, "false the issuer https://127.0.0.1:9 is this machine's own")
	assert.NotContains(t, found, "localhost:8080")
	assert.Contains(t, found, "false PrincipalClaim preferred_username")
	assert.Contains(t, found, "true the scope offline_access")
	p.PrincipalClaim = "upn"
	assert.Contains(t, texts(p), `true a user name (upn)`)

	require.NoError(t, os.Chmod(p.ClientSecretFile, 0o644))
	require.NoError(t, p.Check(), "below a directory that keeps others out")
	assert.Contains(t, texts(p), "false "+p.ClientSecretFile+" ")
}

func TestCheckStrength(t *testing.T) {
	p := &oidclogin.Provider{}
	for _, test := range []struct {
		iact  webauth.Interact
		aauth []string
		auth  string
		sso   []string
		want  webauth.Reason
	}{
		{webauth.IActAsNeeded, nil, "", []string{"oidc"}, ""},
		{webauth.IActAsNeeded, nil, "hwk", nil, ""},
		{webauth.IActAsNeeded, nil, "", nil, webauth.ReasonAuthType},
		{webauth.IActAsNeeded, []string{"mfa"}, "", []string{"pwd", "mfa"}, ""},
		{webauth.IActAsNeeded, []string{"mfa"}, "pwd", []string{"mfa"}, ""},
		{webauth.IActAsNeeded, []string{"mfa"}, "pwd", nil, webauth.ReasonAuthType},
		{webauth.IActYes, nil, "", []string{"pwd"}, webauth.ReasonInteract},
		{webauth.IActYes, nil, "pwd", nil, ""},
		{webauth.IActYes, []string{"mfa"}, "pwd", []string{"mfa"}, ""},
		{webauth.IActYes, []string{"mfa"}, "pwd", nil, webauth.ReasonAuthType},
		{webauth.IActNo, nil, "", []string{"pwd"}, ""},
		{webauth.IActNo, nil, "pwd", nil, webauth.ReasonInteract},
		{"maybe", nil, "pwd", nil, webauth.ReasonInteract},
	} {
		assert.Equal(t, test.want, p.CheckStrength(test.iact, test.aauth, test.auth, test.sso), "%v", test)
	}
}

// recorder keeps what requests to the provider are like.
type recorder struct {
	deadlines []time.Duration
	headers   []http.Header
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	deadline, ok := req.Context().Deadline()
	if !ok {
		deadline = time.Now().Add(24 * time.Hour)
	}
	r.deadlines = append(r.deadlines, time.Until(deadline))
	r.headers = append(r.headers, req.Header)
	return http.DefaultTransport.RoundTrip(req)
}

func TestRequestsEnd(t *testing.T) {
	r := &recorder{}
	s := newSite(t, func(p *oidclogin.Provider) { p.Transport = r })
	_, err := s.answer(t, s.begin(t, webauth.Request{}))
	require.NoError(t, err)
	require.Len(t, r.deadlines, 3)
	for i, d := range r.deadlines {
		assert.LessOrEqual(t, d, 10*time.Second)
		assert.Equal(t, "application/json", r.headers[i].Get("Accept"))
	}
}

func TestNothingShowsASecret(t *testing.T) {
	s := newSite(t)
	_, err := s.answer(t, s.begin(t, webauth.Request{}))
	require.NoError(t, err)
	hidesSecrets(t, s, fmt.Sprintf("%v %+v %#v %s", s.provider, s.provider, s.provider, s.provider.ID()))
}
