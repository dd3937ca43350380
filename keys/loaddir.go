package keys

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LoadDir reads all key files of a directory, as [LoadFile] does, once. [OpenDir] is for a directory that is to change
// while the program runs.
//
// A kid's key may lie in pubkeyN, pubkeyN.crt and pubkeyN.pem; where there are several, as operators like to keep the key
// beside its certificate, all must hold the same key. Files of other names are not read; [Set.Skipped] lists them.
//
// One file that is refused fails the whole directory. The error names every such file, so that all can be mended at
// once. A directory without key files is an error.
func LoadDir(dir string) (*Set, error) {
	d, err := OpenDir(dir)
	if err != nil {
		return nil, err
	}
	return d.last.Load().set, nil
}

// keyFiles are the paths of a directory's key files, by kid.
type keyFiles map[string][]string

func listDir(dir string) (files keyFiles, skipped []string, err error) {
	if dir == "" {
		return nil, nil, errors.New("keys: no directory of key files given")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %s: %w", dir, cause(err))
	}
	files = keyFiles{}
	for _, entry := range entries {
		name := entry.Name()
		if kid, ok := kidOfFile(name); ok {
			files[kid] = append(files[kid], filepath.Join(dir, name))
		} else if !strings.HasPrefix(name, ".") {
			skipped = append(skipped, name)
		}
	}
	return files, skipped, nil
}

// kids returns the kids in ascending order.
func (f keyFiles) kids() []string {
	return slices.SortedFunc(maps.Keys(f), compareKids)
}

// load reads the key of one kid from all its files.
func (f keyFiles) load(kid string) (Key, error) {
	var key Key
	var problems []error
	for _, path := range f[kid] {
		next, err := LoadFileAs(kid, path)
		switch {
		case err != nil:
			problems = append(problems, err)
		case key.pub == nil:
			key = next
		case !key.Equal(next):
			problems = append(problems, fmt.Errorf("keys: %s and %s hold different keys: keep the one that is right",
				key.source, path))
		}
	}
	if len(problems) > 0 {
		return Key{}, errors.Join(problems...)
	}
	return key, nil
}
