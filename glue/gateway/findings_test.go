package gateway

import (
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkable is a configuration whose files are all there, and no word is to be said about.
const checkable = `base-url = "https://soc.example"
wls = "raven"
secret-file = "secret"
log.access = "access.log"
headers.hsts = "8760h"
[[rule]]
path = "/"
to = "unix:app.sock"
`

// checkText gives what Check says about a file in dir, one line each, without the file's
// name.
func checkText(t *testing.T, dir, text string) string {
	t.Helper()
	file := filepath.Join(dir, "gateway.toml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	cfg, err := Load(file)
	require.NoError(t, err)
	cfg.Now = func() time.Time { return testNow }
	var lines []string
	for _, f := range Check(*cfg) {
		lines = append(lines, strings.ReplaceAll(strings.TrimPrefix(f.String(), file+":"), dir, "DIR"))
	}
	return strings.Join(lines, "\n")
}

// checkDir has the files of checkable.
func checkDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	c := writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 1, 0), "soc.example")
	require.NoError(t, os.Rename(c.Cert, filepath.Join(dir, "cert.pem")))
	require.NoError(t, os.Rename(c.Key, filepath.Join(dir, "key.pem")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte(rand.Text()+rand.Text()+"\n"), 0o600))
	l, err := net.Listen("unix", filepath.Join(dir, "app.sock"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	require.NoError(t, os.Chmod(filepath.Join(dir, "app.sock"), 0o660))
	return dir
}

func TestCheck_quiet(t *testing.T) {
	dir := checkDir(t)
	assert.Empty(t, checkText(t, dir, checkable))
	assert.NoFileExists(t, filepath.Join(dir, "access.log"))
}

func TestCheck_findings(t *testing.T) {
	for _, row := range []struct {
		name, old, new, want string // the beginning of each line
		spoil                func(t *testing.T, dir string)
	}{
		{name: "no secret yet", spoil: remove("secret"), want: "3:15: note: secret-file: DIR/secret is not there yet; it will be made with mode 0600"},
		{name: "no directory for it", old: `"secret"`, new: `"run/secret"`, want: "3:15: error: secret-file: DIR/run/secret: its directory does not exist: make DIR/run first"},
		{name: "bad secret", spoil: write("secret", "short"), want: "3:15: error: secret-file: site: secret file DIR/secret: "},
		{name: "no directory for the log", old: `"access.log"`, new: `"log/access"`, want: "4:14: error: log.access: stat DIR/log: no such file"},
		{name: "no certificate", spoil: remove("cert.pem"), want: "1:1: error: listen.certificate[1]: open DIR/cert.pem: no such file"},
		{name: "certificate of another host", old: "soc.example", new: "wiki.example", want: "1:1: warning: listen.certificate: no certificate is for wiki.example"},
		{name: "expired", spoil: certificate(testNow.AddDate(0, -2, 0), testNow.AddDate(0, 0, -1)), want: "1:1: warning: listen.certificate[1]: DIR/cert.pem expired on 2026-02-02"},
		{name: "soon", spoil: certificate(testNow, testNow.AddDate(0, 0, 3)), want: "1:1: warning: listen.certificate[1]: DIR/cert.pem expires on 2026-02-06"},
		{name: "not yet", spoil: certificate(testNow.AddDate(0, 0, 1), testNow.AddDate(0, 1, 0)), want: "1:1: warning: listen.certificate[1]: DIR/cert.pem is not good before 2026-02-04"},
		{name: "open key", spoil: mode("key.pem", 0o644), want: "1:1: warning: listen.certificate[1]: DIR/key.pem may be read by everybody (mode 0644), and only "},
		{name: "no group file", old: "path", new: "groups = [\"a\"]\ngroup-file = \"g\"\npath", want: "8:14: error: rule[1].group-file: "},
		{name: "no key directory", old: `"raven"`, new: "\"nevar\"\nkey-dir = \"keys\"", want: "3:11: error: key-dir: "},
		{name: "no HSTS", old: `"8760h"`, new: `"0s"`, want: "5:16: note: headers.hsts: off"},
		{name: "public", old: "path", new: "access = \"public\"\npath", want: "7:10: warning: rule[1].access: everybody may have everything"},
		{name: "nothing for the root", old: `"/"`, new: `"/app"`, want: "6:3: note: rule: no rule is for \"/\""},
		{name: "wide range", old: "path", new: "allow-from = [\"10.0.0.0/8\", \"131.0.0.0/8\", \"2001::/16\"]\npath", want: "7:29: warning: rule[1].allow-from[2]: 131.0.0.0/8 is many\n7:44: warning: rule[1].allow-from[3]: 2001::/16 is many"},
		{name: "remote backend", old: "unix:app.sock", new: "http://app.internal", want: "8:6: warning: rule[1].to: whoever is on the way to app.internal can read"},
		{name: "remote backend by https", old: "unix:app.sock", new: "https://app.internal", want: "8:6: note: rule[1].to: see that only the gateway can connect to app.internal: whoever else does can claim to be anybody (Remote-User)"},
		{name: "local backend", old: "unix:app.sock", new: "http://127.0.0.1:8000", want: "8:6: note: rule[1].to: every program on this machine can connect to 127.0.0.1:8000"},
		{name: "open socket", spoil: mode("app.sock", 0o666), want: "8:6: warning: rule[1].to: everybody on this machine can reach DIR/app.sock and claim to be anybody (Remote-User)"},
		{name: "no socket", old: "app.sock", new: "none.sock", want: "8:6: note: rule[1].to: DIR/none.sock cannot be found now"},
		{name: "a file for a socket", old: "app.sock", new: "secret", want: "8:6: warning: rule[1].to: DIR/secret is no socket"},
		{name: "former members", old: "path", new: "any-ptags = true\npath", want: "7:13: note: rule[1].any-ptags: people who are no longer members"},
		{name: "any password", old: "path", new: "iact = \"yes\"\npath", want: "7:8: note: rule[1].iact: the password may have been"},
		{name: "another site in plain http", old: "path", new: "cross-origin = [\"http://app.example\"]\npath", want: "7:17: warning: rule[1].cross-origin[1]: whoever is on the way to http://app.example"},
		{name: "tokens of the backend", old: "path", new: "access = \"login-or-bearer\"\npath", want: "7:10: note: rule[1].access: whoever sends Authorization: Bearer"},
		{name: "other sites", old: "path", new: "cross-origin = true\npath", want: "7:16: note: rule[1].cross-origin: pages of other sites"},
		{name: "no letter case", old: "[[rule]]", new: twoRules("/private", `principals = ["spqr1"]`), want: "1:1: note: ignore-case: /PRIVATE is judged by the rule for /, and not by that for /private: if a backend ignores letter case"},
		{name: "no letter case, in capitals", old: "[[rule]]", new: twoRules("/PRIVATE", `fresh = "5m"`), want: "1:1: note: ignore-case: /private is judged by the rule for /, and not by that for /PRIVATE"},
		{name: "no letter case, a laxer rule", old: "[[rule]]", new: twoRules("/static", `access = "public"`), want: "1:1: note: ignore-case: /STATIC is judged by the rule for /, and not by that for /static"},
		{name: "no letter case, the rule that matters", old: "[[rule]]", new: "[[rule]]\npath = \"/static\"\naccess = \"public\"\n" + twoRules("/static/Private", `any-ptags = true`),
			want: "1:1: note: ignore-case: /static/PRIVATE is judged by the rule for /static, and not by that for /static/Private\n11:13: note: rule[2].any-ptags: people"},
		{name: "letter case", old: "headers.hsts = \"8760h\"\n[[rule]]", new: "ignore-case = true\nheaders.hsts = \"8760h\"\n" + twoRules("/private", `principals = ["spqr1"]`)},
		{name: "letter case of rules that are alike", old: "[[rule]]", new: twoRules("/app", `response-timeout = "5m"`)},
		{name: "letter case of what has none", old: "[[rule]]", new: twoRules("/2026", `principals = ["spqr1"]`)},
		{name: "letter case of rules side by side", old: "path = \"/\"\n", new: "path = \"/a\"\nprincipals = [\"spqr1\"]\nto = \"unix:app.sock\"\n[[rule]]\npath = \"/b\"\n", want: "6:3: note: rule: no rule is for"},
		{name: "letter case, front server", old: "[[rule]]\npath = \"/\"\n", new: "forward-auth = true\nfront.unix-socket = true\n[[rule]]\npath = \"/a\"\nprincipals = [\"spqr1\"]\n",
			want: "1:1: note: ignore-case: /A is judged by no rule, and not by that for /a\n8:3: note: rule: no rule is for"},
		{name: "hosts behind the ingress controller", old: "headers.hsts = \"8760h\"\n[[rule]]", new: "forward-auth = true\nfront = {unix-socket = true, url = \"x-original-url\"}\nheaders.hsts = \"8760h\"\n[[rule]]\nhost = \"soc.example\"",
			want: "9:8: warning: rule[1].host: ingress-nginx tells the Host header"},
		{name: "no hosts behind it", old: "headers.hsts = \"8760h\"\n[[rule]]", new: "forward-auth = true\nfront = {unix-socket = true, url = \"x-original-url\"}\nheaders.hsts = \"8760h\"\n[[rule]]"},
		{name: "a script", old: "[[rule]]", new: twoRules("/x/index.php/a", `any-ptags = true`), want: "7:8: warning: rule[1].path: what is below is refused, as a front controller takes it for what is below /x/, for which the rule for / asks more: if this script does not route so, add scripts = []\n1:1: note: ignore-case: /X/INDEX.PHP/A is\n8:13: note: rule[1].any-ptags"},
		{name: "a script that does not route", old: "[[rule]]", new: twoRules("/index.php", "any-ptags = true\nscripts = []"), want: "1:1: note: ignore-case: /INDEX.PHP is\n8:13: note: rule[1].any-ptags"},
		{name: "a script with a stricter rule", old: "[[rule]]", new: twoRules("/index.php", `principals = ["spqr1"]`), want: "1:1: note: ignore-case: /INDEX.PHP is"},
		{name: "times", old: "headers", new: "session = {max-life = \"48h\", response-max-age = \"5m\", clock-skew = \"2m\"}\nheaders", want: "5:23: warning: session.max-life: 2 days\n5:49: warning: session.response-max-age: 5 minutes\n5:68: warning: session.clock-skew: 2 minutes"},
		{name: "unnamed front server", old: "headers", new: "listen = {http = [\"127.0.0.1:8080\"], unix = \"front\", unix-mode = \"0666\"}\nheaders",
			want: "5:11: warning: listen.http: no front server\n5:45: warning: listen.unix: front.unix-socket is not set\n5:66: warning: listen.unix-mode: everybody"},
		{name: "open admin", old: "headers", new: "admin.listen = \":9000\"\nheaders", want: "5:16: warning: admin.listen: :9000 can be reached"},
		{name: "mode with the right to write alone", old: "headers", new: "listen.unix = \"front\"\nlisten.unix-mode = \"0663\"\nfront.unix-socket = true\nheaders", want: "6:20: warning: listen.unix-mode: everybody"},
		{name: "mode without it", old: "headers", new: "listen.unix = \"front\"\nlisten.unix-mode = \"0665\"\nfront.unix-socket = true\nheaders", want: ""},
		{name: "slow uploads", old: "headers", new: "limits.body-rate = -1\nheaders", want: "5:20: warning: limits.body-rate: none: clients that send a body slowly"},
		{name: "uploads in time", old: "headers", new: "limits = {body-rate = -1, body-timeout = \"1m\"}\nheaders", want: ""},
		{name: "no limits", old: "headers", new: "limits = {header-timeout = \"-1s\", idle-timeout = \"-1s\"}\nheaders", want: "5:28: warning: limits.header-timeout: none\n5:50: warning: limits.idle-timeout: none"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := checkDir(t)
			if row.spoil != nil {
				row.spoil(t, dir)
			}
			got := strings.Split(checkText(t, dir, strings.Replace(checkable, row.old, row.new, 1)), "\n")
			want := strings.Split(row.want, "\n")
			require.Len(t, got, len(want), "%s", strings.Join(got, "\n"))
			for i := range want {
				assert.True(t, strings.HasPrefix(got[i], want[i]), "got  %s\nwant %s", got[i], want[i])
			}
		})
	}
}

// TestCheck_changesNothing looks at the directory before and after.
func TestCheck_changesNothing(t *testing.T) {
	dir := checkDir(t)
	require.NoError(t, os.Remove(filepath.Join(dir, "secret")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gateway.toml"), nil, 0o600))
	before, err := os.ReadDir(dir)
	require.NoError(t, err)
	checkText(t, dir, strings.Replace(checkable, "headers", "listen.unix = \"front\"\nheaders", 1))
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, after, len(before))
	for i := range before {
		assert.Equal(t, before[i].Name(), after[i].Name())
	}
}

// twoRules puts another rule before the one that checkable has.
func twoRules(path, keys string) string {
	return "[[rule]]\npath = \"" + path + "\"\n" + keys + "\n[[rule]]"
}

func remove(file string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, file))) }
}

func write(file, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
}

func mode(file string, bits os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, dir string) { require.NoError(t, os.Chmod(filepath.Join(dir, file), bits)) }
}

func certificate(from, until time.Time) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		c := writeCertificate(t, dir, "soc", from, until, "soc.example")
		require.NoError(t, os.Rename(c.Cert, filepath.Join(dir, "cert.pem")))
		require.NoError(t, os.Rename(c.Key, filepath.Join(dir, "key.pem")))
	}
}
