package config

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Placed returns findings with the places of their keys, in the order of the file. Those of a
// nil File have none, and stay in the order in which they were found.
func (f *File) Placed(found site.Findings) site.Findings {
	if f == nil {
		return found
	}
	slices.SortStableFunc(found, func(a, b site.Finding) int {
		at, after := f.position(a.Key), f.position(b.Key)
		return cmp.Or(at.Line-after.Line, at.Column-after.Column)
	})
	for i := range found {
		found[i].Place = f.place(f.position(found[i].Key))
	}
	return found
}

// Err returns what is wrong among findings, in the order of the file; nil if nothing is.
func (f *File) Err(found site.Findings) error { return f.Placed(found).Err("") }

// Errorf returns an error about a key, with its place in the file.
func (f *File) Errorf(key, format string, args ...any) error {
	var found site.Findings
	found.Errorf(key, format, args...)
	return f.Err(found)
}

// errorAt returns an error about the file as a whole.
func (f *File) errorAt(at Position, text string) error {
	return site.Findings{{Severity: site.SeverityError, Place: f.place(at), Text: text}}.Err("")
}

func (f *File) place(at Position) string { return fmt.Sprintf("%s:%d:%d", f.name, at.Line, at.Column) }
