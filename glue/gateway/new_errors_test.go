package gateway

import (
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
)

// TestNew_placed walks through all that New finds wrong and Load does not, because it is in
// files or comes of several keys: each error has file, line and key, of New and of a reload.
func TestNew_placed(t *testing.T) {
	long := strings.Repeat("0123456789", 120)
	for _, row := range []struct {
		name, old, new string // a replacement in checkable
		spoil          func(t *testing.T, dir string)
		want           string // the beginning of each line
	}{
		{name: "secret", spoil: write("secret", "short"), want: "3:15: secret-file: site: secret file DIR/secret: "},
		{name: "secret in no directory", old: `"secret"`, new: `"run/secret"`, want: "3:15: secret-file: "},
		{name: "no keys", old: `"raven"`, new: "\"nevar\"\nkey-dir = \"keys\"", want: "3:11: key-dir: "},
		{name: "key of everybody", old: `"raven"`, new: "\"custom\"\nkey-dir = \"keys\"\ncustom-wls = {name = \"x\", auth-url = \"https://wls.example/\"}", spoil: demoKey, want: "3:11: key-dir: webauth: service \"x\" "},
		{name: "no page", old: "log.access", new: "page-template = \"page.html\"\nlog.access", want: "4:17: page-template: open DIR/page.html: "},
		{name: "page without a title", old: "log.access", new: "page-template = \"page.html\"\nlog.access", spoil: write("page.html", "Sorry."), want: "4:17: page-template: it does not show "},
		{name: "access log in no directory", old: `"access.log"`, new: `"log/access.log"`, want: "4:14: log.access: access log: open DIR/log/access.log: "},
		{name: "no key for headers", old: "[[rule]]", new: "[identity]\nsend = [\"x-aa\"]\nhmac-key-file = \"hmac\"\n[[rule]]", want: "8:17: identity.hmac-key-file: "},
		{name: "no groups", old: "path", new: "groups = [\"a\"]\ngroup-file = \"g\"\npath", want: "8:14: rule[1].group-file: "},
		{name: "damaged groups", old: "path", new: "groups = [\"a\"]\ngroup-file = \"g\"\npath", spoil: write("g", "a\n"), want: "8:14: rule[1].group-file: DIR/g:1: no colon"},
		{name: "no such group", old: "path", new: "groups = [\"a\", \"b\"]\ngroup-file = \"g\"\npath", spoil: write("g", "a: spqr1\n"), want: "7:16: rule[1].groups[2]: there is no group b in DIR/g"},
		{name: "no passwords", old: "path", new: "access = \"basic\"\nhtpasswd = \"p\"\npath", want: "8:12: rule[1].htpasswd: "},
		{name: "damaged passwords", old: "path", new: "access = \"basic\"\nhtpasswd = \"p\"\npath", spoil: write("p", "bob:sesame\n"), want: "8:12: rule[1].htpasswd: DIR/p:1: "},
		{name: "texts too long together", old: "path", new: "desc = \"" + long + "\"\nmsg = \"" + long + "\"\npath", want: "8:7: rule[1].msg: webauth: "},
		{name: "path that is none without case", old: `path = "/"`, new: "path = \"/%E2%84%AA\"", spoil: ignoreCase, want: "7:8: rule[1].path: "},
		{name: "several", old: "to = \"unix:app.sock\"\n", new: "to = \"unix:app.sock\"\ngroups = [\"a\"]\ngroup-file = \"g\"\n[[rule]]\npath = \"/b\"\naccess = \"basic\"\nhtpasswd = \"p\"\n",
			want: "10:14: rule[1].group-file: \n14:12: rule[2].htpasswd: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := checkDir(t)
			file := filepath.Join(dir, "gateway.toml")
			require.NoError(t, os.WriteFile(file, []byte(checkable), 0o600))
			good, err := Load(file)
			require.NoError(t, err)
			good.Logger = slog.New(slog.DiscardHandler)
			running, err := New(*good)
			require.NoError(t, err)
			defer running.Close()

			require.NoError(t, os.WriteFile(file, []byte(strings.Replace(checkable, row.old, row.new, 1)), 0o600))
			if row.spoil != nil {
				row.spoil(t, dir)
			}
			cfg, err := Load(file)
			require.NoError(t, err)
			cfg.Logger = good.Logger
			_, err = New(*cfg)
			for what, err := range map[string]error{"New": err, "Reload": running.Reload(*cfg)} {
				require.Error(t, err, what)
				want := strings.Split(row.want, "\n")
				found := site.Findings(Findings(err))
				require.Len(t, found, len(want), "%s: %v", what, err)
				for i, f := range found {
					got := strings.ReplaceAll(strings.TrimPrefix(f.Place, file+":")+": "+f.Key+": "+f.Text, dir, "DIR")
					assert.True(t, strings.HasPrefix(got, want[i]), "%s: got  %s\nwant %s", what, got, want[i])
					assert.Contains(t, err.Error(), f.Place+": "+f.Key)
				}
			}
		})
	}
}

// demoKey is a service's key directory with the key whose private half is public.
func demoKey(t *testing.T, dir string) {
	require.NoError(t, os.Mkdir(filepath.Join(dir, "keys"), 0o700))
	key, ok := keys.RavenDemo().Lookup("901")
	require.True(t, ok)
	writeKey(t, filepath.Join(dir, "keys", "pubkey901"), key)
}

func writeKey(t *testing.T, file string, key keys.Key) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key.Public())})
	require.NoError(t, os.WriteFile(file, text, 0o600))
}

// ignoreCase puts the key into the place of another that takes as much room.
func ignoreCase(t *testing.T, dir string) {
	file := filepath.Join(dir, "gateway.toml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), `headers.hsts = "8760h"`, "ignore-case = true", 1)), 0o600))
}
