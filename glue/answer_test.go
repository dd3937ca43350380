package glue_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// echoed is what a handler behind Require or Optional saw.
type echoed struct {
	Known                               bool // whether there was an identity
	Identity                            glue.Identity
	Method, URL, RequestURI, Type, Body string
	Length                              int64
	Form                                url.Values
}

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	e := echoed{Method: r.Method, URL: r.URL.String(), RequestURI: r.RequestURI, Type: r.Header.Get("Content-Type"), Length: r.ContentLength}
	e.Identity, e.Known = glue.IdentityFrom(r.Context())
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.Body = string(body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := r.ParseForm(); err == nil {
		e.Form = r.Form
	}
	w.Header().Set("Content-Type", echoType)
	_ = json.NewEncoder(w).Encode(e)
})

const echoType = "application/vnd.echo+json"

// answer is the end of a chain of redirects.
type answer struct {
	*http.Response
	t    testing.TB
	Body string
}

// location is where a redirect leads, as an absolute URL; empty if it is none.
func (a answer) location() string {
	u, err := a.Location()
	if err != nil {
		return ""
	}
	return u.String()
}

var (
	pageKind   = regexp.MustCompile(`<main[^>]* data-page="([a-z-]+)"`)
	pageRef    = regexp.MustCompile(`<code>([A-Z2-7]+)</code>`)
	pageHref   = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)
	pageHidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	pageAction = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
)

// kind is which of our pages it is; empty if it is none.
func (a answer) kind() string { return firstMatch(pageKind, a.Body) }

// ref is the reference on one of our pages.
func (a answer) ref() string { return firstMatch(pageRef, a.Body) }

// links are the targets of a page's links.
func (a answer) links() []string {
	var found []string
	for _, m := range pageHref.FindAllStringSubmatch(a.Body, -1) {
		found = append(found, unescape(m[1]))
	}
	return found
}

// form gives the target and the hidden fields of a page's button.
func (a answer) form() (action string, hidden url.Values) {
	hidden = url.Values{}
	for _, m := range pageHidden.FindAllStringSubmatch(a.Body, -1) {
		hidden.Add(m[1], unescape(m[2]))
	}
	return unescape(firstMatch(pageAction, a.Body)), hidden
}

// requirePage fails the test unless the answer is that page of ours with that status.
func (a answer) requirePage(status int, kind string) answer {
	a.t.Helper()
	require.Equal(a.t, kind, a.kind(), "status %d at %s", a.StatusCode, a.Request.URL.Path)
	require.Equal(a.t, status, a.StatusCode)
	return a
}

// requireEcho fails the test unless the handler answered and saw that user, "" being
// nobody.
func (a answer) requireEcho(user string) echoed {
	a.t.Helper()
	require.Equal(a.t, http.StatusOK, a.StatusCode, "at %s: page %q", a.Request.URL.Path, a.kind())
	require.Equal(a.t, echoType, a.Header.Get("Content-Type"), "at %s: page %q", a.Request.URL.Path, a.kind())
	var e echoed
	require.NoError(a.t, json.Unmarshal([]byte(a.Body), &e))
	require.Equal(a.t, user, e.Identity.Principal)
	require.Equal(a.t, user != "", e.Known)
	return e
}

func firstMatch(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// fields reads the query of a redirect to the WLS.
func fields(t testing.TB, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	require.NoError(t, err)
	q, err := url.ParseQuery(u.RawQuery)
	require.NoError(t, err)
	return q
}
