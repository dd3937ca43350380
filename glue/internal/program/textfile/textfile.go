// Package textfile reads files that operators write, with a bound on their size and an eye
// for those that are being written.
package textfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrCut is the error of a file whose last line has no end, as when somebody is writing
// it. What is there of it may mean more than all of it would.
var ErrCut = errors.New("it does not end with a newline: it may be cut short")

// Read returns what a file holds. One that is larger than limit bytes is refused, and so is
// one that is cut: the error is then [ErrCut], and the text that there is comes with it.
func Read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	case len(text) > 0 && text[len(text)-1] != '\n':
		return text, fmt.Errorf("%s: %w", path, ErrCut)
	}
	return text, nil
}

// Of files of lines. A line of theirs is short.
const (
	maxLines  = 4 << 20 // bytes
	maxErrors = 20      // wrong lines that are reported
)

// EachLine calls use for each line of a file that is neither blank nor a comment. It
// returns the errors of use, put after file and line number.
func EachLine(path string, use func(line string) error) error {
	text, err := Read(path, maxLines)
	if err != nil {
		return err
	}
	return EachLineOf(path, string(text), use)
}

// EachLineOf is [EachLine] for a text that has been read.
func EachLineOf(path, text string, use func(line string) error) error {
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
		if len(errs) == maxErrors {
			errs = append(errs, fmt.Errorf("%s: too many mistakes, the rest was not read", path))
			break
		}
	}
	return errors.Join(errs...)
}
