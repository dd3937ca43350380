package site

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
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
// The file must be a regular one, or a symbolic link to one, that neither
// group nor others can read or write; on Windows, which has no such bits,
// access is not examined. Where a platform insists on handing secrets out in
// files that a group can read, read the file yourself and use [ParseSecret].
//
// An error names the file and what to do about it, and never shows what the
// file holds.
func LoadSecret(path string) (*Secret, error) {
	if path == "" {
		return nil, errors.New("site: no secret file is named: name one, it is made if there is none")
	}
	text, err := readSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = createSecret(path); err == nil {
			text, err = readSecret(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("site: secret file %s: %v", path, err)
	}
	lines, err := parseLines(text)
	if err != nil {
		return nil, fmt.Errorf("site: secret file %s: %v", path, err)
	}
	return newSecret(lines), nil
}

// readSecret returns what the file holds if nobody but its owner can have read
// or written it.
func readSecret(path string) (string, error) {
	// To open a pipe would wait for its writer, so look first.
	info, err := os.Stat(path)
	if err != nil {
		return "", cause(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file: name a file, it is made if there is none")
	}
	file, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer file.Close()
	if err := checkAccess(file); err != nil {
		return "", err
	}
	// One byte more than allowed, so that parseLines sees that it is too large.
	text, err := io.ReadAll(io.LimitReader(file, maxSecretSize+1))
	if err != nil {
		return "", cause(err)
	}
	return string(text), nil
}

// checkAccess looks at the open file, so that what is checked is what is read.
func checkAccess(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return cause(err)
	}
	mode := info.Mode()
	if !mode.IsRegular() {
		return errors.New("it is not a regular file any more")
	}
	if mode.Perm()&0o066 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("group or others can read or write it (mode %04o): run: chmod 600 %s; if they may have done so, replace what it holds", mode.Perm(), file.Name())
	}
	return nil
}

// createSecret makes the file whole or not at all, and leaves alone one that
// another process made at the same moment.
func createSecret(path string) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return errors.New("it is a symbolic link to a file that does not exist: remove the link, or make that file with: (umask 077; openssl rand -base64 48 > FILE)")
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("its directory does not exist: make %s first, for the user that the site runs as", dir)
	}
	// os.CreateTemp opens with O_EXCL and mode 0600.
	temp, err := os.CreateTemp(dir, ".secret-*")
	if err != nil {
		return cannotMake(path, err)
	}
	// Once linked, the file lives on under its proper name.
	defer os.Remove(temp.Name())
	if err := fill(temp, newLine()+"\n"); err != nil {
		return cannotMake(path, err)
	}
	// Unlike a rename, a link never replaces what is there.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return cannotMake(path, err)
	}
	return nil
}

// fill writes text to file and closes it, with all of it on the disk: a secret
// lost in a power cut logs everybody out, and an empty file stops the site.
func fill(file *os.File, text string) error {
	_, writeErr := io.WriteString(file, text)
	return errors.Join(writeErr, file.Sync(), file.Close())
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
	return fmt.Errorf("it cannot be made here (%v): make it with: (umask 077; openssl rand -base64 48 > %s)", cause(err), path)
}

// cause is err without the path that package os puts in front of it.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
