// Package config reads configuration files in TOML into a struct, and knows where in the
// file each key stands.
package config

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/textfile"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// maxFile is the largest configuration file that is read, in bytes.
const maxFile = 1 << 20

// File is a configuration file that has been read. A nil File is none: of a configuration
// that a program has filled in.
type File struct {
	name      string // as it was called
	dir       string // absolute
	positions map[string]Position
	refused   map[string]bool // keys whose values could not be stored
}

// Position is where something stands in a file. Both count from 1, columns in bytes.
type Position struct{ Line, Column int }

// Read reads a file into the struct that into points to. It reports every key that means
// nothing there and every value that cannot be stored; err is about the file as a whole. A
// file that is cut short is refused, and one that is no TOML, about which nothing else can
// be said. What the values of types that unmarshal themselves look like is in words.
func Read(path string, into any, words map[reflect.Type]string) (f *File, found site.Findings, err error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, found, err
	}
	f = &File{name: path, dir: filepath.Dir(whole), refused: map[string]bool{}}
	document, err := textfile.Read(path, maxFile)
	if errors.Is(err, textfile.ErrCut) {
		return nil, found, f.errorAt(Position{bytes.Count(document, []byte{'\n'}) + 1, 1}, textfile.ErrCut.Error())
	}
	if err != nil {
		return nil, found, err
	}
	document = bytes.TrimPrefix(document, []byte("\ufeff")) // some editors begin files so
	var tree map[string]any
	if err := toml.Unmarshal(document, &tree); err != nil {
		return nil, found, f.syntaxError(err)
	}
	f.positions = locate(document)
	d := decoder{file: f, whole: reflect.TypeOf(into).Elem(), words: words}
	d.table(tree, reflect.ValueOf(into).Elem(), "")
	return f, d.found, nil
}

func (f *File) syntaxError(err error) error {
	if at := (*toml.DecodeError)(nil); errors.As(err, &at) {
		line, column := at.Position()
		return f.errorAt(Position{line, column}, "this is not TOML: "+at.Error())
	}
	return f.errorAt(Position{1, 1}, err.Error())
}

// Refused reports whether the value of a key could not be stored: it looks as if it were
// missing.
func (f *File) Refused(key string) bool { return f.refused[key] }

// position returns that of a key, or of what would hold it if it were there.
func (f *File) position(key string) Position {
	for key != "" {
		if p, ok := f.positions[key]; ok {
			return p
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return Position{1, 1}
}

// Name returns the file's absolute path; "" for a nil File.
func (f *File) Name() string {
	if f == nil {
		return ""
	}
	return filepath.Join(f.dir, filepath.Base(f.name))
}

// Path returns a path that begins at the file's directory unless it is absolute.
func (f *File) Path(path string) string {
	if path == "" || filepath.IsAbs(path) || f == nil {
		return path
	}
	return filepath.Join(f.dir, path)
}
