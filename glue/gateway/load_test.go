package gateway

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// smallest is the smallest useful file.
const smallest = `base-url = "https://soc.example"
wls = "raven"
secret-file = "/etc/wlsgateway/secret"
[[rule]]
path = "/"
access = "login"
to = "unix:/run/app.sock"
`

// writeConfig puts a configuration into a file of its own.
func writeConfig(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.toml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestLoad_smallest(t *testing.T) {
	cfg, err := Load(writeConfig(t, smallest))
	require.NoError(t, err)
	assert.Equal(t, "https://soc.example", cfg.BaseURL)
	assert.Equal(t, []Rule{{Path: "/", Access: Login, To: "unix:/run/app.sock", BackendHost: "keep"}}, cfg.Rules)
	assert.Equal(t, []string{"remote-user"}, cfg.Identity.Send)
	assert.Equal(t, Duration(2*time.Hour), cfg.Session.MaxLife)
	assert.Equal(t, Duration(10*time.Second), cfg.Limits.HeaderTimeout)
	assert.Equal(t, Log{Access: "stdout", Format: "combined", Level: "info"}, cfg.Log)
	listen := cfg.common().Listening(false)
	assert.Equal(t, []string{":443"}, listen.HTTPS)
	assert.Equal(t, []string{":80"}, listen.Redirect)
	login, err := cfg.login().LoginConfig(glue.Config{}, cfg.file, cfg.Now)
	require.NoError(t, err)
	assert.Equal(t, "raven", login.Service.Info().Name)
	assert.Empty(t, login.Also)
}

// TestLoad_everything also makes sure that the file in testdata has every key there is.
func TestLoad_everything(t *testing.T) {
	cfg, err := Load("testdata/everything.toml")
	require.NoError(t, err)
	requireFilled(t, reflect.ValueOf(*cfg), "")
	here, err := filepath.Abs("testdata")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(here, "secret"), cfg.SecretFile)
	assert.Equal(t, filepath.Join(here, "wiki.pem"), cfg.Listen.Certificates[1].Cert)
	assert.Equal(t, "unix:"+filepath.Join(here, "admin.sock"), cfg.Admin.Listen)
	assert.Equal(t, filepath.Join(here, "groups"), cfg.Rules[1].GroupFile)
	assert.Equal(t, "unix:"+filepath.Join(here, "app.sock"), cfg.Rules[2].To)
	assert.Equal(t, Duration(-1), cfg.Limits.WriteTimeout)
}

// requireFilled fails for a key that is nowhere in the file; of rules, one with it will do.
func requireFilled(t *testing.T, v reflect.Value, path string) {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ",")
		if name == "" || name == "-" {
			continue
		}
		field := v.Field(i)
		switch {
		case field.Kind() == reflect.Struct:
			requireFilled(t, field, config.Join(path, name))
		case field.Kind() == reflect.Slice && field.Type().Elem() == reflect.TypeFor[Rule]():
			all := reflect.New(reflect.TypeFor[Rule]()).Elem()
			for j := range field.Len() {
				for k := range all.NumField() {
					if f := field.Index(j).Field(k); !f.IsZero() {
						all.Field(k).Set(f)
					}
				}
			}
			requireFilled(t, all, name)
		case config.Join(path, name) == "rule.ptags": // contradicts custom-wls.no-ptags
		case config.Join(path, name) == "redis-url-file": // in the place of redis-url
		case config.Join(path, name) == "oidc.preset", config.Join(path, name) == "oidc.client-secret-file": // in the place of issuer and private-key-file
		default:
			assert.False(t, field.IsZero(), "%s is not in the file", config.Join(path, name))
		}
	}
}

// TestLoad_wrong has one mistake a row; want is line:column, key and text of each problem.
func TestLoad_wrong(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"no TOML", "base-url = \n", []string{"1:12: this is not TOML: "}},
		{"no quotes", "wls = raven\n", []string{"1:7: this is not TOML: "}},
		{"no end of string", "wls = \"raven\nbase-url = \"x\"\n", []string{"1:13: this is not TOML: "}},
		{"a key twice", "wls = \"raven\"\nwls = \"goose\"\n", []string{"2:1: this is not TOML: "}},
		{"a table twice", "[log]\n[log]\n", []string{"2:2: this is not TOML: "}},
		{"not UTF-8", "wls = \"\xff\"\n", []string{"1:8: this is not TOML: "}},
		{"unknown key", smallest + "colour = 1\n", []string{"8:1: rule[1].colour: this key is unknown: the keys here are aauth, "}},
		{"unknown table", smallest + "[colours]\nred = 1\n", []string{"8:2: colours: this key is unknown"}},
		{"unknown key of an inline table", smallest + "[listen]\ncertificate = [{cert = \"a\", kee = \"b\"}]\n", []string{
			`9:16: listen.certificate[1].key: this is missing`, `9:29: listen.certificate[1].kee: this key is unknown: did you mean "key"?`}},
		{"misspelt", smallest + "strip_path = true\n", []string{`8:1: rule[1].strip_path: this key is unknown: did you mean "strip-path"?`}},
		{"in capitals", smallest + "Principals = [\"a\"]\n", []string{`8:1: rule[1].Principals: this key is unknown: did you mean "principals"?`}},
		{"in the wrong table", smallest + "secret-file = \"x\"\n", []string{"8:1: rule[1].secret-file: this key is unknown: it belongs at the top of the file"}},
		{"in no table", "max-life = \"1h\"\n" + smallest, []string{"1:1: max-life: this key is unknown: it belongs in [session]"}},
		{"quoted key", smallest + "\"a b\" = 1\n", []string{`8:1: rule[1]."a b": this key is unknown`}},
		{"dotted key", "limits.body-bytes = -1\nlimits.connexions = 1\n" + smallest, []string{
			"1:21: limits.body-bytes: -1 must not be negative", `2:1: limits.connexions: this key is unknown: did you mean "connections"?`}},
		{"number for a string", smallest + "desc = 5\n", []string{"8:8: rule[1].desc: this is a whole number, but must be a string"}},
		{"string for a switch", smallest + "strip-path = \"yes\"\n", []string{"8:14: rule[1].strip-path: this is a string, but must be true or false"}},
		{"string for a list", smallest + "principals = \"spqr1\"\n", []string{"8:14: rule[1].principals: this is a string, but must be an array"}},
		{"number in a list", smallest + "principals = [\n  \"spqr1\",\n  2,\n]\n", []string{"10:3: rule[1].principals[2]: this is a whole number, but must be a string"}},
		{"table for a value", smallest + "[rule.desc]\na = 1\n", []string{"8:2: rule[1].desc: this is a table, but must be a string"}},
		{"value for a table", "log = \"json\"\n" + smallest, []string{"1:7: log: this is a string, but must be a table"}},
		{"table for an array of tables", strings.Replace(smallest, "[[rule]]", "[rule]", 1), []string{"4:2: rule: this is a table, but must be an array of tables"}},
		{"date for a string", smallest + "desc = 2020-01-02\n", []string{"8:8: rule[1].desc: this is a date or time, but must be a string"}},
		{"fraction", smallest + "[limits]\nheader-bytes = 1.5\n", []string{"9:16: limits.header-bytes: this is a number with a fraction, but must be a whole number"}},
		{"duration as a number", smallest + "fresh = 300\n", []string{`8:9: rule[1].fresh: this is a whole number, but must be a duration such as "90s"`}},
		{"duration without a unit", smallest + "fresh = \"300\"\n", []string{`8:9: rule[1].fresh: "300" is no duration: write it such as 90s`}},
		{"address for a range", smallest + "allow-from = [\"192.0.2.0/24\", \"192.0.2.7\"]\n", []string{`8:31: rule[1].allow-from[2]: "192.0.2.7" is no address range: write it such as 192.0.2.0/24, one address as 192.0.2.7/32`}},
		{"name of several lines", "site-name = \"Quiz\\nSociety\"\n" + smallest, []string{`1:13: site-name: "Quiz\nSociety": Leave out characters that cannot be seen.`}},
		{"nothing", "", []string{"1:1: base-url: this is missing", "1:1: wls: this is missing", "1:1: secret-file: this is missing", "1:1: rule: there is none"}},
		{"all at once", "base-url = 1\nwls = \"crow\"\nspeed = 3\n[[rule]]\npath = \"x\"\n", []string{
			"1:1: secret-file: this is missing",
			"1:12: base-url: this is a whole number, but must be a string",
			`2:7: wls: "crow" is none of raven, raven-demo, nevar, goose, custom`,
			"3:1: speed: this key is unknown",
			"4:3: rule[1].to: this is missing",
			`5:8: rule[1].path: "x":`,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := writeConfig(t, row.text)
			_, err := Load(file)
			requireProblems(t, err, file, row.want)
		})
	}
}

// requireProblems compares problems with the beginnings of their texts.
func requireProblems(t *testing.T, err error, file string, want []string) {
	t.Helper()
	require.Error(t, err)
	var refused *site.ConfigError
	require.True(t, errors.As(err, &refused), "%T", err)
	got := strings.Split(err.Error(), "\n")
	require.Len(t, got, len(want), "%s", err)
	for i := range want {
		rest, ok := strings.CutPrefix(got[i], file+":")
		require.True(t, ok, got[i])
		assert.True(t, strings.HasPrefix(rest, want[i]), "got  %s\nwant %s", rest, want[i])
	}
}

func TestLoad_unreadable(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.toml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	large := writeConfig(t, smallest+"#"+strings.Repeat("x", 1<<20)+"\n")
	_, err = Load(large)
	require.ErrorContains(t, err, "larger than 1048576 bytes")
}

func TestLoad_cut(t *testing.T) {
	file := writeConfig(t, strings.TrimSuffix(smallest, "\n"))
	_, err := Load(file)
	requireProblems(t, err, file, []string{"7:1: it does not end with a newline: it may be cut short"})
	_, err = Load(writeConfig(t, strings.ReplaceAll(smallest, "\n", "\r\n")))
	require.NoError(t, err)
}

func TestLoad_byteOrderMark(t *testing.T) {
	_, err := Load(writeConfig(t, "\ufeff"+smallest))
	require.NoError(t, err)
}

func TestShow(t *testing.T) {
	for _, file := range []string{writeConfig(t, smallest), "testdata/everything.toml"} {
		cfg, err := Load(file)
		require.NoError(t, err)
		var first, second bytes.Buffer
		require.NoError(t, cfg.Show(&first))
		again, err := Load(writeConfig(t, first.String()))
		require.NoError(t, err, first.String())
		require.NoError(t, again.Show(&second))
		assert.Equal(t, first.String(), second.String())
		assert.NotContains(t, first.String(), "hunter2")
	}
}

func TestShow_content(t *testing.T) {
	cfg, err := Load("testdata/everything.toml")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, cfg.Show(&b))
	for _, line := range []string{
		"redis-url = 'rediss://redis.soc.example:6379/1'", "proxies = ['192.0.2.0/28', '2001:db8::/64']", "max-life = '1h30m'",
	} {
		assert.Contains(t, b.String(), line+"\n")
	}
}

// TestShow_redis: what may be part of a password is not shown, nor in the error that says
// that it stands in a wrong place.
func TestShow_redis(t *testing.T) {
	file := writeConfig(t, smallest)
	for _, row := range []struct{ url, want string }{
		{"redis://:s3cret@10.0.0.1:6379/0", "redis://10.0.0.1:6379/0"},
		{"redis://s3cret@10.0.0.1", "redis://10.0.0.1"},
		{"redis://s3cret:s3cret@[::1]/", "redis://[::1]/"},
		{"unix:///run/redis.sock", "unix:///run/redis.sock"},
		{"unix://:s3cret@/run/redis.sock", "unix:///run/redis.sock"},
		{"unix://s3cret/run/redis.sock", ""},
		{"unix:///run/redis.sock?password=s3cret", ""},
		{"unix:///:s3cret@/run/redis.sock", ""},
		{"redis://user:12/s3cret@host", ""},
		{"redis://:12/s3cret", ""},
		{"redis://:s3c#s3cret@host", ""},
		{"redis://:12#s3cret@host", ""},
		{"redis://host/0?password=s3cret", ""},
		{"redis://user:12#s3cret@host", ""},
		{"redis://host#s3cret", ""},
		{"redis://host/0?", ""},
		{"redis://:s3%cret@host:6379", ""},
		{"redis:s3cret", ""},
	} {
		t.Run(row.url, func(t *testing.T) {
			require.NoError(t, writeOver(file, "redis-url = \""+row.url+"\"\n"+smallest))
			cfg, err := Load(file)
			if row.want == "" {
				require.ErrorContains(t, err, "1:13: redis-url: this is no address of Redis")
				assert.NotContains(t, err.Error(), "s3cret")
				return
			}
			require.NoError(t, err)
			var b bytes.Buffer
			require.NoError(t, cfg.Show(&b))
			assert.Contains(t, b.String(), "redis-url = '"+row.want+"'\n")
			assert.NotContains(t, b.String(), "s3cret")
		})
	}
}

// FuzzLoad: whatever is in a file, Load answers; what it accepts can be shown, and means
// the same when that is loaded.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(smallest))
	everything, err := os.ReadFile("testdata/everything.toml")
	require.NoError(f, err)
	f.Add(everything)
	f.Add([]byte("a = {b = [1, {c = 2}], d.e = 3}\n[[x.y]]\n[[x.y]]\n[x.y.z]\nq = 1979-05-27\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, document []byte) {
		file := filepath.Join(dir, strconv.Itoa(os.Getpid())+".toml")
		load := func(document []byte) (*Config, error) {
			require.NoError(t, os.WriteFile(file, append(document, '\n'), 0o600))
			return Load(file)
		}
		cfg, err := load(document)
		if err != nil {
			for _, f := range Findings(err) {
				assert.Regexp(t, `:[1-9][0-9]*:[1-9][0-9]*$`, f.Place)
				assert.NotEmpty(t, f.Text)
			}
			return
		}
		var first, second bytes.Buffer
		require.NoError(t, cfg.Show(&first))
		again, err := load(first.Bytes())
		require.NoError(t, err, first.String())
		require.NoError(t, again.Show(&second))
		assert.Equal(t, first.String(), second.String())
	})
}

// TestLoad_letterCase: words mean the same in any letter case; names of files and of people do not.
func TestLoad_letterCase(t *testing.T) {
	cfg, err := Load(writeConfig(t, `base-url = "https://soc.example"
WLS = "Raven"
`))
	require.ErrorContains(t, err, `WLS: this key is unknown: did you mean "wls"?`)
	require.Nil(t, cfg)

	cfg, err = Load(writeConfig(t, `base-url = "https://soc.example"
wls = "Raven"
login = "OIDC"
secret-file = "Secret"
oidc = {preset = "Cambridge", client-id = "Soc", client-secret-file = "Client"}
front = {unix-socket = true, header = "X-Forwarded", url = "Path"}
forward-auth = true
identity = {send = ["Remote-User"]}
log = {access = "STDOUT", format = "JSON", level = "Warn"}
listen = {unix = "Sock"}
[[rule]]
path = "/"
host = "SOC.example"
access = "Login"
iact = "Yes"
any-ptags = true
to = "unix:App.sock"
backend-host = "Keep"
principals = ["spqr1"]
`))
	require.NoError(t, err)
	assert.Equal(t, []string{"raven", "oidc", "cambridge", "Soc"}, []string{cfg.WLS, cfg.Login, cfg.OIDC.Preset, cfg.OIDC.ClientID})
	assert.Equal(t, []string{"x-forwarded", "path", "remote-user"}, []string{cfg.Front.Header, cfg.Front.URL, cfg.Identity.Send[0]})
	assert.Equal(t, Log{Access: "stdout", Format: "json", Level: "warn"}, cfg.Log)
	r := cfg.Rules[0]
	assert.Equal(t, []string{"soc.example", "login", "yes", "keep"}, []string{r.Host, string(r.Access), r.IAct, r.BackendHost})
	assert.Equal(t, []string{"Secret", "Client", "Sock"}, []string{filepath.Base(cfg.SecretFile), filepath.Base(cfg.OIDC.ClientSecretFile), filepath.Base(cfg.Listen.Unix)})
	assert.Contains(t, r.To, "App.sock")
	assert.Len(t, cfg.login().Services(), 2)
}
