package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/programtest"
)

// getVariable has the test's own binary ask for a URL and say what it got, for it can do so in
// another network.
const getVariable = "DEBIAN_TEST_GET"

func TestMain(m *testing.M) {
	if url := os.Getenv(getVariable); url != "" {
		get(url)
		return
	}
	os.Exit(m.Run())
}

func get(url string) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err == nil {
		req.Header.Set("Accept", "text/html")
		var resp *http.Response
		if resp, err = transport.RoundTrip(req); err == nil {
			fmt.Println(resp.StatusCode, resp.Header.Get("Location"))
			return
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

func TestDebianVersion(t *testing.T) {
	ordered := []string{}
	for _, row := range [][2]string{
		{"v0.0.0-20261130203324-8223b73af311", "0.0.0~20261130203324.8223b73af311"},
		{"v0.0.0-20261201203324-0123b73af311+dirty", "0.0.0~20261201203324.0123b73af311+dirty"},
		{"v1.0.0-rc.1", "1.0.0~rc.1"},
		{"v1.0.0-rc.1.0.20261201203324-0123b73af311", "1.0.0~rc.1.0.20261201203324.0123b73af311"},
		{"v1.0.0", "1.0.0"},
		{"v1.0.1-0.20261201203324-0123b73af311", "1.0.1~0.20261201203324.0123b73af311"},
		{"v1.0.1", "1.0.1"},
	} {
		assert.Equal(t, row[1], debianVersion(row[0]))
		ordered = append(ordered, row[1])
	}
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("the rest needs dpkg")
	}
	for i := range ordered[1:] {
		assert.NoError(t, exec.Command("dpkg", "--compare-versions", ordered[i], "lt", ordered[i+1]).Run(), "%s < %s", ordered[i], ordered[i+1])
	}
}

// TestPackages builds the packages, looks at them, installs them, has systemd run what is in
// them, and removes them.
func TestPackages(t *testing.T) {
	if os.Getenv("CI") == "" {
		t.Skip("it installs packages on this machine, and removes them: set CI=true, as root")
	}
	require.Zero(t, os.Geteuid(), "run this as root: it installs packages")
	for _, program := range []string{"dpkg", "mandoc", "systemd-analyze", "adduser", "git"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err, "apt-get install adduser git mandoc systemd")
	}
	dir := t.TempDir()
	require.NoError(t, run(dir))
	files := map[string]string{} // of packages
	for _, p := range packages {
		found, err := filepath.Glob(filepath.Join(dir, p.Name+"_*.deb"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		files[p.Name] = found[0]
	}
	t.Run("same bytes", func(t *testing.T) { sameBytes(t, files) })
	t.Run("contents", func(t *testing.T) { contents(t, files) })
	t.Run("pages", func(t *testing.T) { pages(t, dir) })
	t.Run("configurations", func(t *testing.T) { configurations(t, dir) })

	t.Cleanup(func() { _ = exec.Command("dpkg", "--purge", "wlsgateway", "wlsbridge", "ucam-webauth-tools").Run() })
	out := command(t, "dpkg", "--install", files["wlsgateway"], files["wlsbridge"], files["ucam-webauth-tools"])
	assert.Contains(t, out, "systemctl enable --now wlsgateway")
	t.Run("installed", installed)
	t.Run("units", units)
	t.Run("gateway", func(t *testing.T) { runGateway(t, dir) })
	t.Run("bridge", runBridge)
	t.Run("purged", purged)
}

// command runs one that must not fail, and returns what it prints.
func command(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", args, out)
	return string(out)
}

func sameBytes(t *testing.T, files map[string]string) {
	again := t.TempDir()
	for _, p := range packages[2:] { // the smallest will do: all are made in one way
		root, err := moduleRoot()
		require.NoError(t, err)
		require.NoError(t, (&builder{debian: p, root: root, stage: filepath.Join(again, p.Name)}).build(again))
		first, err := os.ReadFile(files[p.Name])
		require.NoError(t, err)
		second, err := os.ReadFile(filepath.Join(again, filepath.Base(files[p.Name])))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(first, second), "%s is another file the second time", p.Name)
	}
}

// contents: everything is root's, only root may write it, and there is nothing that nobody expects.
func contents(t *testing.T, files map[string]string) {
	listed := regexp.MustCompile(`^(\S+) root/root +\d+ \S+ \S+ \./(etc|lib/systemd/system|usr/bin|usr/share/(?:doc|man))?`)
	for name, file := range files {
		for line := range strings.Lines(command(t, "dpkg-deb", "--contents", file)) {
			m := listed.FindStringSubmatch(line)
			require.NotNil(t, m, line)
			switch {
			case m[1][0] == 'd' || m[2] == "usr/bin":
				assert.Equal(t, "rwxr-xr-x", m[1][1:], line)
			default:
				assert.Equal(t, "-rw-r--r--", m[1], line)
			}
		}
		assert.Regexp(t, `^\d+\.\d+\.\d+(~\S+)?\n$`, command(t, "dpkg-deb", "--field", file, "Version"), name)
	}
	conffiles := command(t, "dpkg-deb", "--info", files["wlsgateway"], "conffiles")
	assert.Equal(t, "/etc/wlsgateway/wlsgateway.toml\n", conffiles)
}

// pages: mandoc has nothing to say against the manual pages, and each says what it should.
func pages(t *testing.T, dir string) {
	for page, text := range map[string]string{
		"wlsgateway/wlsgateway.1.gz":        "wlsgateway check FILE",
		"wlsgateway/wlsgateway.toml.5.gz":   "max-life = \"2h\"\n",
		"wlsbridge/wlsbridge.1.gz":          "wlsbridge keys new FILE [KID]",
		"wlsbridge/wlsbridge.toml.5.gz":     "confirm = \"each-site\"\n",
		"ucam-webauth-tools/wlsverify.1.gz": "-max-age",
		"ucam-webauth-tools/wlskeys.1.gz":   "wlskeys compare",
		"ucam-webauth-tools/fakewls.1.gz":   "-write-pubkey",
	} {
		file, err := os.Open(filepath.Join(dir, page))
		require.NoError(t, err)
		defer file.Close()
		unpacked, err := gzip.NewReader(file)
		require.NoError(t, err)
		source, err := io.ReadAll(unpacked)
		require.NoError(t, err)
		plain := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(page), ".gz"))
		require.NoError(t, os.WriteFile(plain, source, 0o644))
		assert.Empty(t, command(t, "mandoc", "-T", "lint", "-W", "warning", plain))
		shown := overstruck.ReplaceAllString(command(t, "mandoc", "-T", "ascii", "-O", "width=200", plain), "")
		assert.True(t, strings.Contains(shown, text), "%s does not say %s", page, text)
	}
}

// overstruck is how bold letters come about on paper.
var overstruck = regexp.MustCompile(`.\x08`)

var unset = regexp.MustCompile(`(?m)^#(\S)`)

// configurations: that with every key can be read as it is, and every key in it is one.
func configurations(t *testing.T, dir string) {
	for _, name := range []string{"wlsgateway", "wlsbridge"} {
		program, example := filepath.Join(dir, name, name), filepath.Join(dir, name, "example.toml")
		first := command(t, program, "show", filepath.Join(dir, name, name+".toml"))
		assert.Equal(t, first, command(t, program, "show", example), "the one that is installed says the same")

		text, err := os.ReadFile(example)
		require.NoError(t, err)
		all := filepath.Join(dir, name, "all.toml")
		require.NoError(t, os.WriteFile(all, unset.ReplaceAll(text, []byte("$1")), 0o644))
		out, err := exec.Command(program, "check", all).Output()
		require.Error(t, err, "some keys cannot stand beside others")
		assert.NotRegexp(t, `is unknown|but must be|not TOML|no duration`, string(out), name)
		assert.Contains(t, string(out), "redis-url is there as well", name)
	}
}

// installed: users, secrets, and no service that is started by itself.
func installed(t *testing.T) {
	for _, name := range []string{"wlsgateway", "wlsbridge"} {
		passwd := strings.Split(strings.TrimSpace(command(t, "getent", "passwd", name)), ":")
		assert.Equal(t, []string{"/nonexistent", "/usr/sbin/nologin"}, passwd[5:])
		assert.Equal(t, "root:root 600 65\n", command(t, "stat", "--format", "%U:%G %a %s", "/etc/"+name+"/secret"))
		assert.NoFileExists(t, "/etc/systemd/system/multi-user.target.wants/"+name+".service")
		assert.Contains(t, command(t, name, "version"), name+" ")
		out, err := exec.Command(name, "check", "/etc/"+name+"/"+name+".toml").Output()
		assert.Error(t, err)
		assert.Contains(t, string(out), "cert.pem: no such file", "what it needs is said")
	}
	assert.Contains(t, command(t, "wlskeys", "list"), "raven")
}

// maxExposure is what systemd-analyze may find at most, of 10 points.
const maxExposure = "1.7"

func units(t *testing.T) {
	for _, name := range []string{"wlsgateway", "wlsbridge"} {
		all := []string{"/lib/systemd/system/" + name + ".service", "/lib/systemd/system/" + name + "-https.socket", "/lib/systemd/system/" + name + "-redirect.socket"}
		out := command(t, append([]string{"systemd-analyze", "verify", "--man=no"}, all...)...)
		assert.NotContains(t, out, name, "systemd has something to say against them")
		out = command(t, "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+strings.ReplaceAll(maxExposure, ".", ""), all[0])
		t.Log(regexp.MustCompile(`Overall exposure level.*`).FindString(out))
	}
}

// certificate makes cert.pem and key.pem, as an operator puts them there.
func certificate(t *testing.T, dir string) {
	t.Helper()
	cert, made := programtest.WriteCertificate(t, dir, "cert", time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0), "localhost")
	key := filepath.Join(dir, "key.pem")
	require.NoError(t, os.Rename(made, key))
	for _, file := range []string{cert, key} {
		t.Cleanup(func() { assert.NoError(t, os.Remove(file)) })
	}
}

// write replaces a file, as editors do.
func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file+".new", []byte(text), 0o644))
	require.NoError(t, os.Rename(file+".new", file))
}
