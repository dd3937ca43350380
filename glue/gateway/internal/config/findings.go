package config

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Findings are what is found about a configuration, each with its place in the file.
type Findings struct {
	File  *File
	found []located
}

type located struct {
	site.Finding
	at Position
}

// Errorf adds something that is wrong at a key.
func (fs *Findings) Errorf(key, format string, args ...any) {
	fs.Add(site.Finding{Severity: site.SeverityError, Key: key, Text: fmt.Sprintf(format, args...)})
}

// Warnf adds something that weakens the site.
func (fs *Findings) Warnf(key, format string, args ...any) {
	fs.Add(site.Finding{Severity: site.SeverityWarning, Key: key, Text: fmt.Sprintf(format, args...)})
}

// Notef adds something worth knowing.
func (fs *Findings) Notef(key, format string, args ...any) {
	fs.Add(site.Finding{Severity: site.SeverityNote, Key: key, Text: fmt.Sprintf(format, args...)})
}

// Add adds findings, and where their keys stand in the file.
func (fs *Findings) Add(found ...site.Finding) {
	for _, f := range found {
		fs.addAt(fs.File.position(f.Key), f)
	}
}

func (fs *Findings) addAt(at Position, f site.Finding) {
	if fs.File != nil {
		f.Place = fmt.Sprintf("%s:%d:%d", fs.File.name, at.Line, at.Column)
	}
	fs.found = append(fs.found, located{f, at})
}

// Sorted returns all of them, the worst first, and those that are as bad in the order of the
// file.
func (fs *Findings) Sorted() []site.Finding {
	slices.SortStableFunc(fs.found, func(a, b located) int {
		return cmp.Or(a.at.Line-b.at.Line, a.at.Column-b.at.Column)
	})
	var sorted site.Findings
	for _, f := range fs.found {
		sorted = append(sorted, f.Finding)
	}
	return sorted.Sorted()
}

// Err returns what is wrong, in the order of the file; nil if nothing is.
func (fs *Findings) Err() error { return site.Findings(fs.Sorted()).Err("") }

// Errorf returns an error about a key, with its place in the file.
func (f *File) Errorf(key, format string, args ...any) error {
	fs := Findings{File: f}
	fs.Errorf(key, format, args...)
	return fs.Err()
}
