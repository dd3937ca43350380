package htpasswd

import (
	"fmt"
	"strings"
)

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
	case strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == ':' || c == ',' }):
		return fmt.Errorf("the %s has a character that is not allowed: use ASCII letters, digits and signs, no blank, colon or comma", what)
	}
	return nil
}

// longestName is the longest name of a person or a group, in bytes.
const longestName = 255
