//go:build unix

package site_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// loadDirEnv makes the test binary a process that loads the secrets of that
// directory, for TestLoadSecretInTwoProcesses.
const loadDirEnv = "SITE_TEST_LOAD_DIR"

const racedSecrets = 40

func TestMain(m *testing.M) {
	if dir := os.Getenv(loadDirEnv); dir != "" {
		os.Exit(loadAll(dir))
	}
	os.Exit(m.Run())
}

// loadAll waits for the end of standard input, so that both processes start at
// once, and prints a key of each secret.
func loadAll(dir string) int {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := range racedSecrets {
		secret, err := site.LoadSecret(filepath.Join(dir, fmt.Sprint("secret", i)))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Printf("%x\n", secret.Derive("test"))
	}
	return 0
}

func TestLoadSecretMakesOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	made, err := site.LoadSecret(path)
	require.NoError(t, err)

	info, err := os.Lstat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	line, found := strings.CutSuffix(string(text), "\n")
	assert.True(t, found, "no newline at the end")
	random, err := base64.RawURLEncoding.Strict().DecodeString(line)
	require.NoError(t, err)
	assert.Len(t, random, 32)

	again, err := site.LoadSecret(path)
	require.NoError(t, err)
	assert.Equal(t, made.Derive("test"), again.Derive("test"))
	assertOnly(t, filepath.Dir(path), "secret")

	other, err := site.LoadSecret(filepath.Join(t.TempDir(), "secret"))
	require.NoError(t, err)
	assert.NotEqual(t, made.Derive("test"), other.Derive("test"))
}

func TestLoadSecretRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	old, err := site.LoadSecret(path)
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("# new\n"+hexLine+"\n# old\n"+string(text)), 0o600))

	rotated, err := site.LoadSecret(path)
	require.NoError(t, err)
	keys := rotated.Derive("test")
	require.Len(t, keys, 2)
	fresh, err := site.ParseSecret(hexLine)
	require.NoError(t, err)
	assert.Equal(t, fresh.Derive("test")[0], keys[0], "the first seals")
	assert.Equal(t, old.Derive("test")[0], keys[1], "the old one still opens")
}

// TestLoadSecretPermissions is the rule of secretfile in short, in a directory that anybody may
// enter; its own tests have the rest.
func TestLoadSecretPermissions(t *testing.T) {
	public := publicDir(t)
	tests := []struct {
		mode fs.FileMode
		ok   bool
	}{
		{0o600, true}, {0o400, true}, {0o700, true}, {0o640, true}, {0o440, true},
		{0o620, false}, {0o604, false}, {0o602, false}, {0o644, false}, {0o444, false},
		{0o660, false}, {0o666, false}, {0o777, false},
	}
	for _, tt := range tests {
		for _, linked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%04o linked %v", tt.mode, linked), func(t *testing.T) {
				path := filepath.Join(public, fmt.Sprintf("secret-%o-%v", tt.mode, linked))
				require.NoError(t, os.WriteFile(path, []byte(base64Line), 0o600))
				require.NoError(t, os.Chmod(path, tt.mode))
				if linked {
					link := filepath.Join(t.TempDir(), "link")
					require.NoError(t, os.Symlink(path, link))
					path = link
				}
				secret, err := site.LoadSecret(path)
				if tt.ok {
					require.NoError(t, err)
					assert.Len(t, secret.Derive("test"), 1)
					return
				}
				require.Error(t, err)
				assert.Nil(t, secret)
				assert.Contains(t, err.Error(), "chmod 600 "+path)
				assert.Contains(t, err.Error(), fmt.Sprintf("mode %04o", tt.mode))
			})
		}
	}
}

// publicDir is a directory that anybody may enter, as no directory of t.TempDir is.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "site-test")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// A file that others could read, but for a directory, is used with a warning, in the log and in
// what Check finds.
func TestSecretFileWarns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(base64Line), 0o600))
	for mode, warns := range map[fs.FileMode]bool{0o600: false, 0o444: true, 0o644: true} {
		require.NoError(t, os.Chmod(path, mode))
		var log bytes.Buffer
		cfg := site.Config{BaseURL: "https://soc.example", SecretFile: path, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		const text = "may be read by everybody"
		assert.Equal(t, warns, slices.ContainsFunc(site.Check(cfg), func(f site.Finding) bool {
			return f.Severity == site.SeverityWarning && f.Key == "SecretFile" && strings.Contains(f.Text, path+" "+text)
		}), "%04o", mode)
		assert.Empty(t, log.String())
		s, err := site.New(cfg)
		require.NoError(t, err)
		assert.Equal(t, warns, strings.Contains(log.String(), text), "%04o: %s", mode, log.String())
		log.Reset()
		require.NoError(t, s.ReloadSecret())
		assert.Equal(t, warns, strings.Contains(log.String(), text), "%04o: %s", mode, log.String())
		assert.NotContains(t, log.String(), base64Line)
	}
}

// TestCredentials: relative names are those of systemd's credentials, where there is such a one.
func TestCredentials(t *testing.T) {
	credentials, here := t.TempDir(), t.TempDir()
	t.Chdir(here)
	require.NoError(t, os.WriteFile(filepath.Join(credentials, "secret"), []byte(base64Line), 0o600))
	derived := func(name string) [][]byte {
		secret, err := site.LoadSecret(name)
		require.NoError(t, err)
		s, err := site.New(site.Config{BaseURL: "https://soc.example", SecretFile: name})
		require.NoError(t, err)
		require.NoError(t, s.OnSecret(func(own *site.Secret) error {
			assert.Equal(t, secret.Derive("test"), own.Derive("test"))
			return nil
		}))
		return secret.Derive("test")
	}
	loaded, err := site.ParseSecret(base64Line)
	require.NoError(t, err)
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	assert.Equal(t, loaded.Derive("test"), derived("secret"))
	assertOnly(t, here)
	other := derived("other") // no credential: a file of the working directory, made as ever
	assert.NotEqual(t, loaded.Derive("test"), other)
	assertOnly(t, here, "other")
	assertOnly(t, credentials, "secret")
	require.NoError(t, os.Rename(filepath.Join(credentials, "secret"), filepath.Join(here, "..", "elsewhere")))
	assert.Equal(t, loaded.Derive("test"), derived(filepath.Join(here, "..", "elsewhere")))

	t.Setenv("CREDENTIALS_DIRECTORY", "relative")
	assert.NotEqual(t, loaded.Derive("test"), derived("secret"))

	text, err := site.ReadSecretFile("other", nil)
	require.NoError(t, err)
	assert.Len(t, text, 43)
	_, err = site.ReadSecretFile("nowhere", nil)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoFileExists(t, "nowhere")
}

func TestLoadSecretRefuses(t *testing.T) {
	write := func(text string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
	}
	tests := []struct {
		name  string
		setUp func(t *testing.T, path string)
		want  string
	}{
		{"an empty file", write(""), "holds no secret; make one with: openssl"},
		{"a placeholder", write("# secret\nchange me\n"), "line 2 is a placeholder"},
		{"a short line", write("Tr0ub4dor&3"), "line 1 is too short"},
		{"a large file", write(strings.Repeat(base64Line+"\n", 400)), "larger than 16 KiB"},
		{"a directory", func(t *testing.T, path string) {
			require.NoError(t, os.Mkdir(path, 0o700))
		}, "not a regular file"},
		{"a pipe", func(t *testing.T, path string) {
			require.NoError(t, syscall.Mkfifo(path, 0o600))
		}, "not a regular file"},
		{"a link to a directory", func(t *testing.T, path string) {
			require.NoError(t, os.Symlink(t.TempDir(), path))
		}, "not a regular file"},
		{"a link to nothing", func(t *testing.T, path string) {
			require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "gone"), path))
		}, "symbolic link to a file that does not exist"},
		{"a link to itself", func(t *testing.T, path string) {
			require.NoError(t, os.Symlink(path, path))
		}, "too many levels of symbolic links"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			tt.setUp(t, path)
			secret, err := site.LoadSecret(path)
			require.Error(t, err)
			assert.Nil(t, secret)
			assert.True(t, strings.HasPrefix(err.Error(), "site: secret file "+path+": "), err)
			assert.Contains(t, err.Error(), tt.want)
			assert.NotContains(t, err.Error(), base64Line)
			assertOnly(t, filepath.Dir(path), "secret")
		})
	}
}

func TestLoadSecretWithoutDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "soc")
	_, err := site.LoadSecret(filepath.Join(dir, "secret"))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "its directory does not exist: make "+dir+" first")
	assert.NoDirExists(t, dir)
}

func TestLoadSecretWithoutPath(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := site.LoadSecret("")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "no secret file is named")
	assertOnly(t, ".")
}

// The kernel's own process directory takes no new files, even from root.
func TestLoadSecretWhereNoneCanBeMade(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("there is no /proc to write to in vain")
	}
	_, err := site.LoadSecret("/proc/self/secret")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "site: secret file /proc/self/secret: it cannot be made here")
	assert.Contains(t, err.Error(), "openssl rand -base64 48 > /proc/self/secret")
}

func TestLoadSecretConcurrently(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "secret")
		var keys [16][][]byte
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				<-start
				secret, err := site.LoadSecret(path)
				if assert.NoError(t, err) {
					keys[i] = secret.Derive("test")
				}
			})
		}
		close(start)
		wg.Wait()
		require.Len(t, keys[0], 1)
		for _, key := range keys[1:] {
			assert.Equal(t, keys[0], key)
		}
		assertOnly(t, filepath.Dir(path), "secret")
	}
}

func TestLoadSecretInTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	type process struct {
		cmd   *exec.Cmd
		start io.Closer
		out   strings.Builder
	}
	var processes [2]process
	for i := range processes {
		p := &processes[i]
		p.cmd = exec.Command(os.Args[0])
		p.cmd.Env = append(os.Environ(), loadDirEnv+"="+dir)
		p.cmd.Stdout = &p.out
		p.cmd.Stderr = os.Stderr
		stdin, err := p.cmd.StdinPipe()
		require.NoError(t, err)
		p.start = stdin
		require.NoError(t, p.cmd.Start())
	}
	for i := range processes {
		require.NoError(t, processes[i].start.Close())
	}
	for i := range processes {
		require.NoError(t, processes[i].cmd.Wait())
	}
	assert.Equal(t, racedSecrets, strings.Count(processes[0].out.String(), "\n"))
	assert.Equal(t, processes[0].out.String(), processes[1].out.String())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, racedSecrets, "temporary files are left behind")
}

func assertOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	assert.Equal(t, want, names)
}
