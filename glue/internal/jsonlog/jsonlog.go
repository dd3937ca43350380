// Package jsonlog writes logs as JSON that is safe to look at: nothing that a client sent
// can speak to a terminal, or change how a line is read.
package jsonlog

import (
	"io"
	"log/slog"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// NewHandler returns a slog.JSONHandler whose lines have an escape (RFC 8259 section 7) for
// every character that does not show, so that parsers get the value that was logged, and
// people see what is in it: DEL and the C1 controls, which some terminals take for the
// beginning of a command; marks that turn the direction of a text, or that have no width;
// line and paragraph separators.
func NewHandler(w io.Writer, options *slog.HandlerOptions) *slog.JSONHandler {
	return slog.NewJSONHandler(escaper{w}, options)
}

// escaper escapes in JSON that is written to it, in which such characters can stand inside
// of strings only.
type escaper struct{ out io.Writer }

func (e escaper) Write(line []byte) (int, error) {
	for i, c := range line {
		if c >= 0x7f {
			if _, err := e.out.Write(escape(line, i)); err != nil {
				return 0, err
			}
			return len(line), nil
		}
	}
	return e.out.Write(line)
}

// escape returns the line with escapes from a byte on.
func escape(line []byte, from int) []byte {
	escaped := append(make([]byte, 0, 2*len(line)), line[:from]...)
	for rest := line[from:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r < 0x7f || shows(r) && (r != utf8.RuneError || size > 1) {
			escaped = append(escaped, rest[:size]...)
		} else {
			escaped = appendEscape(escaped, r)
		}
		rest = rest[size:]
	}
	return escaped
}

// shows reports whether a character is a letter, mark, number, punctuation, symbol or blank
// that can be seen as itself. Letters without a shape (the fillers of Hangul) are none.
func shows(r rune) bool {
	return unicode.IsPrint(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && !unicode.Is(unicode.Variation_Selector, r)
}

// appendEscape writes a character as JSON does: outside of the first plane as two halves.
func appendEscape(b []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		return appendUnit(appendUnit(b, 0xd800+r>>10), 0xdc00+r&0x3ff)
	}
	return appendUnit(b, r)
}

func appendUnit(b []byte, r rune) []byte {
	return append(append(b, `\u`...), strconv.FormatInt(0x10000+int64(r), 16)[1:]...)
}
