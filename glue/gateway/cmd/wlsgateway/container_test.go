//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// instruction is one line of a Containerfile.
type instruction struct{ name, rest string }

// stages returns the instructions of a Containerfile from each FROM to the next.
func stages(t *testing.T, file string) (all [][]instruction) {
	t.Helper()
	for line := range strings.Lines(read(t, file)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest, ok := strings.Cut(line, " ")
		require.True(t, ok, line)
		if name == "FROM" {
			all = append(all, nil)
		}
		require.NotEmpty(t, all, line)
		all[len(all)-1] = append(all[len(all)-1], instruction{name, strings.TrimSpace(rest)})
	}
	return all
}

// one returns what stands behind the only instruction of a name.
func one(t *testing.T, stage []instruction, name string) (rest string) {
	t.Helper()
	for _, i := range stage {
		if i.name == name {
			require.Empty(t, rest, "%s twice", name)
			rest = i.rest
		}
	}
	require.NotEmpty(t, rest, "no %s", name)
	return rest
}

// words reads a command as JSON has it: no shell is there to read another.
func words(t *testing.T, text string) (all []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text[strings.IndexByte(text, '['):]), &all), text)
	return all
}

// TestContainerfile builds what the image has in it as the Containerfile says, and runs that as
// a container does: with nothing else in its world, and as nobody in particular.
func TestContainerfile(t *testing.T) {
	const root = "../../../.."
	all := stages(t, "../../Containerfile")
	require.Len(t, all, 2)
	build, image := all[0], all[1]

	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, filepath.Join(root, "go.mod")))[1]
	assert.Equal(t, "golang:"+version+" AS build", one(t, build, "FROM"))
	assert.Equal(t, "scratch", one(t, image, "FROM"))
	assert.Equal(t, "65532:65532", one(t, image, "USER"))
	world := t.TempDir()
	for _, i := range build {
		if i.name != "RUN" || !strings.Contains(i.rest, "go build") {
			continue
		}
		cmd := exec.Command("sh", "-ec", strings.Replace(i.rest, "-o /wlsgateway ", "-o "+world+"/wlsgateway ", 1))
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	require.FileExists(t, filepath.Join(world, "wlsgateway"))
	entry := words(t, one(t, image, "ENTRYPOINT"))
	health := words(t, one(t, image, "HEALTHCHECK"))
	command := words(t, one(t, image, "CMD"))
	assert.Equal(t, []string{"/wlsgateway"}, entry)
	if os.Geteuid() != 0 {
		t.Skip("only root can give a program another world")
	}

	require.NoError(t, os.Chmod(world, 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(world, filepath.Dir(command[0])), 0o755))
	config := filepath.Join(world, command[0])
	write(t, config, "base-url = \"http://localhost:8080\"\nwls = \"raven\"\nsecret-file = \"secret\"\n"+
		"[listen]\nunix = \"s\"\n[front]\nunix-socket = true\n[[rule]]\npath = \"/\"\nto = \"http://localhost:8000\"\n")
	require.NoError(t, os.Chmod(config, 0o644))
	require.NoError(t, os.Chown(filepath.Dir(config), 65532, 65532)) // the secret is made there
	inside := func(args ...string) *exec.Cmd {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = "/", []string{}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: world, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return cmd
	}
	healthy := func() error { return inside(health...).Run() }
	assert.Error(t, healthy(), "nothing runs yet")
	serve := inside(append(entry, command...)...)
	var log bytes.Buffer
	serve.Stderr = &log
	require.NoError(t, serve.Start())
	t.Cleanup(func() { _ = serve.Process.Kill() })
	require.Eventually(t, func() bool { return healthy() == nil }, patience, 20*time.Millisecond)
	require.NoError(t, serve.Process.Signal(syscall.SIGTERM))
	require.NoError(t, serve.Wait(), &log)
	assert.Error(t, healthy(), "it has stopped")
}
