// Package dav reads what WebDAV (RFC 4918) and its kin say about further resources.
package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrBody is the error of a body in which programs may find different hrefs.
var ErrBody = errors.New("the body cannot be read as XML in UTF-8 without a document type")

// Hrefs returns what href elements of a body have in them, of any namespace; none of what
// is not XML. An error says that a program may find others, beside those that are returned.
func Hrefs(text []byte, contentType []string) ([]string, error) {
	refs, err := hrefs(text)
	if !isSaidUTF8(contentType) {
		err = ErrBody
	}
	return refs, err
}

func hrefs(text []byte) ([]string, error) {
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, ErrBody // UTF-16, EBCDIC, or worse
	}
	start := bytes.TrimLeftFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) })
	if len(start) == 0 || start[0] != '<' {
		return nil, nil
	}
	if !declaresUTF8(start) {
		return nil, ErrBody
	}
	return hrefsOf(xml.NewDecoder(bytes.NewReader(start)))
}

// hrefsOf is hrefs for XML in UTF-8. Programs do not agree on the text of an href with
// anything but text in it.
func hrefsOf(d *xml.Decoder) (found []string, mixed error) {
	var href strings.Builder
	inside := 0 // elements since the outermost href
	pieces := 0 // of the text in there
	for {
		token, err := d.Token()
		if err == io.EOF {
			return found, mixed
		}
		if err != nil {
			return found, ErrBody
		}
		if inside > 0 {
			pieces++
		}
		switch token := token.(type) {
		case xml.Directive:
			return found, ErrBody // it may define what entities mean
		case xml.StartElement:
			if inside > 0 || strings.EqualFold(token.Name.Local, "href") {
				inside++
			}
		case xml.CharData:
			if inside > 0 {
				href.Write(token)
			}
		case xml.EndElement:
			if inside == 0 {
				continue
			}
			if inside--; inside > 0 {
				continue
			}
			if pieces > 2 { // the text and the end
				mixed = ErrBody
			}
			if ref := strings.TrimSpace(href.String()); ref != "" {
				found = append(found, ref)
			}
			href.Reset()
			pieces = 0
		}
	}
}

var (
	encodingSaid = regexp.MustCompile(`encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)["']`)
	charsetSaid  = regexp.MustCompile(`(?i)charset[ \t]*=[ \t]*["']?([^"';, \t]*)`)
)

// declaresUTF8 reports whether an XML declaration, if there is one, names no other
// encoding, in whose letters the same bytes may be other elements. The decoder looks for
// one too, and not everywhere.
func declaresUTF8(text []byte) bool {
	declaration, ok := bytes.CutPrefix(text, []byte("<?xml"))
	if !ok {
		return true
	}
	declaration, _, _ = bytes.Cut(declaration, []byte("?>"))
	said := encodingSaid.FindAllSubmatch(declaration, -1)
	for _, match := range said {
		if !bytes.EqualFold(match[1], []byte("utf-8")) {
			return false
		}
	}
	return len(said) == bytes.Count(declaration, []byte("encoding"))
}

// isSaidUTF8 reports the same of Content-Type, which goes before (RFC 7303 section 3).
func isSaidUTF8(lines []string) bool {
	for _, match := range charsetSaid.FindAllStringSubmatch(strings.Join(lines, ";"), -1) {
		if !strings.EqualFold(match[1], "utf-8") && !strings.EqualFold(match[1], "utf8") {
			return false
		}
	}
	return true
}
