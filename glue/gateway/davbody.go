package gateway

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

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
	if single[b.r.Method] || ownBody[b.r.Method] || b.r.Body == nil || b.refusal != nil {
		return
	}
	text, err := io.ReadAll(io.LimitReader(b.r.Body, maxDAVBody+1))
	switch {
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
	if err == nil && b.r.Header["Content-Encoding"] != nil {
		err = errBody
	}
	if err != nil {
		b.deny("body", pageBody, err)
		return
	}
	for _, ref := range refs {
		at, ok := b.locate("an href", ref, true)
		if !ok {
			return
		}
		b.below(at.rule, at.path, tree)
		if b.rule.strip == "" {
			continue
		}
		path := b.rule.strip + at.path // nothing is stripped in a body
		if ru, ok := b.mayReach("an href", path); ok {
			b.below(ru, path, tree)
		}
	}
	b.r = b.r.WithContext(b.r.Context())
	b.r.Body = readCloser{bytes.NewReader(text), b.r.Body}
	b.r.ContentLength, b.r.TransferEncoding = int64(len(text)), nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// hrefs gives what href elements have in them, of any namespace; none of what is no XML.
func hrefs(text []byte) ([]string, error) {
	start := bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.IndexByte(start[:min(4, len(start))], 0) >= 0 || bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")) {
		return nil, errBody // UTF-16, or worse
	}
	if len(start) == 0 || start[0] != '<' {
		return nil, nil
	}
	var found []string
	var href strings.Builder
	inside := 0 // elements since the outermost href
	for d := xml.NewDecoder(bytes.NewReader(start)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, errBody
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, errBody // it may define what entities mean
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
			if inside--; inside == 0 {
				if ref := strings.TrimSpace(href.String()); ref != "" {
					found = append(found, ref)
				}
				href.Reset()
			}
		}
	}
}

var pageBody = glue.Page{Kind: "body", Status: http.StatusBadRequest, Title: "What you sent cannot be read",
	Text: []string{"The program that you use has sent XML in a form that this site does not read. Please update it, or use another one."}}
