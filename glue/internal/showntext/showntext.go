// Package showntext judges text of others that people are shown beside our own.
package showntext

import (
	"fmt"
	"strings"
	"unicode"
)

// blankRunes look like blanks although Unicode has them among symbols and letters: an
// empty Braille cell, an empty note head, and fillers of hieroglyphs and of Khitan.
const blankRunes = "\u2800\U0001D159\U00013441\U00013442\U00016FE4"

// Unseen reports whether a character does not show: controls, all blanks but the
// ordinary one, what fonts are to ignore (Default_Ignorable_Code_Point in Unicode), and
// what stands for broken UTF-8.
func Unseen(c rune) bool {
	return c == unicode.ReplacementChar || !unicode.IsPrint(c) || strings.ContainsRune(blankRunes, c) ||
		unicode.In(c, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Problem says what is wrong with a line of text, of at most so many characters, in words for
// its author; it is empty for a text that is fine. Characters that do not show, that turn the
// text around, or that pile up over what stands beside them could make a name look like
// another, or like none.
func Problem(line string, most int) string {
	switch {
	case strings.ContainsFunc(line, Unseen):
		return "Leave out characters that cannot be seen."
	case PilesUp(line):
		return "Leave out accents and other marks that stand on nothing or pile up."
	case len([]rune(line)) > most:
		return fmt.Sprintf("Shorten this to %d characters.", most)
	}
	return ""
}

// maxMarks is how many combining marks a character may bear (Unicode Technical Standard
// 39, section 5.4).
const maxMarks = 4

// PilesUp reports whether a text has combining marks without a character that bears
// them, too many on one, or the same twice in a row.
func PilesUp(text string) bool {
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
