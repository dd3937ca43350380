package site

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Asked returns the path and the query that the browser asked for, as it wrote them: before
// any StripPrefix, and with the prefix that a front server removed.
func (s *Site) Asked(r *http.Request) (path, query string) {
	path, query, _ = strings.Cut(requestTarget(r), "?")
	return s.prefix + path, query
}

// requestTarget returns the path and query that the client asked this program for, as it
// wrote them.
func requestTarget(r *http.Request) string {
	uri := r.RequestURI
	if i := strings.Index(uri, "://"); i > 0 && uri[0] != '/' { // absolute form, as proxies use
		uri = uri[i+len("://"):]
		uri = "/" + strings.TrimPrefix(strings.TrimLeftFunc(uri, func(c rune) bool { return c != '/' && c != '?' }), "/")
	}
	if !strings.HasPrefix(uri, "/") { // a request made by hand
		return localpath.WithQuery(r.URL.EscapedPath(), r.URL.RawQuery)
	}
	return uri
}

// Local reports whether a target is a path of this site, with a query or without: below
// [Site.Path], whatever a browser, or a server that decodes first, makes of it. A path beside
// that belongs to another site.
func (s *Site) Local(target string) bool {
	if !localpath.IsTarget(target) {
		return false
	}
	if s.path == "" {
		return true
	}
	escaped, _, _ := strings.Cut(target, "?")
	decoded, err := url.PathUnescape(escaped)
	return err == nil && s.Reaches(escaped) && !slices.Contains(strings.FieldsFunc(decoded, isSlash), "..")
}

func isSlash(r rune) bool { return r == '/' || r == '\\' }

// Reaches reports whether a path without dot segments is that of BaseURL or below it,
// segment by segment, however its letters are percent-encoded.
func (s *Site) Reaches(path string) bool {
	rest, found := strings.CutPrefix(path, s.path)
	if found && (rest == "" || rest[0] == '/') {
		return true
	}
	want := strings.Split(s.path, "/")
	got := strings.SplitN(path, "/", len(want)+1)
	if len(got) < len(want) {
		return false
	}
	return slices.EqualFunc(got[:len(want)], want, sameSegment)
}

func sameSegment(a, b string) bool {
	a, errA := url.PathUnescape(a)
	b, errB := url.PathUnescape(b)
	return errA == nil && errB == nil && a == b
}

// CheckPath returns what is wrong with a path, with or without a query, that somebody
// configured: it must be one of this site as browsers see it, below the path of BaseURL.
func (s *Site) CheckPath(local string) error {
	if !localpath.Is(local) {
		return fmt.Errorf("%q is not a path of this site", local)
	}
	path, _, _ := strings.Cut(local, "?")
	if _, _, err := webauth.CanonicalTarget(path, ""); err != nil {
		return fmt.Errorf("%q: %v", local, err)
	}
	if !s.Reaches(path) {
		return fmt.Errorf("%q is not below %q, the path of BaseURL: write it as browsers see it, such as %q", local, s.path, s.path+local)
	}
	return nil
}
