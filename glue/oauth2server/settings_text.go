package oauth2server

import (
	"fmt"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/showntext"
)

// readLine reads a line of text that a person typed.
func readLine(typed string, most int) (line, problem string) {
	line = strings.TrimSpace(typed)
	return line, textProblem(line, most)
}

// readText reads a text of several lines.
func readText(typed string, most int) (text, problem string) {
	text = strings.TrimSpace(typed)
	return text, textProblem(strings.ReplaceAll(text, "\n", " "), most)
}

// textProblem says what is wrong with a text, in words for its author. Characters that
// do not show, that turn the text around, or that pile up over what stands beside them
// could make a name look like another, or like none.
func textProblem(text string, most int) string {
	switch {
	case strings.ContainsFunc(text, showntext.Unseen):
		return "Leave out characters that cannot be seen."
	case showntext.PilesUp(text):
		return "Leave out accents and other marks that stand on nothing or pile up."
	case len([]rune(text)) > most:
		return fmt.Sprintf("Shorten this to %d characters.", most)
	}
	return ""
}

// isolated returns a name for use within a sentence: whatever direction it is written in, the rest
// of the sentence stays where it is (U+2068 and U+2069; where there is markup, <bdi>).
func isolated(name string) string { return "\u2068" + name + "\u2069" }
