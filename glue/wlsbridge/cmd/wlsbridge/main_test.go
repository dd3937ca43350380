package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge/internal/signkeys"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

const smallest = `base-url = "https://login.college.example"
secret-file = "secret"
signing-keys = "keys"
wls = "raven"
[[site]]
url = "https://soc.example/"
ptags = ["current"]
`

func now() time.Time { return time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) }

func run(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = command(now).Run(ctx, args, &out, &err)
	return status, out.String(), err.String()
}

func TestRun(t *testing.T) {
	t.Chdir(t.TempDir())
	for file, text := range map[string]string{
		"good.toml":   "listen.http = [\"127.0.0.1:0\"]\nfront.proxies = [\"127.0.0.1/32\"]\n" + smallest,
		"wrong.toml":  "confirm = \"often\"\nspeed = 2\n",
		"site.toml":   "listen.http = []\n" + smallest + "insecure-http = true\n[[site]]\nurl = \"http://soc.example/\"\n",
		"twice.toml":  "listen.http = []\n" + smallest + "[[site]]\nurl = \"https://soc.example\"\naauth = []\n",
		"names.toml":  "listen.http = []\n" + smallest + "[aauth-names]\nmfa = \"a b\"\n",
		"types.toml":  "listen.http = []\n" + strings.Replace(smallest, "wls = \"raven\"\n", "oidc = {preset = \"cambridge\", client-id = \"0\", client-secret-file = \"client\"}\npeople.any-ptags = true\n", 1),
		"client":      "of the provider",
		"shared.toml": "redis-url = \"redis://127.0.0.1:1\"\nlisten.http = []\n" + smallest,
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	for _, row := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string // are contained
	}{
		{"help", []string{"-h"}, 0, "Usage:\n  wlsbridge FILE", ""},
		{"version", []string{"-version"}, 0, "wlsbridge ", ""},
		{"nothing", nil, 2, "", "wlsbridge: which configuration file?\nRun 'wlsbridge -help' for help.\n"},
		{"check good", []string{"check", "good.toml"}, 0, "good.toml:5:16: note: signing-keys: there is no key in ", ""},
		{"check says so", []string{"check", "good.toml"}, 0, "good.toml can be used\n", ""},
		{"check types", []string{"check", "types.toml"}, 0, "warning: aauth-names: this is missing: ", ""},
		{"check wrong", []string{"check", "wrong.toml"}, 1, "wrong.toml:1:11: error: confirm: \"often\" is none of each-site, first, never\nwrong.toml:2:1: error: speed: this key is unknown", ""},
		{"check http", []string{"check", "site.toml"}, 1, "site.toml:11:7: error: site[2].url: \"http://soc.example/\" is http: ", ""},
		{"check twice", []string{"check", "twice.toml"}, 1, "error: site[2].url: \"https://soc.example\" is another site's already", ""},
		{"check types", []string{"check", "twice.toml"}, 1, "error: site[2].aauth: ", ""},
		{"check names", []string{"check", "names.toml"}, 1, "names.toml:9:2: error: aauth-names: \"mfa\" = \"a b\": want an authentication type", ""},
		{"show", []string{"show", "good.toml"}, 0, "[[site]]\nurl = 'https://soc.example/'\n", ""},
		{"keys of nothing", []string{"keys"}, 2, "", "keys: which configuration file?"},
		{"mistyped command of keys", []string{"keys", "retrie", "good.toml", "7"}, 2, "", "keys: command \"retrie\" is none of new, use, retire: did you mean \"retire\"?"},
		{"mistyped command", []string{"kesy", "good.toml"}, 2, "", "none of health, keys, check, show: did you mean \"keys\"?"},
		{"commands in capitals", []string{"KEYS", "Use", "good.toml"}, 2, "", "keys use: which kid?"},
		{"no kid", []string{"keys", "use", "good.toml"}, 2, "", "keys use: which kid?"},
		{"too much", []string{"keys", "new", "good.toml", "7", "8"}, 2, "", `unexpected argument "8"`},
		{"no key yet", []string{"keys", "good.toml"}, 1, "", "good.toml:5:16: signing-keys: "},
		{"another service's kid", []string{"keys", "new", "good.toml", "901"}, 1, "", "kid 901 is that of Raven demo"},
		{"the first key", []string{"keys", "new", "good.toml"}, 0, "Key 20261130 was made in ", ""},
		{"the next key", []string{"keys", "new", "good.toml", "7"}, 0, "pubkey20261130 is of the key that signs.\npubkey20261130: RSA-2048\n  SPKI SHA-256 ", ""},
		{"use it", []string{"keys", "use", "good.toml", "7"}, 0, "pubkey7 is of the key that signs.\n", ""},
		{"retire it", []string{"keys", "retire", "good.toml", "7"}, 1, "", "the key with kid 7 signs"},
		{"retire the other", []string{"keys", "retire", "good.toml", "20261130"}, 0, "Key 20261130 is gone.", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, stdout, stderr := run(t.Context(), row.args...)
			assert.Equal(t, row.status, status, "%s%s", stdout, stderr)
			assert.Contains(t, stdout, row.stdout)
			assert.Contains(t, stderr, row.stderr)
		})
	}
	assert.NoFileExists(t, "secret", "check and show make nothing")

	_, text, _ := strings.Cut(help, "The smallest useful file:\n")
	text, _, found := strings.Cut(text, "\nSecret and keys are made")
	require.True(t, found)
	require.NoError(t, os.WriteFile("help.toml", []byte(text), 0o600))
	_, err := load("help.toml")
	require.NoError(t, err, "the help's example")

	require.NoError(t, os.RemoveAll("keys"))
	status, _, stderr := run(t.Context(), "shared.toml")
	assert.Equal(t, 1, status, stderr)
}

// TestSharedKeys: machines that share a Redis do not each make a key of their own.
func TestSharedKeys(t *testing.T) {
	c := &Config{SigningKeys: filepath.Join(t.TempDir(), "keys")}
	c.RedisURL, c.Now = "redis://127.0.0.1:1", now
	_, err := c.openKeys(true)
	require.ErrorContains(t, err, "copy the directory to each")
	assert.NoDirExists(t, c.SigningKeys)
}

// running is a bridge that serves a file, in front of a fake login service.
type running struct {
	t       *testing.T
	dir     string
	url     string
	fake    *webauthtest.WLS
	service *service

	mu  sync.Mutex
	log bytes.Buffer
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *running) file() string { return filepath.Join(r.dir, "bridge.toml") }

func (r *running) configure(sites string) {
	text := fmt.Sprintf(`base-url = %q
secret-file = "secret"
signing-keys = "keys"
confirm = "never"
wls = "custom"
key-dir = "upstream"
log.access = "off"
admin.listen = "127.0.0.1:0"
custom-wls = {name = "fake", auth-url = %q}
%s`, r.url, r.fake.Service().AuthURL, sites)
	require.NoError(r.t, os.WriteFile(r.file(), []byte(text), 0o600))
}

func start(t *testing.T, sites func(soc string) string, soc string) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &running{t: t, dir: t.TempDir(), url: "http://" + l.Addr().String(), fake: webauthtest.New(t)}
	for _, k := range r.fake.Service().Keys.Keys() {
		require.NoError(t, os.Mkdir(filepath.Join(r.dir, "upstream"), 0o755))
		text := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(k.Public())})
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, "upstream", "pubkey"+k.Kid()), text, 0o644))
	}
	r.configure(sites(soc))
	cfg, err := load(r.file())
	require.NoError(t, err)
	cfg.Logger = slog.New(slog.NewTextHandler(r, nil))
	cfg.Now = time.Now
	r.service, err = open(cfg, map[string][]net.Listener{"http": {l}})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.service.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
		assert.NoError(t, r.service.Close())
	})
	return r
}

func (r *running) get(client *http.Client, url string) (status int, body string) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(r.t, err)
	req.Header.Set("Accept", "text/html")
	resp, err := client.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(text)
}

// publicKeys are those that a site is given.
func (r *running) publicKeys() *keys.Set {
	r.t.Helper()
	set, err := keys.LoadDir(filepath.Join(r.dir, "keys"))
	require.NoError(r.t, err)
	return set
}

// trust is the keys that a site trusts at the moment.
type trust struct{ *keys.Set }

// TestServe: a site of ours trusts what the program publishes, over a rotation of its keys.
func TestServe(t *testing.T) {
	trusted := &trust{}
	var handler http.Handler // of the site, which needs the address of the bridge
	soc := webauthtest.Site(t, func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) })
	}).URL
	socTable := func(soc string) string { return fmt.Sprintf("[[site]]\nurl = %q\nptags = [\"current\"]\n", soc+"/") }
	r := start(t, socTable, soc)
	trusted.Set = r.publicKeys()
	first := trusted.Keys()[0].Kid()
	home, err := site.New(site.Config{BaseURL: soc, Secret: rand.Text() + rand.Text(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	auth, err := glue.New(glue.Config{Site: home, Service: webauth.Service{Name: "bridge", AuthURL: r.url + "/auth/authenticate.html", Keys: trusted}})
	require.NoError(t, err)
	handler = home.Handler(auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		fmt.Fprint(w, "hello ", id.Principal)
	})))
	info, err := os.Stat(filepath.Join(r.dir, "keys", "key"+first+".pem"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	status, body := r.get(r.fake.Client("test0001"), soc+"/private")
	assert.Equal(t, 200, status, body)
	assert.Equal(t, "hello test0001", body)
	status, body = r.get(http.DefaultClient, r.url+"/auth/pubkey"+first)
	assert.Equal(t, 200, status)
	assert.Contains(t, body, "RSA PUBLIC KEY")
	status, body = r.get(http.DefaultClient, r.url+"/nothing")
	assert.Equal(t, 404, status)
	assert.Contains(t, body, "this is where people log in")

	// The next key is published, and the old one signs.
	dir := filepath.Join(r.dir, "keys")
	_, err = signkeys.Make(dir, "7", now())
	require.NoError(t, err)
	r.reload()
	status, _ = r.get(http.DefaultClient, r.url+"/auth/pubkey7")
	assert.Equal(t, 200, status)
	status, _ = r.get(r.fake.Client("test0002"), soc+"/private")
	assert.Equal(t, 200, status, "the site does not have the next key yet")
	require.NoError(t, signkeys.Use(dir, "7"))
	r.reload()
	status, _ = r.get(r.fake.Client("test0003"), soc+"/private")
	assert.NotEqual(t, 200, status, "the site still does not have it")
	trusted.Set = r.publicKeys()
	require.NoError(t, signkeys.Retire(dir, first))
	r.reload()
	status, _ = r.get(r.fake.Client("test0004"), soc+"/private")
	assert.Equal(t, 200, status)

	// What is wrong changes nothing, and neither keys nor secret are made anew.
	r.configure("[[site]]\nurl = \"x\"\n")
	_, err = r.service.ReloadFile(r.file())
	require.ErrorContains(t, err, "site[1].url")
	r.configure(socTable(soc))
	require.NoError(t, os.Rename(dir, dir+"-away"))
	_, err = r.service.ReloadFile(r.file())
	require.ErrorContains(t, err, "signing-keys: there is no key yet")
	require.NoError(t, os.Rename(dir+"-away", dir))
	require.NoError(t, os.Rename(filepath.Join(r.dir, "secret"), filepath.Join(r.dir, "away")))
	_, err = r.service.ReloadFile(r.file())
	require.ErrorContains(t, err, "secret-file: ")
	require.NoError(t, os.Rename(filepath.Join(r.dir, "away"), filepath.Join(r.dir, "secret")))
	status, _ = r.get(r.fake.Client("test0005"), soc+"/private")
	assert.Equal(t, 200, status, "the old configuration is in force")

	r.configure("[[site]]\nurl = \"https://other.example/\"\n")
	r.reload()
	status, body = r.get(r.fake.Client("test0006"), soc+"/private")
	assert.NotEqual(t, 200, status, "the site may not ask any more")
	assert.NotContains(t, body, "hello")

	admin := "http://" + r.service.server.Addrs("admin")[0].String()
	_, text := r.get(http.DefaultClient, admin+"/metrics")
	assert.Contains(t, text, fmt.Sprintf(`wlsbridge_answers_total{result="answered",site="%s/"} 5`, soc))
	assert.Contains(t, text, `wlsbridge_config_loads_total{result="failure"} 3`)
	_, text = r.get(http.DefaultClient, admin+"/readyz")
	assert.Equal(t, "ready\n", text)
	assert.NotContains(t, r.log.String(), "WLS-Response")
}

func (r *running) reload() {
	r.t.Helper()
	_, err := r.service.ReloadFile(r.file())
	require.NoError(r.t, err)
}
