package keys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// LoadFile reads a key file whose name has the kid: pubkeyN, the name that Apache's mod_ucam_webauth uses, or
// pubkeyN.crt or pubkeyN.pem. [LoadFileAs] takes files of other names; [Parse] says what a file may hold.
//
// It wants a regular file of at most 64 KiB, to which symbolic links may lead. On Unix it refuses a file that anybody
// could have chosen: one that its group or everyone may write to, and one that lies, or is linked to, in a directory where
// everyone may write, unless the directory is sticky (as /tmp is) and the entry belongs to root, to the directory's owner
// or to the user who runs the program. Directories further up are not checked, and on other systems none of this is.
//
// Every error names the file and the reason.
func LoadFile(path string) (Key, error) {
	kid, ok := kidOfFile(filepath.Base(path))
	if !ok {
		return Key{}, fmt.Errorf("keys: %s: the file's name gives no key id: "+
			"call it pubkeyN, pubkeyN.crt or pubkeyN.pem, where N is the kid that the service signs under", path)
	}
	return LoadFileAs(kid, path)
}

// LoadFileAs is [LoadFile] for a file of any name, with the kid that the service signs under.
func LoadFileAs(kid, path string) (Key, error) {
	data, err := readFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("keys: %s: %w", path, cause(err))
	}
	key, err := parse(kid, data)
	if err != nil {
		return Key{}, fmt.Errorf("keys: %s: %w", path, err)
	}
	key.source = path
	return key, nil
}

// kidOfFile returns the kid in a key file's name.
func kidOfFile(name string) (kid string, ok bool) {
	kid, ok = strings.CutPrefix(name, "pubkey")
	if ext := filepath.Ext(kid); ext == ".crt" || ext == ".pem" {
		kid = strings.TrimSuffix(kid, ext)
	}
	return kid, ok && ValidKid(kid)
}

// readFile returns at most one byte more than a key file may have: parse refuses that.
func readFile(path string) ([]byte, error) {
	if err := checkLocation(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// What was opened is what gets checked: the name may lead elsewhere by now.
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if err := checkMode(info.Mode()); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxFileSize+1))
}

// cause strips the operation and path from an error of package os: our errors begin with the path.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
