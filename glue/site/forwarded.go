package site

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxElement is how long an element of a list may be, in bytes. One that is longer
// counts as malformed.
const maxElement = 1024

// maxParams is how many parameters an element of Forwarded may have.
const maxParams = 8

// fromRight returns the elements of a list header from right to left, the last line
// first. It never looks beyond the comma to the left of an element, so that nothing to
// the left, however malformed, changes what a proxy added on the right.
type fromRight struct {
	lines  []string
	quoted bool // commas in quoted strings are none

	rest string // of the current line
	more bool   // the current line has another element
}

// next returns an element without blanks around it, none when the list is
// exhausted, or when it cannot be told where the element begins.
func (l *fromRight) next() (element string, ok bool) {
	if !l.more {
		if len(l.lines) == 0 {
			return "", false
		}
		last := len(l.lines) - 1
		l.rest, l.lines = l.lines[last], l.lines[:last]
	}
	at, ok := lastComma(l.rest, l.quoted)
	if !ok {
		l.lines, l.more = nil, false
		return "", false
	}
	element = strings.Trim(l.rest[at+1:], " \t")
	l.rest, l.more = l.rest[:max(at, 0)], at >= 0
	return element, true
}

// lastComma returns the index of the last comma that separates elements; -1 if there is
// none. It is not ok within an open quoted string, or if the element is too long.
func lastComma(s string, quoted bool) (at int, ok bool) {
	inQuotes := false
	for i := len(s) - 1; i >= 0; i-- {
		if len(s)-i > maxElement {
			return 0, false
		}
		switch {
		case s[i] == ',' && !inQuotes:
			return i, true
		case s[i] == '"' && quoted && !isEscaped(s, i):
			inQuotes = !inQuotes
		}
	}
	return -1, !inQuotes
}

// isEscaped reports whether the quote at i has a backslash of its own in front.
func isEscaped(s string, i int) bool {
	before := strings.TrimRight(s[:i], `\`)
	return (i-len(before))%2 == 1
}

// element is what one proxy says in Forwarded. What it does not say is empty.
type element struct {
	client netip.Addr // not valid where it is hidden
	proto  string
	host   string
}

var errForwarded = errors.New("not an element of RFC 7239")

// parseElement reads an element (RFC 7239 section 4). Other parameters than for, proto
// and host must be well formed, and are ignored.
func parseElement(s string) (element, error) {
	var e element
	var names [maxParams]string
	n := 0
	for {
		s = strings.TrimLeft(s, " \t") // RFC 7239 has no blanks here, but proxies write them
		if s == "" {
			return e, nil
		}
		if s[0] == ';' { // between parameters, or for one that is left out
			s = s[1:]
			continue
		}
		name, value, rest, ok := cutParam(s)
		name = strings.ToLower(name)
		if !ok || n == maxParams || slices.Contains(names[:n], name) {
			return element{}, errForwarded
		}
		names[n] = name
		n++
		switch name {
		case "for":
			if e.client, ok = parseNode(value); !ok {
				return element{}, errForwarded
			}
		case "proto":
			e.proto = value
		case "host":
			e.host = value
		}
		s = rest
	}
}

// cutParam cuts a parameter off, up to a semicolon or the end.
func cutParam(s string) (name, value, rest string, ok bool) {
	name, rest = cutToken(s)
	if name == "" || !strings.HasPrefix(rest, "=") {
		return "", "", "", false
	}
	rest = rest[1:]
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = cutQuoted(rest)
	} else {
		value, rest = cutToken(rest)
		ok = value != ""
	}
	rest = strings.TrimLeft(rest, " \t")
	return name, value, rest, ok && (rest == "" || rest[0] == ';')
}

// cutToken cuts a token off (RFC 9110 section 5.6.2).
func cutToken(s string) (token, rest string) {
	rest = strings.TrimLeft(s, "!#$%&'*+-.^_`|~"+alphanumeric)
	return s[:len(s)-len(rest)], rest
}

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// cutQuoted cuts a quoted string off (RFC 9110 section 5.6.4) and removes its quotes.
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\':
			if i++; i == len(s) {
				return "", "", false
			}
			c = s[i]
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", "", false
		}
		b.WriteByte(c)
	}
	return "", "", false
}

// parseNode reads a node (RFC 7239 section 6). The address is not valid for a node
// that is unknown or hidden.
func parseNode(s string) (addr netip.Addr, ok bool) {
	name, port, hasPort := s, "", false
	// The colons of an IPv6 address are within its brackets.
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		name, port, hasPort = s[:i], s[i+1:], true
	}
	if hasPort && !isNodePort(port) && !isObfuscated(port) {
		return netip.Addr{}, false
	}
	if strings.EqualFold(name, "unknown") || isObfuscated(name) {
		return netip.Addr{}, true
	}
	return parseAddress(name)
}

// parseAddress reads an IPv4 address, or an IPv6 address in brackets.
func parseAddress(s string) (netip.Addr, bool) {
	inner, bracketed := strings.CutPrefix(s, "[")
	if bracketed {
		if inner, bracketed = strings.CutSuffix(inner, "]"); !bracketed {
			return netip.Addr{}, false
		}
	}
	addr, err := netip.ParseAddr(inner)
	if err != nil || addr.Is6() != bracketed || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

func isNodePort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil && len(s) <= 5
}

// isObfuscated reports whether s is an identifier that a proxy made up.
func isObfuscated(s string) bool {
	name, ok := strings.CutPrefix(s, "_")
	return ok && name != "" && strings.Trim(name, "._-"+alphanumeric) == ""
}

// parseForwardedFor reads an entry of X-Forwarded-For: an address, with a port where
// proxies add one, IPv6 with brackets or without.
func parseForwardedFor(s string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Unmap(), addr.Zone() == ""
	}
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		if !isNodePort(s[i+1:]) {
			return netip.Addr{}, false
		}
		s = s[:i]
	}
	return parseAddress(s)
}
