package gateway

import (
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

// TestCheck_people: what lets nobody in, or lets in whom it should not, and its honest twins,
// of which nothing is said.
func TestCheck_people(t *testing.T) {
	custom := "\"custom\"\nkey-dir = \"keys\"\ncustom-wls = {name = \"college\", auth-url = \"https://wls.example/\"}"
	passwords := func(t *testing.T, dir string) { write("p", "bob:"+hashOf(t, "sesame", 4)+"\n")(t, dir) }
	for _, row := range []struct {
		name  string
		wls   string // in place of "raven"
		rule  string // lines of the rule, which begins at line 6 and its keys at 8
		spoil func(t *testing.T, dir string)
		want  string // the beginning of each line
	}{
		{name: "people", rule: `principals = ["spqr1", "test0001"]`},
		{name: "people in capitals and with a domain", rule: `principals = ["spqr1", "SPQR2", "abc1@cam.ac.uk"]`, want: `7:24: warning: rule[1].principals[2]: "SPQR2" lets nobody in: raven reports CRSids, which are small letters and digits: write "spqr2"` +
			"\n" + `7:33: warning: rule[1].principals[3]: "abc1@cam.ac.uk" lets nobody in: raven reports CRSids, which are small letters and digits: write "abc1"`},
		{name: "people of a service of one's own", wls: custom, spoil: keyFiles("7"), rule: `principals = ["SPQR2", "abc1@college.example", "Ada.Lovelace"]`},
		{name: "what no service sends", wls: custom, spoil: keyFiles("7"), rule: `principals = ["Ada Lovelace"]`, want: `9:15: warning: rule[1].principals[1]: "Ada Lovelace" lets nobody in: a principal is 1 to 255 printable ASCII characters without blanks`},
		{name: "groups", rule: "groups = [\"a\"]\ngroup-file = \"g\"", spoil: write("g", "a: spqr1 abc1\nB: Not asked\n")},
		{name: "groups in capitals", rule: "groups = [\"a\"]\ngroup-file = \"g\"", spoil: write("g", "a: SPQR1 abc1\n"), want: `8:14: warning: rule[1].group-file: group a in DIR/g: "SPQR1" lets nobody in: raven`},
		{name: "names with passwords are free", rule: "access = \"basic\"\nhtpasswd = \"p\"\ngroups = [\"a\"]\ngroup-file = \"g\"", spoil: all(passwords, write("g", "a: Bob Carol@example.org\n"))},
		{name: "a name with a password", rule: "access = \"basic\"\nhtpasswd = \"p\"\nprincipals = [\"bob\"]", spoil: passwords},
		{name: "a name without", rule: "access = \"basic\"\nhtpasswd = \"p\"\nprincipals = [\"bob\", \"Bob\"]", spoil: passwords, want: `9:22: warning: rule[1].principals[2]: "Bob" has no password in DIR/p, and so cannot come in`},
		{name: "the ptag", rule: `ptags = ["current"]`},
		{name: "the ptag in capitals", rule: `ptags = ["Current"]`},
		{name: "another ptag", rule: `ptags = ["current", "alumni"]`, want: `7:21: note: rule[1].ptags[2]: "alumni" is not known of raven`},
		{name: "ptags of a service of one's own", wls: custom, spoil: keyFiles("7"), rule: `ptags = ["fellow"]`},
		{name: "keys of Goose", wls: "\"goose\"\nkey-dir = \"keys\"", spoil: keyFiles("500", "501")},
		{name: "Raven's among them", wls: "\"goose\"\nkey-dir = \"keys\"", spoil: keyFiles("500", "501", "2"), want: "3:11: warning: key-dir: key 2 is that of raven: whoever raven logs in could log in here"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := checkDir(t)
			if row.spoil != nil {
				row.spoil(t, dir)
			}
			text := strings.Replace(checkable, "path", row.rule+"\npath", 1)
			if row.wls != "" {
				text = strings.Replace(text, `"raven"`, row.wls, 1)
			}
			got := strings.Split(checkText(t, dir, text), "\n")
			want := strings.Split(row.want, "\n")
			require.Len(t, got, len(want), "%s", strings.Join(got, "\n"))
			for i := range want {
				if want[i] == "" {
					assert.Empty(t, got[i])
				}
				assert.True(t, strings.HasPrefix(got[i], want[i]), "got  %s\nwant %s", got[i], want[i])
			}
		})
	}
}

// TestCheck_nevar: it sends nobody back to a site on http, but for bare localhost.
func TestCheck_nevar(t *testing.T) {
	for base, refused := range map[string]bool{"http://localhost:8080": true, "http://127.0.0.1": true, "http://localhost": false, "https://soc.example": false} {
		for _, wls := range []string{"nevar", "goose"} {
			dir := checkDir(t)
			keyFiles("7")(t, dir)
			text := strings.NewReplacer(`"raven"`, `"`+wls+"\"\nkey-dir = \"keys\"", "https://soc.example", base, "headers.hsts = \"8760h\"\n", "").Replace(checkable)
			const warning = "1:12: warning: base-url: nevar refuses sites that are not https, so nobody can log in at "
			assert.Equal(t, refused && wls == "nevar", strings.Contains(checkText(t, dir, text), warning+base), "%s %s", wls, base)
		}
	}
}

// all does several things.
func all(steps ...func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		for _, step := range steps {
			step(t, dir)
		}
	}
}

// keyFiles makes a service's key directory. 2 is Raven's key, others are new.
func keyFiles(kids ...string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, "keys"), 0o700))
		for _, kid := range kids {
			key, found := keys.Raven().Lookup(kid)
			if !found {
				private, err := rsa.GenerateKey(rand.Reader, 2048)
				require.NoError(t, err)
				key, err = keys.New(kid, &private.PublicKey)
				require.NoError(t, err)
			}
			writeKey(t, filepath.Join(dir, "keys", "pubkey"+kid), key)
		}
	}
}

// TestNew_logsPeople: the log of a gateway that starts says the same.
func TestNew_logsPeople(t *testing.T) {
	for rule, want := range map[string]string{
		"groups = [\"a\"]\ngroup-file = \"g\"": `level=WARN msg="wls gateway: group a in DIR/g: \"SPQR1\" lets nobody in`,
		`principals = ["SPQR1"]`:               `level=WARN msg="wls policy of a route names somebody who never comes" error="\"SPQR1\" lets nobody in`,
	} {
		dir := checkDir(t)
		write("g", "a: SPQR1 abc1\n")(t, dir)
		file := filepath.Join(dir, "gateway.toml")
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(checkable, "path", rule+"\npath", 1)), 0o600))
		cfg, err := Load(file)
		require.NoError(t, err)
		log := &lockedBuffer{}
		cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
		g, err := New(*cfg)
		require.NoError(t, err)
		require.NoError(t, g.Close())
		assert.Contains(t, strings.ReplaceAll(log.String(), dir, "DIR"), want)
	}
}
