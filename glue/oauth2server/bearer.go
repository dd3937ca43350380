package oauth2server

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// bearerOf returns the bearer token of a request, or "" if it brings none, and what to go
// on with instead of the request, whose body may have been looked into. bad is what
// is wrong with how a token was sent; nothing then makes up for it.
func bearerOf(r *http.Request) (text string, next *http.Request, bad *protocolError) {
	if r.URL.RawQuery != "" {
		if query, _ := url.ParseQuery(r.URL.RawQuery); query.Has("access_token") {
			return "", r, errTokenInQuery
		}
	}
	next, inForm := tokenInForm(r)
	if inForm {
		return "", next, errTokenInForm
	}
	values := r.Header["Authorization"]
	if len(values) == 0 || len(values) == 1 && !isBearer(values[0]) {
		return "", next, nil
	}
	const scheme = "Bearer "
	if len(values) > 1 || len(values[0]) <= len(scheme) || values[0][len(scheme)-1] != ' ' {
		return "", next, errBearer
	}
	text = values[0][len(scheme):]
	if !isToken68(text) {
		return "", next, errBearer
	}
	return text, next, nil
}

// isBearer reports whether a header's scheme is Bearer, in any case. One that is
// followed by anything but a blank is a malformed bearer, not another scheme.
func isBearer(value string) bool {
	const scheme = "bearer"
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return false
	}
	return len(value) == len(scheme) || strings.IndexByte(schemeCharacters, value[len(scheme)]) < 0
}

// schemeCharacters are those of a scheme's name (RFC 9110 section 5.6.2).
const schemeCharacters = credential.Alphabet + "!#$%&'*+-.^_`|~"

// isToken68 reports whether a text is a b64token of RFC 6750 section 2.1.
func isToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && strings.Trim(body, credential.Alphabet+"-._~+/") == ""
}

// peekForm is how much of a form is looked into, in bytes. What comes later cannot be
// taken for a token either: nothing here ever reads one from a form.
const peekForm = 64 << 10

// tokenInForm reports whether a form holds a token (RFC 6750 section 2.2, which nobody
// needs who can set a header), and returns a request that still has its whole body.
func tokenInForm(r *http.Request) (*http.Request, bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, false
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return r, false
	}
	if r.PostForm != nil { // somebody has read it
		return r, r.PostForm.Has("access_token")
	}
	head, _ := io.ReadAll(io.LimitReader(r.Body, peekForm)) // whoever reads on meets the error again
	next := r.WithContext(r.Context())
	next.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	form, _ := url.ParseQuery(string(head)) // as far as it can be read
	return next, form.Has("access_token")
}
