package dav

import (
	"errors"
	"regexp"
	"strings"
)

// conditionLists are what stands between the tags of If: lists in parentheses, which have
// tokens in angle brackets and entity tags in square ones.
var conditionLists = regexp.MustCompile(`^(?:[ \t]|\((?:[ \t]|(?i:not)|<[^<>]*>|\[[ \t]*(?:W/)?"[^"]*"[ \t]*\])*\))*`)

// Why conditions are refused.
var (
	ErrLines      = errors.New("came more than once")
	errConditions = errors.New("cannot be read")
)

// SplitConditions returns what stands between the tags of If, and every other piece is a
// tag, without its brackets.
func SplitConditions(lines []string) (pieces []string, err error) {
	if len(lines) > 1 {
		return nil, ErrLines
	}
	for rest := lines[0]; ; {
		lists := conditionLists.FindString(rest)
		pieces = append(pieces, lists)
		if rest = rest[len(lists):]; rest == "" {
			return pieces, nil
		}
		tag, more, closed := strings.Cut(rest[1:], ">")
		if rest[0] != '<' || !closed {
			return nil, errConditions
		}
		pieces, rest = append(pieces, tag), more
	}
}
