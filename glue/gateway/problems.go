package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a configuration.
type Problem struct {
	// File, Line and Column say where it is, in bytes from 1. They are empty and 0 in a
	// Config that Load has not read.
	File         string
	Line, Column int
	// Key is the path of the value: "rule[2].to" is that of the second rule. It is empty
	// for the file as a whole.
	Key string
	// Text says what is wrong and what to do.
	Text string
}

func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems are all mistakes of a configuration, in the order of the file. Load, New and
// Gateway.Reload give them as their error.
type Problems []*Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each of them to errors.As.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// sorted gives the problems in the order of the file, as an error: nil for none.
func (ps Problems) sorted() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b *Problem) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	return ps
}

// source is the file that a configuration was read from.
type source struct {
	file   string           // as it was called
	dir    string           // absolute
	places map[string]place // by key
}

// place is a position in a file; both count from 1, columns in bytes.
type place struct{ line, column int }

// find gives the place of a key, or of what would hold it if it were there.
func (s *source) find(key string) place {
	for key != "" {
		if p, ok := s.places[key]; ok {
			return p
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return place{1, 1}
}

// problem is a mistake at a key, with its place if the configuration is from a file.
func (c *Config) problem(key, format string, args ...any) *Problem {
	p := &Problem{Key: key, Text: fmt.Sprintf(format, args...)}
	if c.source != nil {
		at := c.source.find(key)
		p.File, p.Line, p.Column = c.source.file, at.line, at.column
	}
	return p
}

// ruleKey is the key of a field of c.Rules[i]; files count from 1.
func ruleKey(i int, field string) string { return fmt.Sprintf("rule[%d].%s", i+1, field) }
