package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxLinesFile bounds group and password files, in bytes; a line of either is short.
const maxLinesFile = 4 << 20

// maxLineErrors is how many wrong lines of one file are reported.
const maxLineErrors = 20

// readLines calls use for each line of a file that is neither blank nor a comment. The
// errors that use gives are put after file and line number.
func readLines(path string, use func(line string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLinesFile+1))
	if err != nil {
		return err
	}
	switch {
	case len(text) > maxLinesFile:
		return fmt.Errorf("%s: it is larger than %d MiB", path, maxLinesFile>>20)
	case isCut(text):
		return fmt.Errorf("%s: %s", path, cutText)
	}
	return eachLine(path, string(text), use)
}

// isCut reports whether the last line of a file has no end, as when somebody is writing
// it. What is there of it may mean more than all of it would.
func isCut(text []byte) bool { return len(text) > 0 && text[len(text)-1] != '\n' }

const cutText = "it does not end with a newline: it may be cut short"

// eachLine is readLines for a text that has been read.
func eachLine(path, text string, use func(line string) error) error {
	var errs []error
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if err := use(line); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", path, number, err))
		}
		if len(errs) == maxLineErrors {
			errs = append(errs, fmt.Errorf("%s: too many mistakes, the rest was not read", path))
			break
		}
	}
	return errors.Join(errs...)
}

// checkName refuses names that could not be told apart from something else in a file,
// a header or a log line.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the %s is missing", what)
	case len(name) > longestName:
		return fmt.Errorf("the %s is longer than %d bytes", what, longestName)
	case name[0] == '#':
		return fmt.Errorf("the %s begins with #: comments have lines of their own", what)
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == ':' || c == ',' {
			return fmt.Errorf("the %s has a character that is not allowed: use ASCII letters, digits and signs, no blank, colon or comma", what)
		}
	}
	return nil
}

// longestName is the longest name of a person or a group, in bytes.
const longestName = 255
