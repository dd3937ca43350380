package oauth2server

import (
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/showntext"
)

// readLine reads a line of text that a person typed.
func readLine(typed string, most int) (line, problem string) {
	line = strings.TrimSpace(typed)
	return line, showntext.Problem(line, most)
}

// readText reads a text of several lines.
func readText(typed string, most int) (text, problem string) {
	text = strings.TrimSpace(typed)
	return text, showntext.Problem(strings.ReplaceAll(text, "\n", " "), most)
}

// isolated returns a name for use within a sentence: whatever direction it is written in, the rest
// of the sentence stays where it is (U+2068 and U+2069; where there is markup, <bdi>).
func isolated(name string) string { return "\u2068" + name + "\u2069" }
