// Package secretfile reads files that hold a secret: that of a site, the key of a certificate,
// passwords of other services. There is one rule for all of them, and one text where it is
// broken.
//
// A file may be read by root, by the process's own user and by groups that root or the process
// are in: by its mode and, on Linux, by its access control list. So it can come from systemd's
// LoadCredential (0400 with an entry for the user, which shows as 0440) and, with fsGroup, from
// Kubernetes (0440). Nobody but root and the process's user may write it. Where that is root,
// which may only be checking what another user will run, one more user may have the file, with
// a warning.
//
// If others may read it, it is used all the same, with a warning, where they cannot get at it:
// below a directory that keeps them out, or where a platform has mounted it read-only for the
// process and nobody there could change its mode, as Docker (0444) and Kubernetes (0644) do.
// Elsewhere it is refused.
package secretfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is a file that may be used.
type File struct {
	Text []byte
	// Warning says who can read it that should not, and what to do; empty if nobody. It goes
	// on from the file's name.
	Warning string
}

// Read returns a file of at most limit bytes. Symbolic links are followed. Its errors go on
// from the file's name and ": ", and never show what the file holds; that of a file that is
// not there is [fs.ErrNotExist].
func Read(path string, limit int) (*File, error) {
	// To open a pipe would wait for its writer, so look first.
	info, err := os.Stat(path)
	if err != nil {
		return nil, Cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(err)
	}
	defer f.Close()
	warning, err := check(f, path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	switch {
	case err != nil:
		return nil, Cause(err)
	case len(text) > limit:
		return nil, fmt.Errorf("it is larger than %d KiB: is it the right file?", limit>>10)
	}
	return &File{text, warning}, nil
}

// Cause is err without the path that package os puts in front of it.
func Cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
