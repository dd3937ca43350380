package webauth

import (
	"net/url"
	"regexp"
	"strings"
)

// ResponseParam is the name of the query parameter that carries a response.
const ResponseParam = "WLS-Response"

// maxResponse bounds an encoded response in a query and the decoded value alike.
const maxResponse = 8 << 10

// ResponseFrom returns the response in a raw query (r.URL.RawQuery). found reports whether
// the parameter is there at all, so that a request with a malformed one is never mistaken
// for one without. The error is an [*Error] with [ReasonMalformed]: the parameter came
// twice, is longer than 8 KiB or is badly percent-encoded.
func ResponseFrom(rawQuery string) (value string, found bool, err error) {
	for part := range strings.SplitSeq(rawQuery, "&") {
		raw, is := responsePart(part)
		if !is {
			continue
		}
		if found {
			return "", true, malformed("%s came more than once", ResponseParam)
		}
		found = true
		if len(raw) > 3*maxResponse { // a percent-encoded byte takes three
			err = malformed("longer than %d bytes", maxResponse)
			continue
		}
		if value, err = url.QueryUnescape(raw); err != nil {
			err = malformed("bad percent-encoding in the query")
		}
	}
	if err == nil && len(value) > maxResponse {
		err = malformed("longer than %d bytes", maxResponse)
	}
	if err != nil {
		return "", found, err
	}
	return value, found, nil
}

// StripResponse returns a raw query without its responses, the rest as it is, byte for byte
// and in order.
func StripResponse(rawQuery string) string {
	if !strings.Contains(rawQuery, "WLS") && !strings.Contains(rawQuery, "%") {
		return rawQuery
	}
	var kept []string
	for part := range strings.SplitSeq(rawQuery, "&") {
		if _, is := responsePart(part); !is {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// responsePart reports whether one part of a query is the response, however its name
// is percent-encoded, and returns its undecoded value.
func responsePart(part string) (raw string, is bool) {
	name, raw, _ := strings.Cut(part, "=")
	if strings.Contains(name, "%") {
		name, _ = url.QueryUnescape(name)
	}
	return raw, name == ResponseParam
}

var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// unescapeLoosely decodes the escapes that are well formed and leaves the rest.
func unescapeLoosely(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(escape string) string {
		plain, _ := url.PathUnescape(escape) // which is right
		return plain
	})
}
