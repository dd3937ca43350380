package site

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What a line must have at least. One that reads as hexadecimal or base64 was
// made by a program, which can as well give it 256 bits. How much chance there
// is in any other text cannot be measured: 32 characters are too many for a
// password that somebody remembers, and enough for a generated one.
const (
	minHexDigits     = 64
	minBase64Chars   = 43
	minTextChars     = 32
	minDistinctChars = 10
)

// maxSecretSize bounds what is read, in bytes: some hundred lines.
const maxSecretSize = 16 << 10

// makeOne ends every refusal of a line.
const makeOne = "make one with: openssl rand -base64 48"

const base64Chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"

// placeholders are words that stand in examples where a secret belongs, in
// lower case and without spaces or punctuation. A line that contains one is
// refused. Each has at least six letters, so that random characters spell one
// less than once in a million secrets.
var placeholders = []string{
	"changeme", "changeit", "changethis", "replaceme", "replacethis", "replacewith",
	"password", "passphrase", "secret", "placeholder", "example", "insecure", "default",
}

// parseLines splits text into the secret's lines: no comments, blank lines, or
// space around a line.
func parseLines(text string) ([]string, error) {
	if len(text) > maxSecretSize {
		return nil, fmt.Errorf("it is larger than %d KiB: is it the right file?", maxSecretSize>>10)
	}
	var lines []string
	firstSeen := make(map[string]int)
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if err := checkLine(line); err != nil {
			return nil, fmt.Errorf("line %d %v; %s", number, err, makeOne)
		}
		if first, ok := firstSeen[line]; ok {
			return nil, fmt.Errorf("line %d repeats line %d: remove one of them, and if this was to rotate, %s", number, first, makeOne)
		}
		firstSeen[line] = number
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil, errors.New("it holds no secret; " + makeOne)
	}
	return lines, nil
}

// checkLine refuses what nobody should use as a secret. Its errors go on from
// "line 1" and must not quote the line.
func checkLine(line string) error {
	if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("holds something other than printable ASCII, which editors and shells may alter")
	}
	if isPlaceholder(line) {
		return errors.New("is a placeholder, not a secret")
	}
	if err := checkLength(line); err != nil {
		return err
	}
	if n := countDistinct(line); n < minDistinctChars {
		return fmt.Errorf("has only %d different characters, fewer than %d", n, minDistinctChars)
	}
	if isRepetition(line) {
		return errors.New("is a shorter text repeated")
	}
	return nil
}

func checkLength(line string) error {
	switch encoded := strings.TrimRight(line, "="); {
	case consistsOf(line, "0123456789abcdefABCDEF"):
		if len(line) < minHexDigits {
			return fmt.Errorf("is too short: %d hexadecimal digits, fewer than the %d of 256 bits", len(line), minHexDigits)
		}
	case consistsOf(encoded, base64Chars):
		if len(encoded) < minBase64Chars {
			return fmt.Errorf("is too short: %d base64 characters, fewer than the %d of 256 bits", len(encoded), minBase64Chars)
		}
	case len(line) < minTextChars:
		return fmt.Errorf("is too short: %d characters, fewer than %d", len(line), minTextChars)
	}
	return nil
}

func consistsOf(line, chars string) bool {
	return strings.Trim(line, chars) == ""
}

func isPlaceholder(line string) bool {
	letters := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(line))
	return slices.ContainsFunc(placeholders, func(word string) bool { return strings.Contains(letters, word) })
}

func countDistinct(line string) int {
	seen := make(map[rune]bool)
	for _, r := range line {
		seen[r] = true
	}
	return len(seen)
}

// isRepetition reports whether line is one text written at least twice, the last
// time perhaps not to its end: what a short secret becomes when it is told to
// be longer.
func isRepetition(line string) bool {
	for period := 1; period <= len(line)/2; period++ {
		if line[period:] == line[:len(line)-period] {
			return true
		}
	}
	return false
}
