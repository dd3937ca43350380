package site

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says how bad a [Finding] is.
type Severity string

// The severities, the worst first.
const (
	SeverityError   Severity = "error"   // New refuses it
	SeverityWarning Severity = "warning" // it weakens the site
	SeverityNote    Severity = "note"    // worth knowing
)

// Finding is something weak or wrong about a configuration, of this package's or of another
// that takes a [Site].
type Finding struct {
	Severity Severity
	Key      string // the field, such as "Headers.HSTS", or the key in a file; empty for several
	Place    string // file:line:column where the configuration was read from a file
	Text     string // what it means and what to do; it may go on from Key, as in "is missing"
}

// String returns the finding on one line.
func (f Finding) String() string {
	line := string(f.Severity) + ": " + f.sentence("")
	if f.Place != "" {
		line = f.Place + ": " + line
	}
	return line
}

// sentence returns key and text, the key with something in front.
func (f Finding) sentence(before string) string {
	between := ": "
	if verb, _, _ := strings.Cut(f.Text, " "); verb == "is" || verb == "holds" || verb == "contradicts" {
		between = " "
	}
	if f.Key == "" {
		before, between = strings.TrimSuffix(before, "."), ": "
		if before == "" {
			between = ""
		}
	}
	return before + f.Key + between + f.Text
}

// Findings are all that was found about a configuration.
type Findings []Finding

// Errorf adds something that is wrong.
func (fs *Findings) Errorf(key, format string, args ...any) {
	*fs = append(*fs, Finding{Severity: SeverityError, Key: key, Text: fmt.Sprintf(format, args...)})
}

// Warnf adds something that weakens the site.
func (fs *Findings) Warnf(key, format string, args ...any) {
	*fs = append(*fs, Finding{Severity: SeverityWarning, Key: key, Text: fmt.Sprintf(format, args...)})
}

// Notef adds something worth knowing.
func (fs *Findings) Notef(key, format string, args ...any) {
	*fs = append(*fs, Finding{Severity: SeverityNote, Key: key, Text: fmt.Sprintf(format, args...)})
}

// Sorted sorts the findings in place, the worst first, and returns them.
func (fs Findings) Sorted() []Finding {
	order := []Severity{SeverityError, SeverityWarning, SeverityNote}
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return slices.Index(order, a.Severity) - slices.Index(order, b.Severity)
	})
	return fs
}

// Err returns what is wrong as a [ConfigError], nil if nothing is. Before stands before the
// keys in its text, such as "site: Config.".
func (fs Findings) Err(before string) error {
	e := &ConfigError{before: before}
	for _, f := range fs {
		if f.Severity == SeverityError {
			e.Findings = append(e.Findings, f)
		}
	}
	if e.Findings == nil {
		return nil
	}
	return e
}

// ConfigError is the error of site.New, glue.New and of package gateway for a configuration
// that they refuse. Its text has a line for each thing that is wrong.
type ConfigError struct {
	Findings []Finding // of SeverityError
	before   string
}

func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.sentence(e.before)
		if f.Place != "" {
			lines[i] = f.Place + ": " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}
