package webauth_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestResponseFrom(t *testing.T) {
	big := strings.Repeat("x", 8192)
	for _, row := range []struct {
		name, query string
		value       string
		found, fail bool
		strip       string
	}{
		{name: "empty"},
		{name: "none", query: "a=1&b=2", strip: "a=1&b=2"},
		{name: "alone", query: "WLS-Response=3!200", value: "3!200", found: true},
		{name: "first", query: "WLS-Response=v&a=1", value: "v", found: true, strip: "a=1"},
		{name: "last", query: "a=1&WLS-Response=v", value: "v", found: true, strip: "a=1"},
		{name: "in the middle", query: "a=%41+b&WLS-Response=v&c=", value: "v", found: true, strip: "a=%41+b&c="},
		{name: "blanks as plus", query: "WLS-Response=For+babies", value: "For babies", found: true},
		{name: "blanks as %20", query: "WLS-Response=For%20babies", value: "For babies", found: true},
		{name: "everything encoded", query: "WLS-Response=%33%21200", value: "3!200", found: true},
		{name: "decoded once", query: "WLS-Response=a%2521b", value: "a%21b", found: true},
		{name: "name encoded", query: "%57LS%2DResponse=v&a", value: "v", found: true, strip: "a"},
		{name: "with = in the value", query: "WLS-Response=a=b==", value: "a=b==", found: true},
		{name: "without a value", query: "WLS-Response", found: true},
		{name: "with an empty value", query: "a&WLS-Response=", found: true, strip: "a"},
		{name: "semicolon is no separator", query: "a=1;WLS-Response=v", strip: "a=1;WLS-Response=v"},
		{name: "semicolon inside the value", query: "WLS-Response=v;a=1", value: "v;a=1", found: true},
		{name: "small letters are another name", query: "wls-response=v", strip: "wls-response=v"},
		{name: "longer name", query: "WLS-Response2=v&xWLS-Response=v&WLS-Response%00=v", strip: "WLS-Response2=v&xWLS-Response=v&WLS-Response%00=v"},
		{name: "name with a bad escape", query: "WLS-Response%zz=v", strip: "WLS-Response%zz=v"},
		{name: "blank in the name", query: "WLS-Response+=v&+WLS-Response=v", strip: "WLS-Response+=v&+WLS-Response=v"},
		{name: "empty parts stay", query: "&a=1&&WLS-Response=v&", value: "v", found: true, strip: "&a=1&&"},
		{name: "twice", query: "WLS-Response=v&WLS-Response=v", found: true, fail: true},
		{name: "twice, once encoded", query: "WLS-Response=v&a=1&%57LS-Response=w", found: true, fail: true, strip: "a=1"},
		{name: "twice, one empty", query: "WLS-Response=v&WLS-Response", found: true, fail: true},
		{name: "twice, one badly encoded", query: "WLS-Response=%&WLS-Response=v", found: true, fail: true},
		{name: "bad escape", query: "WLS-Response=a%2", found: true, fail: true},
		{name: "no hexadecimal", query: "a=%zz&WLS-Response=%zz", found: true, fail: true, strip: "a=%zz"},
		{name: "8 KiB", query: "WLS-Response=" + big, value: big, found: true},
		{name: "8 KiB, all of it encoded", query: "WLS-Response=" + strings.Repeat("%78", 8192), value: big, found: true},
		{name: "over 8 KiB", query: "WLS-Response=" + big + "x", found: true, fail: true},
		{name: "far over 8 KiB", query: "WLS-Response=" + strings.Repeat(big, 100), found: true, fail: true},
		{name: "over 8 KiB and a second one", query: "WLS-Response=" + strings.Repeat(big, 4) + "&WLS-Response=v", found: true, fail: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			value, found, err := webauth.ResponseFrom(row.query)
			assert.Equal(t, row.found, found)
			if row.fail {
				e := wantReason(t, webauth.ReasonMalformed, err)
				assert.Less(t, len(e.Error()), 200, "the error does not repeat the query")
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, row.value, value)
			assert.Equal(t, row.strip, webauth.StripResponse(row.query))
		})
	}
}

func TestResponseFromAgreesWithNetURL(t *testing.T) {
	// What other parts of a program see through url.Values is the same value.
	want := "3!200!For babies!a%21b%25c+d=&"
	for _, query := range []string{
		"a=1&" + url.Values{webauth.ResponseParam: {want}}.Encode(),
		"WLS-Response=" + strings.ReplaceAll(url.QueryEscape(want), "+", "%20") + "&z=%26",
	} {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		value, found, err := webauth.ResponseFrom(query)
		require.NoError(t, err)
		assert.True(t, found)
		assert.Equal(t, want, value)
		assert.Equal(t, values.Get(webauth.ResponseParam), value)
	}
}
