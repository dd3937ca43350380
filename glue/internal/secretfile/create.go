package secretfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Create makes a file with mode 0600 whole or not at all, and leaves alone one that is there: the
// error is then [fs.ErrExist]. It is on the disk when Create returns.
func Create(path, text string) error {
	// os.CreateTemp opens with O_EXCL and mode 0600.
	temp, err := os.CreateTemp(filepath.Dir(path), ".secret-*")
	if err != nil {
		return err
	}
	// Once linked, the file lives on under its proper name.
	defer os.Remove(temp.Name())
	if err := fill(temp, text); err != nil {
		return err
	}
	// Unlike a rename, a link never replaces what is there.
	if err := os.Link(temp.Name(), path); errors.Is(err, fs.ErrExist) {
		return fs.ErrExist
	} else if err != nil {
		return err
	}
	return nil
}

// fill writes text to file and closes it, with all of it on the disk: a secret
// lost in a power cut logs everybody out, and an empty file stops the site.
func fill(file *os.File, text string) error {
	_, writeErr := io.WriteString(file, text)
	return errors.Join(writeErr, file.Sync(), file.Close())
}
