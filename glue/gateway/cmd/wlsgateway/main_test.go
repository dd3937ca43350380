package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys/cli"
)

const smallest = `base-url = "https://soc.example"
wls = "raven"
secret-file = "secret"
[[rule]]
path = "/"
access = "login"
to = "unix:/run/app.sock"
`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeCertificate(t, dir, "soc.example")
	for file, text := range map[string]string{
		"good.toml":  smallest,
		"wrong.toml": "base-url = 1\nspeed = 2\n",
		"none.toml":  smallest + "groups = [\"a\"]\ngroup-file = \"groups\"\n",
		"redis.toml": "redis-url = \"redis://:hunter2@127.0.0.1:1/2\"\n" + smallest,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	for _, row := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string // are contained
	}{
		{"help", []string{"-h"}, 0, "Usage:\n  wlsgateway FILE", ""},
		{"version", []string{"version"}, 0, "wlsgateway " + cli.Version() + "\n", ""},
		{"-version", []string{"-version"}, 0, "wlsgateway " + cli.Version() + "\n", ""},
		{"nothing", nil, 2, "", "wlsgateway: which configuration file?\nRun 'wlsgateway -help' for help.\n"},
		{"check nothing", []string{"check"}, 2, "", "check which configuration file?"},
		{"too much", []string{"show", "good.toml", "more"}, 2, "", `unexpected argument "more"`},
		{"option", []string{"--fast"}, 2, "", "there is no option --fast: all that is set is in the configuration file"},
		{"command in capitals", []string{"CHECK"}, 2, "", "wlsgateway: check which configuration file?\nRun 'wlsgateway -help' for help.\n"},
		{"mistyped command", []string{"chekc", "good.toml"}, 2, "", "wlsgateway: command \"chekc\" is none of health, check, show: did you mean \"check\"?\nRun 'wlsgateway -help' for help.\n"},
		{"check good", []string{"check", "good.toml"}, 0, "good.toml:3:15: note: secret-file: " + dir + "/secret is not there yet; it will be made with mode 0600\n", ""},
		{"check good says so", []string{"check", "good.toml"}, 0, "good.toml can be used\n", ""},
		{"check wrong", []string{"check", "wrong.toml"}, 1, "wrong.toml:1:12: error: base-url: this is a whole number, but must be a string\nwrong.toml:2:1: error: speed: this key is unknown", ""},
		{"check a file that is named", []string{"check", "none.toml"}, 1, "none.toml:9:14: error: rule[1].group-file: ", ""},
		{"check no file", []string{"check", "nothing.toml"}, 1, "error: open nothing.toml: no such file", ""},
		{"show", []string{"show", "good.toml"}, 0, "[identity]\nsend = ['remote-user']\n", ""},
		{"show wrong", []string{"show", "wrong.toml"}, 1, "", "wlsgateway: wrong.toml:2:1: speed: this key is unknown"},
		{"show a secret", []string{"show", "redis.toml"}, 0, "redis-url = 'redis://127.0.0.1:1/2'", ""},
		{"serve wrong", []string{"wrong.toml"}, 1, "", "wlsgateway: wrong.toml:1:12: base-url: this is a whole number"},
		{"serve a bad password", []string{"redis.toml"}, 1, "", "wlsgateway: redis.toml:1:13: redis-url: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, row.status, run(t.Context(), row.args, &stdout, &stderr), "%s%s", &stdout, &stderr)
			assert.Contains(t, stdout.String(), row.stdout)
			assert.Contains(t, stderr.String(), row.stderr)
			if row.stderr == "" {
				assert.Empty(t, stderr.String())
			}
			assert.NotContains(t, stdout.String()+stderr.String(), "hunter2")
		})
	}
	assert.NoFileExists(t, filepath.Join(dir, "secret"))
}
