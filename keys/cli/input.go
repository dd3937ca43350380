package cli

import (
	"fmt"
	"io"
	"os"
)

// ReadInput reads standard input, but no more than limit bytes and one. If somebody sits at it, it
// says what is awaited first.
func (p Program) ReadInput(stdin io.Reader, stderr io.Writer, awaited string, limit int64) ([]byte, error) {
	if isTerminal(stdin) {
		fmt.Fprintf(stderr, "%s: paste %s here, then press Enter and Ctrl-D.\n", p.Name, awaited)
	}
	data, err := io.ReadAll(io.LimitReader(stdin, limit+1))
	if err != nil {
		return nil, fmt.Errorf("standard input: %v", err)
	}
	return data, nil
}

// isTerminal reports whether a file is a device where somebody may type.
func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
