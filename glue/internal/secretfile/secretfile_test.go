//go:build linux

package secretfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
)

// Users and groups that stand for nobody in particular.
const (
	site, mallory        = 64001, 64002
	siteGroup, passwords = 64011, 64012 // the site's own, and another one that it is in
	students             = 64013        // one that it is not in
)

const secret = "hunter2 hunter2"

// readEnv makes the test binary a process that reads the file of that name.
const readEnv = "SECRETFILE_TEST_READ"

func TestMain(m *testing.M) {
	if path := os.Getenv(readEnv); path != "" {
		file, err := secretfile.Read(path, 1<<10)
		switch {
		case err != nil:
			fmt.Print("error: ", err)
		case string(file.Text) != secret:
			fmt.Print("error: it holds something else")
		case file.Warning != "":
			fmt.Print("warning: ", file.Warning)
		default:
			fmt.Print("fine")
		}
		return
	}
	os.Exit(m.Run())
}

// world is a directory that anybody may enter, with a program that reads secrets.
type world struct {
	t       *testing.T
	dir     string
	program string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("run this as root: files are given to other users")
		}
		t.Skip("only root can give files to other users")
	}
	dir, err := os.MkdirTemp("", "secretfile") // below t.TempDir everything is private
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	w := &world{t, dir, filepath.Join(dir, "program")}
	binary, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.program, binary, 0o755))
	require.NoError(t, os.Chmod(w.program, 0o755))
	return w
}

// put makes a file; its directory is there.
func (w *world) put(path string, mode fs.FileMode, uid, gid int) string {
	w.t.Helper()
	path = filepath.Join(w.dir, path)
	require.NoError(w.t, os.WriteFile(path, []byte(secret), 0o600))
	w.set(path, mode, uid, gid)
	return path
}

func (w *world) mkdir(path string, mode fs.FileMode, uid, gid int) string {
	w.t.Helper()
	path = filepath.Join(w.dir, path)
	require.NoError(w.t, os.Mkdir(path, 0o700))
	w.set(path, mode, uid, gid)
	return path
}

func (w *world) set(path string, mode fs.FileMode, uid, gid int) {
	w.t.Helper()
	require.NoError(w.t, os.Chown(path, uid, gid))
	require.NoError(w.t, os.Chmod(path, mode))
}

// acl adds entries to the access control list of a path.
func (w *world) acl(entries, path string) {
	w.t.Helper()
	out, err := exec.Command("setfacl", "-m", entries, path).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "" {
		w.t.Skip("setfacl is missing: install acl")
	}
	require.NoError(w.t, err, "%s", out)
}

// mount mounts something; it is gone when the test ends.
func (w *world) mount(source, target, kind string, flags uintptr, data string) {
	w.t.Helper()
	err := syscall.Mount(source, target, kind, flags, data)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENODEV) {
		w.t.Skipf("%s cannot be mounted here, even by root: %v", kind, err)
	}
	require.NoError(w.t, err)
	w.t.Cleanup(func() { assert.NoError(w.t, syscall.Unmount(target, 0)) })
}

// readOnly makes a mount read-only, as platforms do when all is in it.
func (w *world) readOnly(target string) {
	w.t.Helper()
	require.NoError(w.t, syscall.Mount("", target, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""))
}

// read reads a file as some user, who is in the groups siteGroup and passwords unless it is root.
func (w *world) read(path string, uid int) string {
	w.t.Helper()
	cmd := exec.Command(w.program)
	cmd.Env = append(os.Environ(), readEnv+"="+path, "GORACE=atexit_sleep_ms=0") // else with -race each takes a second to end
	cmd.Dir = w.dir
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: siteGroup, Groups: []uint32{passwords}}}
	}
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, "%s", out)
	assert.NotContains(w.t, string(out), secret)
	return string(out)
}

// expect compares an outcome: "fine", or the beginning of a warning or an error.
func (w *world) expect(want, got string) {
	w.t.Helper()
	assert.True(w.t, got == want || want != "fine" && strings.HasPrefix(got, want), "got  %s\nwant %s", got, want)
}

// TestModes is the rule for files in a directory that anybody may enter.
func TestModes(t *testing.T) {
	w := newWorld(t)
	for i, tt := range []struct {
		mode       fs.FileMode
		owner      int
		group      int
		site, root string
	}{
		{0o600, site, siteGroup, "fine", "warning: is there for user 64001 too: right if that is whom the site runs as, else run: chown root PATH; chmod 600 PATH"},
		{0o400, site, siteGroup, "fine", "warning: is there for user 64001"},
		{0o640, site, siteGroup, "fine", "error: group 64011 can read it (mode 0640): run: chmod 600 "},
		{0o640, site, 0, "fine", "warning: is there for user 64001"},
		{0o640, 0, siteGroup, "fine", "error: group 64011 can read it"},
		{0o440, 0, passwords, "fine", "error: group 64012 can read it"},
		{0o440, site, passwords, "fine", "error: group 64012 can read it (mode 0440): run: chmod 600 PATH, or run this as the user that the site runs as"},
		{0o400, 0, 0, "error: permission denied to user 64001, which this program runs as: let the file belong to it", "fine"},
		{0o600, 0, 0, "error: permission denied", "fine"},
		{0o640, 0, 0, "error: permission denied", "fine"},
		{0o640, site, students, "error: group 64013 can read it (mode 0640): run: chmod 600 ", "error: group 64013 can read it"},
		{0o440, mallory, passwords, "error: it belongs to user 64002, who can read and change it: run: chown 64001 ", "error: group 64012 can read it"},
		{0o444, mallory, passwords, "error: it belongs to user 64002", "error: everybody can read it"},
		{0o400, mallory, siteGroup, "error: permission denied", "warning: is there for user 64002"},
		{0o444, 0, 0, "error: everybody can read it (mode 0444): run: chown 64001 ", "error: everybody can read it (mode 0444): run: chmod 600 "},
		{0o644, site, siteGroup, "error: everybody can read it (mode 0644): run: chmod 600 ", "error: everybody can read it"},
		{0o604, site, siteGroup, "error: everybody can read it (mode 0604)", "error: everybody can read it"},
		{0o660, site, siteGroup, "error: group 64011 can write it (mode 0660): run: chmod 600 ", "error: group 64011 can write it"},
		{0o660, 0, 0, "error: permission denied", "error: group 0 (root) can write it (mode 0660)"},
		{0o620, site, students, "error: group 64013 can write it (mode 0620)", "error: group 64013 can write it"},
		{0o602, site, siteGroup, "error: everybody can write it (mode 0602)", "error: everybody can write it"},
		{0o666, site, siteGroup, "error: everybody can write it (mode 0666)", "error: everybody can write it"},
		{0o777, site, siteGroup, "error: everybody can write it (mode 0777)", "error: everybody can write it"},
	} {
		t.Run(fmt.Sprintf("%04o of %d and %d", tt.mode, tt.owner, tt.group), func(t *testing.T) {
			path := w.put(fmt.Sprint("secret", i), tt.mode, tt.owner, tt.group)
			w.expect(tt.site, w.read(path, site))
			w.expect(strings.ReplaceAll(tt.root, "PATH", path), w.read(path, 0))
			link := filepath.Join(w.dir, fmt.Sprint("link", i))
			require.NoError(t, os.Symlink(path, link))
			w.expect(tt.site, strings.ReplaceAll(w.read(link, site), link, path))
		})
	}
}

// TestACL: what the mode shows as the group's rights is the most that an entry grants. The first
// row is what LoadCredential of systemd makes.
func TestACL(t *testing.T) {
	const root = "warning: is there for user 64001 too: right if that is whom the site runs as"
	for i, tt := range []struct {
		name, entries string
		mode          fs.FileMode
		group         int
		want          string
		root          string // empty for want
	}{
		{"a credential of systemd", "u:64001:r", 0o400, 0, "fine", root},
		{"the site may write it", "u:64001:rw", 0o400, 0, "fine", root},
		{"a group of the site's", "g:64012:r", 0o400, 0, "fine", "error: group 64012 can read it"},
		{"somebody else", "u:64001:r,u:64002:r", 0o400, 0, "error: user 64002 can read it (mode 0440)", "error: user 64001, user 64002 can read it (mode 0440)"},
		{"somebody else may write it", "u:64001:r,u:64002:w", 0o400, 0, "error: user 64002 can write it (mode 0460)", ""},
		{"another group", "u:64001:r,g:64013:r", 0o400, 0, "error: group 64013 can read it (mode 0440)", ""},
		{"another group may write it", "u:64001:r,g:64013:rw", 0o400, 0, "error: group 64013 can write it (mode 0460)", ""},
		{"the file's own group", "u:64001:r", 0o440, students, "error: group 64013 can read it (mode 0440)", ""},
		{"the mask lets nobody write it", "u:64001:r,u:64002:rw,m::r", 0o400, 0, "error: user 64002 can read it (mode 0440)", "error: user 64001, user 64002 can read it"},
		{"the mask lets nobody else", "u:64002:rw,m::-", 0o444, 0, "error: everybody can read it (mode 0404)", ""},
		{"several", "u:64001:r,u:64002:r,g:64013:r", 0o400, 0, "error: user 64002, group 64013 can read it (mode 0440)", "error: user 64001, user 64002, group 64013 can"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			path := w.put(fmt.Sprint("secret", i), tt.mode, 0, tt.group)
			w.acl(tt.entries, path)
			w.expect(tt.want, w.read(path, site))
			if tt.root == "" {
				tt.root = tt.want
			}
			w.expect(tt.root, w.read(path, 0))
		})
	}
}

// TestPrivateDirectories: a file that anybody might read is used with a warning, if nobody gets
// there.
func TestPrivateDirectories(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mode  fs.FileMode // of the directory
		owner int
		group int
		acl   string
		file  fs.FileMode
		want  string
	}{
		{"of the site", 0o700, site, siteGroup, "", 0o644, "warning: may be read by everybody (mode 0644), and only DIR keeps them from it: run: chmod 600 "},
		{"of root and a group of the site's", 0o750, 0, passwords, "", 0o444, "warning: may be read by everybody (mode 0444), and only DIR"},
		{"of root and the site, by an entry", 0o500, 0, 0, "u:64001:rx", 0o444, "warning: may be read by everybody (mode 0444), and only DIR"},
		{"others see what is in it", 0o704, site, siteGroup, "", 0o444, "warning: may be read by everybody (mode 0444)"},
		{"others may pass", 0o701, site, siteGroup, "", 0o444, "error: everybody can read it (mode 0444)"},
		{"others may enter", 0o755, site, siteGroup, "", 0o444, "error: everybody can read it (mode 0444)"},
		{"another group may enter", 0o750, site, students, "", 0o444, "error: everybody can read it (mode 0444)"},
		{"somebody else may enter, by an entry", 0o700, site, siteGroup, "u:64002:x", 0o444, "error: everybody can read it (mode 0444)"},
		{"somebody else's", 0o750, mallory, siteGroup, "", 0o444, "error: everybody can read it (mode 0444)"},
		{"others may write it", 0o700, site, siteGroup, "", 0o666, "error: everybody can write it (mode 0666)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			dir := w.mkdir("private", tt.mode, tt.owner, tt.group)
			if tt.acl != "" {
				w.acl(tt.acl, dir)
			}
			w.mkdir("private/deep", 0o755, 0, 0)
			path := w.put("private/deep/secret", tt.file, site, siteGroup)
			w.expect(strings.ReplaceAll(tt.want, "DIR", dir), w.read(path, site))

			// Where the name is does not matter: the file's own directories do.
			public := w.put("public", tt.file, site, siteGroup)
			require.NoError(t, os.Symlink(public, filepath.Join(dir, "link")))
			assert.Contains(t, w.read(filepath.Join(dir, "link"), site), "error: everybody can ")
		})
	}
}

// TestMounts has what platforms mount, and what only looks like that.
func TestMounts(t *testing.T) {
	const onMount = "warning: may be read by everybody (mode 0444), on a mount where nobody can change that"
	tmpfs := func(w *world, options string) string {
		dir := w.mkdir("mount", 0o755, 0, 0)
		w.mount("tmpfs", dir, "tmpfs", 0, "mode=0755"+options)
		return dir
	}
	bound := func(w *world, path string) string {
		target := w.put("target", 0o644, 0, 0)
		w.mount(path, target, "", syscall.MS_BIND, "")
		return target
	}
	for _, tt := range []struct {
		name string
		make func(w *world) (path string)
		want string
	}{
		{"Docker, a service's secret", func(w *world) string {
			tmpfs(w, "")
			target := bound(w, w.put("mount/0a1b2c", 0o444, 0, 0))
			w.readOnly(target)
			return target
		}, onMount},
		{"Docker, a file of the machine", func(w *world) string {
			dir := tmpfs(w, "")
			target := w.put("mount/target", 0o644, 0, 0)
			w.mount(w.put("secret", 0o444, 0, 0), target, "", syscall.MS_BIND, "")
			w.readOnly(target)
			return filepath.Join(dir, "target")
		}, onMount},
		{"Kubernetes", func(w *world) string {
			dir := tmpfs(w, ",mode=1777")
			kubernetes(w, "mount", 0o644, 0, 0)
			w.readOnly(dir)
			return filepath.Join(dir, "secret")
		}, "warning: may be read by everybody (mode 0644), on a mount"},
		{"Kubernetes with fsGroup", func(w *world) string {
			dir := tmpfs(w, ",mode=1777")
			kubernetes(w, "mount", 0o440, 0, passwords)
			w.readOnly(dir)
			return filepath.Join(dir, "secret")
		}, "fine"},
		{"systemd's credentials", func(w *world) string {
			dir := tmpfs(w, "")
			path := w.put("mount/secret", 0o400, 0, 0)
			w.acl("u:64001:r", path)
			require.NoError(w.t, os.Chmod(dir, 0o500))
			w.acl("u:64001:rx", dir)
			w.readOnly(dir)
			return path
		}, "fine"},
		{"memory that can be written", func(w *world) string {
			tmpfs(w, "")
			return w.put("mount/secret", 0o444, 0, 0)
		}, "error: everybody can read it (mode 0444): run: "},
		{"read-only, writable by its mode", func(w *world) string {
			dir := tmpfs(w, "")
			path := w.put("mount/secret", 0o666, 0, 0)
			w.readOnly(dir)
			return path
		}, "error: everybody can write it (mode 0666)"},
		{"read-only, of somebody else", func(w *world) string {
			dir := tmpfs(w, "")
			path := w.put("mount/secret", 0o444, mallory, 0)
			w.readOnly(dir)
			return path
		}, "error: it belongs to user 64002"},
		{"a file of the same disk", func(w *world) string {
			target := bound(w, w.put("secret", 0o444, 0, 0))
			w.readOnly(target)
			return target
		}, "error: everybody can read it (mode 0444): run: "},
		{"a file system of its own, not in memory", func(w *world) string {
			lower := tmpfs(w, "")
			w.mkdir("mount/a", 0o755, 0, 0)
			w.mkdir("mount/b", 0o755, 0, 0)
			w.put("mount/a/secret", 0o444, 0, 0)
			dir := w.mkdir("disk", 0o755, 0, 0)
			w.mount("overlay", dir, "overlay", syscall.MS_RDONLY, "lowerdir="+lower+"/a:"+lower+"/b")
			return filepath.Join(dir, "secret")
		}, "error: everybody can read it (mode 0444): run: "},
		{"a disk that is read-only", func(w *world) string {
			dir := w.mkdir("disk", 0o755, 0, 0)
			w.mount(dir, dir, "", syscall.MS_BIND, "")
			path := w.put("disk/secret", 0o444, 0, 0)
			w.readOnly(dir)
			return path
		}, "error: everybody can read it (mode 0444): run: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.expect(tt.want, w.read(tt.make(w), site))
		})
	}
}

// kubernetes lays a secret out as a volume has it, to be swapped as a whole.
func kubernetes(w *world, volume string, mode fs.FileMode, uid, gid int) {
	w.t.Helper()
	w.mkdir(volume+"/..2026_11_30", 0o755, 0, gid)
	w.put(volume+"/..2026_11_30/secret", mode, uid, gid)
	require.NoError(w.t, os.Symlink("..2026_11_30", filepath.Join(w.dir, volume, "..data")))
	require.NoError(w.t, os.Symlink("..data/secret", filepath.Join(w.dir, volume, "secret")))
}

// A volume of Kubernetes is swapped by a link: the next reading has the new secret.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"..1": "old", "..2": "new"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "secret"), []byte(text), 0o600))
	}
	require.NoError(t, os.Symlink("..data/secret", filepath.Join(dir, "secret")))
	for name, text := range map[string]string{"..1": "old", "..2": "new"} {
		require.NoError(t, os.Symlink(name, filepath.Join(dir, "..tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
		file, err := secretfile.Read(filepath.Join(dir, "secret"), 1<<10)
		require.NoError(t, err)
		assert.Equal(t, text, string(file.Text))
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	_, err := secretfile.Read(path, 10)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotContains(t, err.Error(), dir, "it goes on from the name")
	_, err = secretfile.Read(dir, 10)
	require.EqualError(t, err, "it is not a regular file")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err = secretfile.Read(path, 10)
	require.EqualError(t, err, "it is not a regular file")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte(secret), 0o600))
	_, err = secretfile.Read(path, len(secret))
	require.NoError(t, err)
	_, err = secretfile.Read(path, len(secret)-1)
	require.ErrorContains(t, err, "it is larger than")
}

func TestCredential(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "credentials")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for name, text := range map[string]string{"credentials/key.pem": "k", "credentials/blank.pem": "\n", "outside": "o"} {
		require.NoError(t, os.WriteFile(filepath.Join(parent, name), []byte(text), 0o600))
	}
	for _, tt := range []struct{ dir, name, want string }{
		{dir, "key.pem", filepath.Join(dir, "key.pem")},
		{dir, "./key.pem", filepath.Join(dir, "key.pem")},
		{dir, "other.pem", ""},
		{dir, "blank.pem", ""},
		{dir, "", ""},
		{dir, "../outside", ""},
		{dir, filepath.Join(dir, "key.pem"), ""}, // is what it says anyway
		{"", "key.pem", ""},
		{"credentials", "key.pem", ""},
	} {
		t.Chdir(parent)
		t.Setenv("CREDENTIALS_DIRECTORY", tt.dir)
		assert.Equal(t, tt.want, secretfile.Credential(tt.name), "%+v", tt)
		if tt.want == "" {
			tt.want = tt.name
		}
		assert.Equal(t, tt.want, secretfile.Path(tt.name), "%+v", tt)
	}
}

// TestSharedMounts: what all programs of a machine share is no mount for this one alone, though
// systemd's ProtectSystem=strict shows it read-only.
func TestSharedMounts(t *testing.T) {
	w := newWorld(t)
	for mount, want := range map[string]string{
		"/run": "error: everybody can read it (mode 0444)", "/run/app": "warning: may be read by everybody (mode 0444), on a mount",
	} {
		cmd := exec.Command("unshare", "--mount", "sh", "-ec", `
			mount -t tmpfs -o mode=755 none /run
			mkdir -m 755 /run/app
			[ "$1" = /run ] || mount -t tmpfs -o mode=755 none "$1"
			printf '`+secret+`' > /run/app/secret
			chmod 444 /run/app/secret
			mount -o remount,bind,ro "$1"
			exec "$0"`, w.program, mount)
		cmd.Env = append(os.Environ(), readEnv+"=/run/app/secret")
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "unshare") || strings.Contains(string(out), "mount: ") {
			t.Skipf("nothing can be mounted here: %s", out)
		}
		require.NoError(t, err, "%s", out)
		w.expect(want, string(out))
	}
}
