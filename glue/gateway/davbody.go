package gateway

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ucam-webauth/go-webauth/glue"
)

// maxDAVBody is the longest body that is looked through, in bytes. A list of some thousand
// calendar entries is shorter.
const maxDAVBody = 1 << 20

// ownBody are methods whose body names no further resource: its hrefs, if it has any, say
// who locks.
var ownBody = map[string]bool{"DELETE": true, "MOVE": true, "COPY": true, "PROPFIND": true, "LOCK": true}

var errBody = errors.New("the body cannot be read as XML in UTF-8 without a document type")

// body judges the resources that hrefs in an XML body name: what SEARCH looks through (RFC
// 5323), a REPORT lists (RFC 4791 section 7.9) or BIND makes appear elsewhere (RFC 5842).
// Servers do not all see to it that these are below the path.
func (b *beyond) body() {
	if b.reach == resource || ownBody[b.r.Method] || b.r.Body == nil || b.refusal != nil || !b.mayMatter() {
		return
	}
	text, err := io.ReadAll(io.LimitReader(b.r.Body, maxDAVBody+1))
	switch {
	case errors.Is(err, errSlowBody):
		b.deny("slow-body", pageSlowBody, err)
		b.refusal.header = http.Header{"Connection": {"close"}}
		return
	case err != nil:
		b.deny("body", pageBadRequest, err)
		return
	case len(text) > maxDAVBody:
		b.deny("too-large", pageTooLarge, fmt.Errorf("the body of %s is longer than %d bytes", b.r.Method, maxDAVBody))
		return
	case len(text) == 0:
		return
	}
	refs, err := hrefs(text)
	if b.r.Header["Content-Encoding"] != nil || !isSaidUTF8(b.r.Header["Content-Type"]) {
		err = errBody
	}
	for _, ref := range refs {
		if !b.named("an href", ref, tree) {
			return
		}
	}
	if err != nil {
		b.deny("body", pageBody, err)
		return
	}
	b.r = b.r.WithContext(b.r.Context())
	b.r.Body = readCloser{bytes.NewReader(text), b.r.Body}
	b.r.ContentLength, b.r.TransferEncoding = int64(len(text)), nil
}

// unseenBody denies what makes a resource that its body names appear at the path (RFC 5842),
// where the body is at a front server. Others read what they name, at most.
func (b *beyond) unseenBody() {
	if (b.r.Method == "BIND" || b.r.Method == "REBIND") && b.mayMatter() {
		b.deny("body", pageBelow, fmt.Errorf("the body of %s names another resource, and it is not here to be judged", b.r.Method))
	}
}

// named judges a resource that the backend is told of as it was sent, and what is below it.
// Nothing is stripped there, so that it may be another one to the backend.
func (b *beyond) named(what, ref string, reach reach) bool {
	at, ok := b.locate(what, ref, true)
	if !ok {
		return false
	}
	b.below(at.rule, at.path, reach)
	if b.rule.strip != "" {
		path := b.rule.strip + at.path
		if ru, ok := b.mayReach(what, path); ok {
			b.below(ru, path, reach)
		}
	}
	return b.refusal == nil
}

// mayMatter reports whether what a request names can make a difference: whether the backend
// serves all of the host, and no rule there keeps out whom that of the path has let in.
func (b *beyond) mayMatter() bool {
	return b.c.mayDiffer(b.r.Host, b.rule) || slices.ContainsFunc(b.c.allRules(b.r.Host), func(other *rule) bool { return !isSameServer(b.rule, other) })
}

type readCloser struct {
	io.Reader
	io.Closer
}

// hrefs returns what href elements have in them, of any namespace; none of what is not
// XML. An error says that a program may find others, beside those that are returned.
func hrefs(text []byte) ([]string, error) {
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, errBody // UTF-16, EBCDIC, or worse
	}
	start := bytes.TrimLeftFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) })
	if len(start) == 0 || start[0] != '<' {
		return nil, nil
	}
	if !declaresUTF8(start) {
		return nil, errBody
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
			return found, errBody
		}
		if inside > 0 {
			pieces++
		}
		switch token := token.(type) {
		case xml.Directive:
			return found, errBody // it may define what entities mean
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
				mixed = errBody
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

var pageBody = glue.Page{Kind: "body", Status: http.StatusBadRequest, Title: "What you sent cannot be read",
	Text: []string{"The program that you use has sent XML in a form that this site does not read. Please update it, or use another one."}}
