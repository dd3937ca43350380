package site

import (
	"errors"
	"fmt"
	"strings"
)

// noncePlaceholder stands for the request's nonce in Headers.CSP.
const noncePlaceholder = "{nonce}"

// policy is the whole Content-Security-Policy; empty if there is none.
func (h Headers) policy() string {
	var parts []string
	if h.CSP != Omit {
		parts = append(parts, strings.TrimRight(h.CSP, "; "))
	}
	if h.FrameAncestors != Omit {
		parts = append(parts, "frame-ancestors "+h.FrameAncestors)
	}
	return strings.Join(parts, "; ")
}

// directives takes a policy apart, with names in lower case.
func directives(csp string) (names []string, sources map[string][]string) {
	sources = map[string][]string{}
	for part := range strings.SplitSeq(csp, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		names = append(names, name)
		sources[name] = words[1:]
	}
	return names, sources
}

// checkCSP catches the mistakes that browsers would punish by ignoring a directive.
func checkCSP(csp string) error {
	if strings.Contains(csp, ",") {
		return errors.New("a comma would begin a second policy: separate directives by semicolons")
	}
	names, sources := directives(csp)
	if len(names) == 0 {
		return errors.New("it has no directive; to send none, say site.Omit")
	}
	if _, ok := sources["frame-ancestors"]; ok {
		return errors.New("set FrameAncestors instead of frame-ancestors")
	}
	if len(sources) != len(names) {
		return errors.New("a directive comes twice: browsers heed only the first, so write one with all sources")
	}
	for _, name := range names {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
			return fmt.Errorf("%q is not the name of a directive", name)
		}
		for _, source := range sources[name] {
			if err := checkSource(source); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkSource(source string) error {
	lower := strings.ToLower(source)
	switch {
	case source == noncePlaceholder:
		return nil
	case strings.Contains(lower, noncePlaceholder):
		return errors.New("write {nonce} by itself, without quotes: the quotes come with it")
	case strings.HasPrefix(strings.Trim(lower, "'"), "nonce-"):
		return errors.New("a nonce that is always the same protects from nothing: write {nonce}")
	case lower == "self", lower == "none", strings.HasPrefix(lower, "unsafe-"):
		return fmt.Errorf("write '%s' with quotes: without them it is the name of a host", source)
	}
	return nil
}

func checkFrameAncestors(s string) error {
	if strings.ContainsAny(s, ",;") {
		return errors.New("write sources with blanks between them, as 'self' https://www.soc.example")
	}
	for source := range strings.FieldsSeq(s) {
		if source == noncePlaceholder {
			return errors.New("a page that shows this one in a frame has no nonce: name its origin")
		}
		if err := checkSource(source); err != nil {
			return err
		}
	}
	return nil
}
