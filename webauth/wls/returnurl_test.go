package wls_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

func TestReturnURL(t *testing.T) {
	tests := []struct {
		name, target string
		ver          int
		options      []wls.ReturnOption
		want         string
	}{
		{"no query", "https://soc.example/a", 3, nil, "https://soc.example/a?WLS-Response=3%21a%20b%2Bc"},
		{"no path", "https://soc.example", 3, nil, "https://soc.example?WLS-Response=3%21a%20b%2Bc"},
		{"a query", "https://soc.example/a?x=%41", 3, nil, "https://soc.example/a?x=%41&WLS-Response=3%21a%20b%2Bc"},
		{"an empty query", "https://soc.example/a?", 3, nil, "https://soc.example/a?WLS-Response=3%21a%20b%2Bc"},
		{"a query in version 2", "https://soc.example/a?x", 2, nil, "https://soc.example/a?x&WLS-Response=3%21a%20b%2Bc"},
		{"a query in version 1 is dropped", "https://soc.example/a?x=1?y", 1, nil, "https://soc.example/a?WLS-Response=3%21a%20b%2Bc"},
		{"a fragment stays last", "https://soc.example/a?x=1#f?g", 3, nil, "https://soc.example/a?x=1&WLS-Response=3%21a%20b%2Bc#f?g"},
		{"a fragment without a query", "https://soc.example/a#f?g", 3, nil, "https://soc.example/a?WLS-Response=3%21a%20b%2Bc#f?g"},
		{"a fragment in version 1", "https://soc.example/a?x#", 1, nil, "https://soc.example/a?WLS-Response=3%21a%20b%2Bc#"},
		{"blanks as plus", "https://soc.example/a", 3, []wls.ReturnOption{wls.PlusSpaces}, "https://soc.example/a?WLS-Response=3%21a+b%2Bc"},
		{"beyond ASCII", "https://soc.example/café?a=%41€#é", 3, nil, "https://soc.example/caf%C3%A9?a=%41%E2%82%AC&WLS-Response=3%21a%20b%2Bc#%C3%A9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wls.ReturnURL(tt.target, tt.ver, "3!a b+c", tt.options...)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := wls.ReturnURL("/a", 3, "v")
	assert.EqualError(t, err, "wls: the return URL is not an absolute http or https URL")
}
