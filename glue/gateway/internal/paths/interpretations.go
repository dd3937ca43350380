package paths

import (
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Some characters are fit for a path, and common in one, but not all programs take them
// for part of it. Paths that have them are refused only where that would make a
// difference to the rules.

var ErrAmbiguous = errors.New("backends may read the path in more than one way, and the rules differ about them (for what follows the name of a script, or a query that begins with a slash, see scripts of a rule)")

// Interpretations returns what else a program might take a normal path for, other than by
// letter case: one that cuts it at an encoded '?' or '#', one that drops dots and blanks
// at the end of names, as Windows does, and one that does both. With streams it cuts names
// at a colon too, as NTFS does; not otherwise, because a colon is common where nothing
// does. There are none for most paths.
func Interpretations(path string, streams bool) []string {
	var found []string
	if streams && strings.Contains(path, ":") {
		cut := withoutStreams(path)
		found = append(Interpretations(cut, false), cut)
	}
	if !strings.ContainsAny(path, "%.") {
		return found
	}
	for _, mark := range [...]string{"%3F", "%23"} {
		if before, _, ok := strings.Cut(path, mark); ok {
			found = append(found, before)
		}
	}
	if !strings.Contains(path, ".") && !strings.Contains(path, "%20") {
		return found
	}
	for _, p := range append(slices.Clip(found), path) {
		if trimmed := trimNames(p); trimmed != p {
			found = append(found, trimmed)
		}
	}
	return found
}

// withoutStreams cuts each segment at a colon.
func withoutStreams(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ":")
	}
	return resolved(segments)
}

// trimNames drops dots and blanks at the end of each segment.
func trimNames(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		for strings.HasSuffix(segment, "%20") {
			segment = strings.TrimSuffix(segment, "%20")
		}
		if segment != "." && segment != ".." {
			for trimmed := ""; trimmed != segment; {
				trimmed, segment = segment, strings.TrimSuffix(strings.TrimRight(segment, "."), "%20")
			}
		}
		segments[i] = segment
	}
	return resolved(segments)
}

// resolved returns the path of segments without empty and dot ones; a final slash stays, or
// comes from a final dot segment. Above the root it stays there, as programs do.
func resolved(segments []string) string {
	clean := path.Clean("/" + strings.Join(segments, "/"))
	if last := segments[len(segments)-1]; clean != "/" && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean
}

// Fold returns the form of a normal path in which those are alike that differ in letter
// case. It is not clear where a character is a letter of ASCII in some other case (the
// long s, the Kelvin sign, the dotless i): systems that ignore case disagree about these.
func Fold(path string) (folded string, clear bool) {
	text, err := url.PathUnescape(path)
	if err != nil {
		return "", false // never
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		small := unicode.ToLower(unicode.ToUpper(r))
		if r >= utf8.RuneSelf && (small < utf8.RuneSelf || unicode.ToLower(r) < utf8.RuneSelf) {
			return "", false
		}
		b.WriteRune(small)
	}
	return Escape(b.String()), true
}
