package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	waits, pause = time.Minute, 50 * time.Millisecond

	gatewayFile = "/etc/wlsgateway/wlsgateway.toml"
	bridgeFile  = "/etc/wlsbridge/wlsbridge.toml"
)

// gatewayConfig is what an operator has made of the file.
const gatewayConfig = `base-url = "https://localhost"
wls = "raven"
secret-file = "secret"
[[rule]]
path = "/"
to = "unix:/run/app.sock"
`

// runGateway has systemd run the gateway, with the files that an operator puts there.
func runGateway(t *testing.T, dir string) {
	s := boot(t, "wlsgateway")
	s.fails("systemctl", "start", "wlsgateway") // nobody has edited anything
	log, err := os.ReadFile(s.log)
	require.NoError(t, err)
	assert.Contains(t, string(log), "/etc/wlsgateway/cert.pem: no such file or directory")
	s.run("systemctl", "stop", "wlsgateway") // or it tries again and again

	certificate(t, "/etc/wlsgateway")
	write(t, gatewayFile, gatewayConfig)
	assert.Contains(t, command(t, "wlsgateway", "check", gatewayFile), "can be used")
	s.run("systemctl", "start", "wlsgateway")
	assert.Equal(t, "active running", s.property("wlsgateway", "ActiveState")+" "+s.property("wlsgateway", "SubState"))
	asks := func() {
		t.Helper()
		assert.Regexp(t, `^303 https://raven\.cam\.ac\.uk/auth/authenticate\.html\?ver=3&url=https%3A%2F%2Flocalhost%2F`, s.get("https://localhost/page"))
		assert.Equal(t, "307 https://localhost/page", s.get("http://localhost/page"))
		assert.Equal(t, "204", s.get("https://localhost/.wls/alive"))
		assert.Equal(t, "alive\n", s.run("wlsgateway", "health", gatewayFile))
	}
	asks()
	s.confined("wlsgateway", "0000000000000400") // CAP_NET_BIND_SERVICE

	s.run("systemctl", "reload", "wlsgateway")
	write(t, gatewayFile, gatewayConfig+"access = \"publick\"\n")
	s.fails("systemctl", "reload", "wlsgateway")
	assert.Regexp(t, `^303 `, s.get("https://localhost/page"), "the old one is in force")
	write(t, gatewayFile, gatewayConfig+"desc = \"the society\"\n")
	s.run("systemctl", "reload", "wlsgateway")
	assert.Eventually(t, func() bool {
		return regexp.MustCompile(`desc=the(%20|\+)society`).MatchString(s.get("https://localhost/"))
	}, waits, pause)

	t.Run("sockets", func(t *testing.T) {
		s.run("systemctl", "stop", "wlsgateway")
		assert.Equal(t, "success 0", s.property("wlsgateway", "Result")+" "+s.property("wlsgateway", "ExecMainStatus"))
		// A key that is somewhere else, which only root may read.
		elsewhere := filepath.Join(t.TempDir(), "privkey.pem")
		require.NoError(t, os.Rename("/etc/wlsgateway/key.pem", elsewhere))
		t.Cleanup(func() { assert.NoError(t, os.Rename(elsewhere, "/etc/wlsgateway/key.pem")) })
		s.write("wlsgateway.service.d/key.conf", "[Service]\nLoadCredential=key.pem:"+elsewhere+"\n")
		t.Cleanup(func() { assert.NoError(t, os.Remove(filepath.Join(s.dir, "wlsgateway.service.d/key.conf"))) })
		s.run("systemctl", "daemon-reload")
		s.run("systemctl", "start", "wlsgateway-https.socket", "wlsgateway-redirect.socket")
		asks() // which starts it
		assert.Equal(t, "active", s.property("wlsgateway", "ActiveState"))
	})
	t.Run("upgrade", func(t *testing.T) { upgrade(t, s, dir) })
	t.Run("remove", func(t *testing.T) {
		s.run("dpkg", "--remove", "wlsgateway")
		assert.Equal(t, "inactive", s.property("wlsgateway", "ActiveState"))
		assert.FileExists(t, gatewayFile)
		assert.FileExists(t, "/etc/wlsgateway/secret")
		assert.NoFileExists(t, "/usr/bin/wlsgateway")
	})
}

// confined: a service runs as its own user, who may do nothing but what effective says, and reads
// no secret but by systemd.
func (s *systemd) confined(name, effective string) {
	s.t.Helper()
	pid := s.property(name, "MainPID")
	status := s.run("cat", "/proc/"+pid+"/status")
	assert.Contains(s.t, status, "CapEff:\t"+effective+"\n")
	assert.Contains(s.t, status, "CapBnd:\t"+effective+"\n")
	assert.Contains(s.t, status, "NoNewPrivs:\t1\n")
	assert.Contains(s.t, status, "Seccomp:\t2\n")
	assert.Equal(s.t, name, strings.TrimSpace(s.run("stat", "--format", "%U", "/proc/"+pid)))
	s.fails("setpriv", "--reuid", name, "--regid", name, "--clear-groups", "cat", "/etc/"+name+"/secret")
}

// upgrade: the service goes on with the configuration that was edited, though the package has
// another one.
func upgrade(t *testing.T, s *systemd, dir string) {
	edited, err := os.ReadFile(gatewayFile)
	require.NoError(t, err)
	secret, err := os.ReadFile("/etc/wlsgateway/secret")
	require.NoError(t, err)
	before := s.property("wlsgateway", "MainPID")
	s.run("dpkg", "--force-confdef", "--force-confold", "--install", later(t, dir))
	now, err := os.ReadFile(gatewayFile)
	require.NoError(t, err)
	assert.Equal(t, string(edited), string(now))
	kept, err := os.ReadFile("/etc/wlsgateway/secret")
	require.NoError(t, err)
	assert.Equal(t, secret, kept)
	assert.NotEqual(t, before, s.property("wlsgateway", "MainPID"), "it was restarted")
	assert.Equal(t, "204", s.get("https://localhost/.wls/alive"))

	write(t, gatewayFile, gatewayConfig+"access = \"publick\"\n")
	running := s.property("wlsgateway", "MainPID")
	out := s.run("dpkg", "--force-confold", "--install", later(t, dir))
	assert.Contains(t, out, "wlsgateway was not restarted")
	assert.Equal(t, running, s.property("wlsgateway", "MainPID"))
}

// later makes a package of a later version with another configuration.
func later(t *testing.T, dir string) string {
	t.Helper()
	stage := filepath.Join(dir, "wlsgateway")
	text, err := os.ReadFile(filepath.Join(stage, "nfpm.yaml"))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "version: \"")
	version, _, _ := strings.Cut(rest, "\"")
	require.NoError(t, os.WriteFile(filepath.Join(stage, "later.yaml"), []byte(strings.ReplaceAll(string(text), "\""+version+"\"", "9.9.9")), 0o644))
	config, err := os.ReadFile(filepath.Join(stage, "wlsgateway.toml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(stage, "wlsgateway.toml"), append(config, "# later\n"...), 0o644))
	file := filepath.Join(t.TempDir(), "later.deb")
	_, err = output(stage, nil, "go", "run", nfpm, "package", "--config", "later.yaml", "--packager", "deb", "--target", file)
	require.NoError(t, err)
	return file
}

// runBridge has systemd run the login service, which makes its keys.
func runBridge(t *testing.T) {
	s := boot(t, "wlsbridge")
	certificate(t, "/etc/wlsbridge")
	write(t, bridgeFile, `base-url = "https://localhost"
wls = "raven"
secret-file = "secret"
signing-keys = "/var/lib/wlsbridge/keys"
[[site]]
url = "https://soc.example/"
`)
	s.run("systemctl", "start", "wlsbridge")
	assert.Equal(t, "204", s.get("https://localhost/.wls/alive"))
	assert.Equal(t, "alive\n", s.run("wlsbridge", "health", bridgeFile))
	s.confined("wlsbridge", "0000000000000400")
	keys := s.run("setpriv", "--reuid", "wlsbridge", "--regid", "wlsbridge", "--clear-groups", "wlsbridge", "keys", bridgeFile)
	assert.Contains(t, keys, "is of the key that signs.")
	assert.Equal(t, "wlsbridge 700\n", command(t, "stat", "--format", "%U %a", "/var/lib/wlsbridge"))
	s.run("systemctl", "reload", "wlsbridge")
	s.run("systemctl", "stop", "wlsbridge")
	assert.Equal(t, "success 0", s.property("wlsbridge", "Result")+" "+s.property("wlsbridge", "ExecMainStatus"))
}

// purged: nothing is left.
func purged(t *testing.T) {
	command(t, "dpkg", "--purge", "wlsgateway", "wlsbridge", "ucam-webauth-tools")
	for _, name := range []string{"wlsgateway", "wlsbridge"} {
		for _, path := range []string{"/etc/", "/var/lib/", "/var/log/", "/usr/bin/", "/usr/share/doc/", "/lib/systemd/system/"} {
			found, err := filepath.Glob(path + name + "*")
			require.NoError(t, err)
			assert.Empty(t, found)
		}
		assert.Error(t, exec.Command("getent", "passwd", name).Run(), fmt.Sprint("user ", name))
		assert.Error(t, exec.Command("getent", "group", name).Run(), fmt.Sprint("group ", name))
	}
}
