package oauth2server

import (
	"fmt"
	"strings"
	"unicode"
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
	case strings.ContainsFunc(text, unseen):
		return "Leave out characters that cannot be seen."
	case pilesUp(text):
		return "Leave out accents and other marks that stand on nothing or pile up."
	case len([]rune(text)) > most:
		return fmt.Sprintf("Shorten this to %d characters.", most)
	}
	return ""
}

// blankRunes look like blanks although Unicode has them among symbols and letters: an
// empty Braille cell, an empty note head, and fillers of hieroglyphs and of Khitan.
const blankRunes = "\u2800\U0001D159\U00013441\U00013442\U00016FE4"

// unseen reports whether a character does not show: controls, all blanks but the
// ordinary one, what fonts are to ignore (Default_Ignorable_Code_Point in Unicode), and
// what stands for broken UTF-8.
func unseen(c rune) bool {
	return c == unicode.ReplacementChar || !unicode.IsPrint(c) || strings.ContainsRune(blankRunes, c) ||
		unicode.In(c, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// maxMarks is how many combining marks a character may bear (Unicode Technical Standard
// 39, section 5.4).
const maxMarks = 4

// pilesUp reports whether a text has combining marks without a character that bears
// them, too many on one, or the same twice in a row.
func pilesUp(text string) bool {
	before, marks := ' ', 0
	for _, c := range text {
		if !unicode.In(c, unicode.Mn, unicode.Me) {
			if unicode.Is(unicode.Mc, c) && before == ' ' {
				return true
			}
			before, marks = c, 0
			continue
		}
		if marks++; marks > maxMarks || before == ' ' || before == c {
			return true
		}
		before = c
	}
	return false
}

// isolated returns a name for use within a sentence: whatever direction it is written in, the rest
// of the sentence stays where it is (U+2068 and U+2069; where there is markup, <bdi>).
func isolated(name string) string { return "\u2068" + name + "\u2069" }
