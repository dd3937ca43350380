package site

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
)

// LoadSecret reads the site's secret from the file at path. If there is none
// it makes one with 256 random bits, readable by its owner only; its directory
// must exist. Processes that start together agree on one secret.
//
// Each line of the file is a secret of at least 256 bits in hexadecimal or
// base64, or of at least 32 characters of any other text; blank lines and lines
// that start with # are skipped. The first line seals, all of them open. Only
// printable ASCII counts as text; short lines, placeholders, repeated lines and
// lines with little variety are refused, and files of more than 16 KiB.
//
// The file must be a regular one, or a symbolic link to one, that only those can read or write
// whom [ReadSecretFile] allows. A relative name is looked for as there.
//
// An error names the file and what to do about it, and never shows what the
// file holds.
func LoadSecret(path string) (*Secret, error) {
	secret, _, err := loadSecret(path)
	return secret, err
}

// loadSecret returns a warning as well, about who can read the file.
func loadSecret(path string) (secret *Secret, warning string, err error) {
	if path == "" {
		return nil, "", errors.New("site: no secret file is named: name one, it is made if there is none")
	}
	path = secretfile.Path(path)
	file, err := secretfile.Read(path, maxSecretSize)
	if errors.Is(err, fs.ErrNotExist) {
		if err = createSecret(path); err == nil {
			file, err = secretfile.Read(path, maxSecretSize)
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("site: secret file %s: %v", path, err)
	}
	lines, err := parseLines(string(file.Text))
	if err != nil {
		return nil, "", fmt.Errorf("site: secret file %s: %v", path, err)
	}
	if file.Warning != "" {
		warning = path + " " + file.Warning
	}
	return newSecret(lines), warning, nil
}

// ReadSecretFile returns what a file holds that must stay secret, such as the password of
// another service, without the line breaks at its end. log gets a warning where the file is used
// although others could read it; nil means slog.Default().
//
// Only root and the process's own user may be able to write the file, and nobody to read it but
// they and groups that root or the process are in: by its mode and, on Linux, its access control
// list. So it can be a credential of systemd (LoadCredential=), or a secret that Kubernetes gives
// a group (defaultMode 0440 with fsGroup). Where others may read it as well, it is used with a
// warning if a directory keeps them from it, or if it was mounted read-only for this process as
// Docker and Kubernetes do by default (0444, 0644); else it is refused. On Windows, which has no
// such bits, access is not examined.
//
// A relative name that is there below $CREDENTIALS_DIRECTORY, which systemd sets, is that file;
// else it begins at the working directory.
func ReadSecretFile(path string, log *slog.Logger) (string, error) {
	path = secretfile.Path(path)
	file, err := secretfile.Read(path, maxSecretSize)
	if err != nil {
		return "", fmt.Errorf("site: secret file %s: %w", path, err)
	}
	if file.Warning != "" {
		cmp.Or(log, slog.Default()).Warn("site: secret file " + path + " " + file.Warning)
	}
	return strings.TrimRight(string(file.Text), "\r\n"), nil
}

// createSecret makes the file whole or not at all, and leaves alone one that
// another process made at the same moment.
func createSecret(path string) error {
	if err := mayCreate(path); err != nil {
		return err
	}
	if err := secretfile.Create(path, newLine()+"\n"); err != nil && !errors.Is(err, fs.ErrExist) {
		return cannotMake(path, err)
	}
	return nil
}

// mayCreate returns what is known to be in the way of making the file.
func mayCreate(path string) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return errors.New("it is a symbolic link to a file that does not exist: remove the link, or make that file with: (umask 077; openssl rand -base64 48 > FILE)")
	}
	switch dir := filepath.Dir(path); {
	case !exists(dir):
		return fmt.Errorf("its directory does not exist: make %s first, for the user that the site runs as", dir)
	case secretfile.IsReadOnly(dir):
		return fmt.Errorf("there is none, and %s is mounted read-only: if a platform is to put it there, look at its name there "+
			"(LoadCredential= of systemd, secrets: of Docker, items: of Kubernetes); else name a file that the program may make", dir)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// newLine makes a secret of 256 random bits. It tries again in the rare case
// that its own rules refuse it: random letters can spell a placeholder.
func newLine() string {
	for {
		var bits [32]byte
		rand.Read(bits[:])
		line := base64.RawURLEncoding.EncodeToString(bits[:])
		if checkLine(line) == nil {
			return line
		}
	}
}

func cannotMake(path string, err error) error {
	return fmt.Errorf("it cannot be made here (%v): make it with: (umask 077; openssl rand -base64 48 > %s)", secretfile.Cause(err), path)
}
