package gateway

import (
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// oidcFile is the smallest useful file with OpenID Connect; its rule is for the reader's own lines.
const oidcFile = `base-url = "https://soc.example"
secret-file = "secret"
[oidc]
preset = "cambridge"
client-id = "soc"
client-secret-file = "client-secret"
[[rule]]
path = "/"
to = "http://127.0.0.1:8000"
any-ptags = true
`

func TestLoad_oidc(t *testing.T) {
	cfg, err := Load(writeConfig(t, oidcFile))
	require.NoError(t, err)
	services := cfg.login().Services()
	require.Len(t, services, 1)
	info := services[0].Info()
	assert.Equal(t, "cambridge", info.Name)
	assert.Equal(t, "your University account", info.Title)

	cfg, err = Load(writeConfig(t, "wls = \"raven\"\nlogin = \"wls\"\n"+strings.Replace(oidcFile, "\"soc\"", "\"soc\"\ntitle = \"Entra\"", 1)))
	require.NoError(t, err)
	services = cfg.login().Services()
	require.Len(t, services, 2)
	assert.Equal(t, "raven", services[0].Info().Name)
	assert.Equal(t, "Entra", services[1].Info().Title)

	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	write("client-secret", "s")(t, os.Getenv("CREDENTIALS_DIRECTORY"))
	cfg, err = Load(writeConfig(t, oidcFile))
	require.NoError(t, err)
	assert.Equal(t, os.Getenv("CREDENTIALS_DIRECTORY")+"/client-secret", cfg.OIDC.ClientSecretFile)
}

func TestLoad_oidcWrong(t *testing.T) {
	rule := "any-ptags = true\n"
	for _, row := range []struct {
		name, old, new string
		want           []string
	}{
		{"no client", "client-id = \"soc\"\n", "", []string{"3:2: oidc.client-id: want the identifier"}},
		{"no secret", "client-secret-file = \"client-secret\"\n", "", []string{"3:2: oidc.client-secret-file: it is missing: put the secret that the provider gave this site into a file; or set private-key-file"}},
		{"secret and key", "client-id", "private-key-file = \"k\"\nclient-id", []string{"7:22: oidc.client-secret-file: private-key-file is there as well"}},
		{"an unknown preset", `"cambridge"`, `"oxford"`, []string{`3:2: oidc.issuer: it is missing`, `4:10: oidc.preset: "oxford" is none of cambridge`}},
		{"an issuer beside a preset", "client-id", "issuer = \"https://login.microsoftonline.com/49a50445-bdfa-4b79-ade3-547b4f3986e9/v2.0\"\nclient-id", []string{`5:10: oidc.issuer: preset = "cambridge" says this already`}},
		{"http", `preset = "cambridge"`, `issuer = "http://id.example"`, []string{`4:10: oidc.issuer: "http://id.example" must be https`}},
		{"any tenant", `preset = "cambridge"`, "issuer = \"https://login.microsoftonline.com/common/v2.0\"\ntenant-id = \"common\"", []string{`4:10: oidc.issuer: "https://login.microsoftonline.com/common/v2.0" is no issuer`}},
		{"email", "client-id", "principal-claim = \"email\"\nclient-id", []string{`5:19: oidc.principal-claim: "email" names nobody`}},
		{"ptags of no claim", "client-id", "ptags = [\"a\"]\nclient-id", []string{`3:2: oidc.ptags-claim: it is missing`}},
		{"a word of Go", "client-id", "PtagsClaim = \"groups\"\nclient-id", []string{`5:1: oidc.PtagsClaim: this key is unknown: did you mean "ptags-claim"?`}},
		{"a choice of one", "secret-file", "login = \"choose\"\nsecret-file", []string{`2:9: login: this is for a site with both wls and [oidc]`}},
		{"an unknown choice", "secret-file", "wls = \"raven\"\nlogin = \"both\"\nsecret-file", []string{`3:9: login: "both" is none of oidc, wls, choose`}},
		{"keys of no WLS", "secret-file", "key-dir = \"keys\"\nsecret-file", []string{`2:11: key-dir: this is for wls`}},
		{"an unknown WLS", "secret-file", "wls = \"crow\"\nsecret-file", []string{`2:7: wls: "crow" is none of`}},
		{"nobody is named", rule, "", []string{"7:3: rule[1].any-ptags: this is missing: at cambridge former members and guests can log in too"}},
		{"nobody is named, optional", rule, "access = \"optional\"\n", []string{"7:3: rule[1].any-ptags: this is missing"}},
		{"nobody is named, with tokens", rule, "access = \"login-or-bearer\"\n", []string{"7:3: rule[1].any-ptags: this is missing"}},
		{"the old condition", rule, "ptags = [\"current\"]\n", []string{"10:1: rule[1].ptags: the login service sets no ptags"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Contains(t, oidcFile, row.old)
			file := writeConfig(t, strings.Replace(oidcFile, row.old, row.new, 1))
			_, err := Load(file)
			requireProblems(t, err, file, row.want)
		})
	}
	for _, named := range []string{"principals = [\"spqr1@cam.ac.uk\"]\n", "groups = [\"a\"]\ngroup-file = \"g\"\n", "access = \"public\"\n"} {
		_, err := Load(writeConfig(t, strings.Replace(oidcFile, rule, named, 1)))
		assert.NoError(t, err, named)
	}
}

// TestCheck_oidc: files are looked at, and what a rule loses by the move is said.
func TestCheck_oidc(t *testing.T) {
	dir := checkDir(t)
	found := checkText(t, dir, oidcFile)
	assert.Contains(t, found, "6:22: error: oidc.client-secret-file: DIR/client-secret: no such file")

	write("client-secret", "s")(t, dir)
	text := strings.Replace(oidcFile, "any-ptags = true\n", "principals = [\"spqr1\", \"abc1@cam.ac.uk\"]\ndesc = \"wiki\"\nmsg = \"log in\"\nfresh = \"5m\"\naauth = [\"pwd\"]\n", 1)
	found = checkText(t, dir, text)
	for _, want := range []string{
		"3:2: note: oidc: cambridge knows no ptag \"current\"",
		"10:1: note: rule[1].principals: who is named here comes in for as long as that is so, members or not: cambridge reports no \"current\"",
		"10:15: warning: rule[1].principals[1]: \"spqr1\" lets nobody in: user names of cambridge have a domain: write \"spqr1@cam.ac.uk\", or set crsid",
		"11:8: note: rule[1].desc: cambridge does not show this",
		"12:7: note: rule[1].msg: cambridge does not show this",
		"13:9: note: rule[1].fresh: cambridge must send the claim auth_time, or nobody comes in",
		"14:1: note: rule[1].aauth: cambridge has words of its own for this",
	} {
		assert.Contains(t, found, want)
	}
	assert.NotContains(t, found, "principals[2]")
	assert.Contains(t, checkText(t, dir, oidcFile), "10:13: note: rule[1].any-ptags: people who are no longer members")
}

// TestOIDCForwardAuth: a front server that asks sends people to the login, whose answer comes to
// the gateway's own path; where it asks about that, it is told no, and the answer is spent.
func TestOIDCForwardAuth(t *testing.T) {
	w := newOIDCWorld(t, kit{config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies = true, []netip.Prefix{loopback}
		for i := range cfg.Rules {
			cfg.Rules[i].To = ""
		}
	}})
	v := w.person("test0001")
	follow := v.client.CheckRedirect
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer := v.get(orLoginPath, about("GET", "/private/a?b=c"))
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	login := strings.TrimPrefix(answer.Header.Get("Location"), w.url)
	require.True(t, strings.HasPrefix(login, serve.LoginPath+"?next="), login)

	page := ""
	v.client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if next.URL.Path == "/private/a" {
			page = next.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return follow(next, via)
	}
	v.get(login)
	assert.Equal(t, "/private/a?b=c", page, "the page that was asked for")
	answer = v.get(authPath, about("GET", page))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, "test0001", answer.Header.Get("Remote-User"))

	script := w.person("").get(authPath, about("GET", "/private"))
	assert.Equal(t, "OpenID-Connect", script.Header.Get("WWW-Authenticate"))

	v = w.person("")
	v.client.CheckRedirect = w.provider.StopAtLogin
	answer = v.get(serve.LoginPath + "?next=/private")
	back, err := w.provider.Respond(answer.Header.Get("Location"), "test0002")
	require.NoError(t, err)
	back = strings.TrimPrefix(back, w.url)
	assert.Equal(t, http.StatusForbidden, v.get(orLoginPath, about("GET", back)).StatusCode)
	assert.NotContains(t, w.logged(t), "code=")
	assert.Equal(t, http.StatusForbidden, v.get(back).StatusCode)
	assert.Empty(t, w.provider.Requests(oidctest.EndpointToken)[1:], "only the first was redeemed")
}
