package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// systemd is a manager of services in namespaces of its own: it sees this machine's files, and
// has processes, a network and a /run of its own.
type systemd struct {
	t   *testing.T
	pid int    // as the machine sees it
	dir string // of units
	log string // file with what services print
}

// prepareScript gives the manager control groups without those that this machine has mounted:
// systemd would make their file system read-only. A machine where that may not be done has no
// services to try.
const prepareScript = `
mount --make-rprivate /
umount -R /sys/fs/cgroup 2>/dev/null || :
mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/probe-$$
rmdir /sys/fs/cgroup/probe-$$`

// bootScript becomes the manager. $1 is the directory of units.
const bootScript = `
mount --make-rshared /
mount -t tmpfs -o mode=755 none /run
export container=test SYSTEMD_UNIT_PATH="$1"
exec /lib/systemd/systemd --system --unit=test.target`

// apart is a script that runs in namespaces of its own.
func apart(script string, args ...string) *exec.Cmd {
	return exec.Command("unshare", append([]string{"--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--cgroup", "--uts", "--ipc", "--net",
		"sh", "-ec", script, "sh"}, args...)...)
}

// boot starts systemd with the units of packages, and nothing else of this machine.
func boot(t *testing.T, packages ...string) *systemd {
	t.Helper()
	if out, err := apart(prepareScript).CombinedOutput(); err != nil {
		t.Skipf("systemd cannot run here, as it may not make namespaces and control groups: %v: %s", err, out)
	}
	dir, err := os.MkdirTemp("", "systemd") // below t.TempDir everything is private
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	s := &systemd{t: t, dir: filepath.Join(dir, "units"), log: filepath.Join(dir, "log")}
	require.NoError(t, os.Mkdir(s.dir, 0o755))
	for _, target := range []string{"test", "sysinit", "basic", "shutdown", "sockets", "multi-user", "network-online"} {
		s.write(target+".target", "[Unit]\nDefaultDependencies=no\n")
	}
	for _, p := range packages {
		units, err := filepath.Glob("/lib/systemd/system/" + p + "*")
		require.NoError(t, err)
		require.NotEmpty(t, units)
		for _, unit := range units {
			require.NoError(t, os.Symlink(unit, filepath.Join(s.dir, filepath.Base(unit))))
		}
		require.NoError(t, os.Mkdir(filepath.Join(s.dir, p+".service.d"), 0o755))
		// There is no journal.
		s.write(p+".service.d/log.conf", "[Service]\nStandardOutput=append:"+s.log+"\nStandardError=append:"+s.log+"\n")
	}
	groups := controlGroups(t)
	cmd := apart(prepareScript+bootScript, s.dir)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		assert.Eventually(t, func() bool { return s.removeGroups(groups) }, time.Minute, 50*time.Millisecond, "control groups stay behind")
	})
	require.Eventually(t, func() bool { return s.findPid(cmd.Process.Pid) }, time.Minute, 50*time.Millisecond, "systemd does not start")
	require.Eventually(t, func() bool { return s.command("systemctl", "is-active", "test.target").Run() == nil }, 3*time.Minute, 100*time.Millisecond,
		"systemd does not get as far as its target: it needs a control group file system that can be written")
	return s
}

func (s *systemd) write(name, text string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644))
}

// findPid finds the child of unshare.
func (s *systemd) findPid(parent int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", parent))
	if err != nil || len(strings.Fields(string(text))) == 0 {
		return false
	}
	s.pid, err = strconv.Atoi(strings.Fields(string(text))[0])
	return err == nil
}

// controlGroups lists those that there are.
func controlGroups(t *testing.T) (all []string) {
	t.Helper()
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			all = append(all, path)
		}
		return nil // they come and go
	})
	return all
}

// removeGroups removes what the manager has left behind; those of others are not empty.
func (s *systemd) removeGroups(before []string) bool {
	left := false
	all := controlGroups(s.t)
	slices.Reverse(all)
	for _, path := range all {
		name := filepath.Base(path)
		ours := name == "init.scope" || name == "system.slice" || filepath.Base(filepath.Dir(path)) == "system.slice"
		if ours && !slices.Contains(before, path) {
			left = syscall.Rmdir(path) != nil || left
		}
	}
	return !left
}

// command is one that runs where the manager does.
func (s *systemd) command(args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{"--target", strconv.Itoa(s.pid), "--mount", "--pid", "--net", "--uts", "--ipc", "--"}, args...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+s.dir, "DEBIAN_FRONTEND=noninteractive")
	return cmd
}

// run runs a command that must not fail, and returns what it prints.
func (s *systemd) run(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...).CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(s.log)
		status, _ := s.command("systemctl", "status", "--no-pager", "--full", "wls*").CombinedOutput()
		require.NoError(s.t, err, "%s: %s\n%s\n%s", args, out, status, log)
	}
	return string(out)
}

// fails runs a command that must fail.
func (s *systemd) fails(args ...string) {
	s.t.Helper()
	out, err := s.command(args...).CombinedOutput()
	require.Error(s.t, err, "%s: %s", args, out)
}

// property returns one of a unit.
func (s *systemd) property(unit, name string) string {
	s.t.Helper()
	return strings.TrimSpace(s.run("systemctl", "show", "--value", "--property", name, unit))
}

// get asks for a URL, and returns the status and where it redirects to.
func (s *systemd) get(url string) string {
	s.t.Helper()
	self, err := os.Executable()
	require.NoError(s.t, err)
	cmd := s.command(self)
	cmd.Env = append(cmd.Env, getVariable+"="+url)
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s", out)
	return strings.TrimSpace(string(out))
}
