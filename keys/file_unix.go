//go:build unix

package keys

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// openFlags keep os.OpenFile from waiting for somebody to write to a named pipe.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK

// checkMode refuses a file that others than its owner may write to.
func checkMode(mode fs.FileMode) error {
	if mode.Perm()&0o022 == 0 {
		return nil
	}
	return fmt.Errorf("others may write to the file (mode %04o), and so choose whom this site trusts: chmod go-w it, "+
		"after making sure that it still holds the right key", mode.Perm())
}

// checkLocation refuses a file that another user could have replaced: where it is named and, if that is a symbolic
// link, where the file itself lies.
func checkLocation(path string) error {
	final, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if err := checkEntry(path); err != nil {
		return err
	}
	return checkEntry(final)
}

func checkEntry(path string) error {
	name := filepath.Dir(path)
	dir, err := os.Stat(name)
	if err != nil {
		return err
	}
	if dir.Mode().Perm()&0o002 == 0 {
		return nil
	}
	if dir.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("everyone may write to its directory %s (mode %04o), and so choose whom this site trusts: "+
			"chmod o-w the directory, after making sure that it still holds the right keys", name, dir.Mode().Perm())
	}
	// In a sticky directory nobody can replace what is another's, but everybody can add files.
	entry, err := os.Lstat(path)
	if err != nil {
		return err
	}
	owner := ownerOf(entry)
	if owner == 0 || owner == os.Geteuid() || owner == ownerOf(dir) {
		return nil
	}
	return fmt.Errorf("everyone may add files to its directory %s, and this one belongs to user %d: "+
		"keep key files in a directory of their own", name, owner)
}

// ownerOf returns the numeric user id, -1 where the file system has none.
func ownerOf(info fs.FileInfo) int {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int(stat.Uid)
}
