//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whom the program runs as in these tests: nobody in particular, in one more group.
const siteUser, siteGroup, secretsGroup = 64001, 64011, 64012

// TestProcess_platforms runs the program with its secrets as platforms hand them out, in a mount
// namespace of its own, as a user who cannot change them.
func TestProcess_platforms(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("run this as root: it mounts things and changes users")
		}
		t.Skip("only root can mount things and change users")
	}
	// In each script, $1 is the program's directory, with what the operator wrote in secrets/.
	const volume = `
		mkdir "$1/volume"
		mount -t tmpfs -o mode=1777 none "$1/volume"
		cd "$1/volume"
		mkdir ..1
		chmod 755 ..1
		for f in $(ls "$1/secrets"); do
			cp "$1/secrets/$f" ..1/
			chmod $MODE ..1/$f
			chgrp $GROUP ..1/$f
			ln -s ..data/$f $f
		done
		ln -s ..1 ..data
		mount -o remount,bind,ro "$1/volume"`
	for _, tt := range []struct {
		name, script string
		in           string // where the configuration says that the secrets are, for relative names
		warns        string // in the log, once for each secret
	}{
		{"LoadCredential of systemd", `
			mkdir "$1/credentials"
			mount -t tmpfs -o mode=700 none "$1/credentials"
			cp "$1"/secrets/* "$1/credentials/"
			chmod 400 "$1"/credentials/*
			setfacl -m u:$SITE:r "$1"/credentials/*
			chmod 500 "$1/credentials"
			setfacl -m u:$SITE:rx "$1/credentials"
			mount -o remount,bind,ro "$1/credentials"
			export CREDENTIALS_DIRECTORY="$1/credentials"`, "", ""},
		{"Kubernetes", "MODE=644; GROUP=0" + volume, "volume/", "may be read by everybody (mode 0644), on a mount where nobody can change that"},
		{"Kubernetes with fsGroup", "MODE=440; GROUP=$SECRETS" + volume, "volume/", ""},
		{"Docker", `
			mkdir "$1/store" "$1/run"
			mount -t tmpfs -o mode=700 none "$1/store"
			cp "$1"/secrets/* "$1/store/"
			chmod 444 "$1"/store/*
			for f in $(ls "$1/secrets"); do
				touch "$1/run/$f"
				mount --bind "$1/store/$f" "$1/run/$f"
				mount -o remount,bind,ro "$1/run/$f"
			done`, "run/", "may be read by everybody (mode 0444), on a mount where nobody can change that"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newPlatform(t)
			file := s.configureSecrets(tt.in)
			p := launch(t, `export SITE=64001 SECRETS=64012; exec unshare --mount sh -ec '`+tt.script+`
				cd /
				export LISTEN_PID=$$
				exec setpriv --reuid $SITE --regid 64011 --groups $SECRETS "$0" "$2"' "$0" "$1" "$2"`,
				[]string{filepath.Join(s.dir, "program"), s.dir, file}, s.sockets, "LISTEN_FDS=1", "LISTEN_FDNAMES=https")
			p.expect("listening", 1)
			resp, body := s.get(s.url() + "/a")
			assert.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, "backend /a", body)
			want := 0
			if tt.warns != "" {
				want = 3 // secret, HMAC key and key of the certificate
				p.expect(tt.warns, want)
			}
			assert.Equal(t, want, strings.Count(p.log(), "may be read"), p.log())
			assert.NotContains(t, p.log(), "an HMAC key")
			p.stop()
		})
	}
}

// TestProcess_systemdRun has systemd itself hand the secrets out.
func TestProcess_systemdRun(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err != nil || os.Geteuid() != 0 {
		t.Skip("systemd does not run here, or not for this user: TestProcess_platforms makes its modes by hand")
	}
	s := newPlatform(t)
	file := s.configureSecrets("")
	args := []string{"--wait", "--pipe", "--collect", "--quiet", "-p", fmt.Sprintf("User=%d", siteUser), "-p", fmt.Sprintf("Group=%d", siteGroup)}
	for _, name := range []string{"secret", "hmac", "cert.pem", "key.pem"} {
		args = append(args, "-p", "LoadCredential="+name+":"+filepath.Join(s.dir, "secrets", name))
	}
	args = append(args, "-E", "WLSGATEWAY_TEST_MAIN=1", filepath.Join(s.dir, "program"), "check", file)
	out, err := exec.Command("systemd-run", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "can be used")
	assert.NotContains(t, string(out), "may be read")
}

// newPlatform is a site with the program, in a directory that anybody may enter, and with
// secrets that root keeps to itself.
func newPlatform(t *testing.T) *testSite {
	t.Helper()
	s := newSite(t, 1)
	dir, err := os.MkdirTemp("", "wlsgateway") // below t.TempDir everything is private
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	s.dir = dir
	binary, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "program"), binary, 0o700))
	require.NoError(t, os.Chmod(filepath.Join(dir, "program"), 0o755))
	secrets := filepath.Join(dir, "secrets")
	require.NoError(t, os.Mkdir(secrets, 0o700))
	writeCertificate(t, secrets, "localhost")
	write(t, filepath.Join(secrets, "secret"), "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210\n")
	write(t, filepath.Join(secrets, "hmac"), "an HMAC key that is long enough\n")
	return s
}

// configureSecrets writes a configuration file whose secrets are in a directory, or are relative
// names.
func (s *testSite) configureSecrets(in string) (file string) {
	s.t.Helper()
	file = filepath.Join(s.dir, "gateway.toml")
	write(s.t, file, fmt.Sprintf(`base-url = %q
wls = "raven"
secret-file = %q
log.access = "off"
identity = {send = ["x-aa"], hmac-key-file = %q}
[[listen.certificate]]
cert = %q
key = %q
%s`, s.url(), in+"secret", in+"hmac", in+"cert.pem", in+"key.pem", s.publicRule()))
	require.NoError(s.t, os.Chmod(file, 0o644))
	return file
}
