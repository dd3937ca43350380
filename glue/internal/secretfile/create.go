package secretfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// CreateForOwner is Create for a program that runs as whoever the file's directory belongs to:
// where root makes the file, at a command line, it is theirs too.
func CreateForOwner(path, text string) error { return create(path, text, adopt) }

// Create makes a file with mode 0600 whole or not at all, and leaves alone one that is there: the
// error is then [fs.ErrExist]. It is on the disk when Create returns.
func Create(path, text string) error {
	return create(path, text, func(*os.File, string) error { return nil })
}

func create(path, text string, adopt func(f *os.File, dir string) error) error {
	// os.CreateTemp opens with O_EXCL and mode 0600.
	temp, err := os.CreateTemp(filepath.Dir(path), ".secret-*")
	if err != nil {
		return err
	}
	// Once linked, the file lives on under its proper name.
	defer os.Remove(temp.Name())
	if err := adopt(temp, filepath.Dir(path)); err != nil {
		temp.Close()
		return err
	}
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
