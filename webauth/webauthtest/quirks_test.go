package webauthtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// TestQuirksOfSuccesses asserts for every quirk what is sent, and that a site must be
// able to accept it: a quirk is no fault.
func TestQuirksOfSuccesses(t *testing.T) {
	tests := []struct {
		quirk webauthtest.Quirk
		want  []string
		url   string // the return URL up to the value's first letters
	}{
		{webauthtest.QuirkV1Cancel, ordinary, target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkUnsignedFailure, ordinary, target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkRewriteQuery, ordinary, target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkPlus, ordinary, target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkResponseFirst, ordinary, "http://localhost:8080/private/?WLS-Response=3%21200"},
		{webauthtest.QuirkNoPtags, with(map[int]string{7: ""}), target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkLifeEmpty, with(map[int]string{10: ""}), target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkLifeZero, with(map[int]string{10: "0"}), target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkLifeNegative, with(map[int]string{10: "-60"}), target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkShortID, ordinary, target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkOldID, ordinary, target + "&WLS-Response=3%21200"},
		{webauthtest.QuirkSSOBesideAuth, with(map[int]string{9: "pwd"}), target + "&WLS-Response=3%21200"},
	}
	tested := make(map[webauthtest.Quirk]bool)
	for _, tt := range tests {
		tested[tt.quirk] = true
		t.Run(string(tt.quirk), func(t *testing.T) {
			w := webauthtest.New(t, atNoon(), webauthtest.WithQuirks(tt.quirk))
			got, err := w.Respond(loginURL(w, nil), "test0001")
			require.NoError(t, err)
			assert.Equal(t, tt.want, fieldsOf(responseIn(t, got)))
			assert.Equal(t, tt.url, got[:len(tt.url)])
			assert.Equal(t, []webauthtest.Quirk{tt.quirk}, last(t, w).Quirks)
			_, err = verify(t, w, got, target)
			assert.NoError(t, err)
		})
	}
	for _, q := range webauthtest.Quirks() {
		assert.True(t, tested[q], "quirk %q has no test", q)
	}
}

func TestQuirksOfFailures(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	w.SetQuirks(webauthtest.Quirks()...)
	got, err := w.Respond(loginURL(w, nil), "", webauthtest.Cancels)
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "410", "cancelled by the user", "20260102T120000Z", "ID", target, "", "", "", "", "p", "", ""},
		fieldsOf(responseIn(t, got)))
	assert.Equal(t, "http://localhost:8080/private/?WLS-Response=1%21410%21cancelled+by+the+user%21", got[:78])
	assert.Equal(t, "http://localhost:8080/private/?WLS-Response=VALUE", maskValue(got))
	w.SetQuirks()
	got, err = w.Respond(loginURL(w, nil), "", webauthtest.Cancels)
	require.NoError(t, err)
	assert.Equal(t, target+"&WLS-Response=3%21410%21cancelled%20by%20the%20user%21", got[:len(target)+54])
}

func TestReturnURLs(t *testing.T) {
	tests := []struct {
		name   string
		url    string
		quirks []webauthtest.Quirk
		want   string // with the value as VALUE
	}{
		{"rewritten: blanks dropped, escapes normalised", "http://localhost/x?a=&b&c=%41%20%7e~*&d=+&e=%2f/#top",
			[]webauthtest.Quirk{webauthtest.QuirkRewriteQuery}, "http://localhost/x?c=A+~~%2A&d=+&e=%2F%2F&WLS-Response=VALUE"},
		{"rewritten: nothing left", "http://localhost/x?a=&b#top", []webauthtest.Quirk{webauthtest.QuirkRewriteQuery},
			"http://localhost/x?WLS-Response=VALUE"},
		{"rewritten: what is no escape stays", "http://localhost/x?a=50%+x", []webauthtest.Quirk{webauthtest.QuirkRewriteQuery},
			"http://localhost/x?a=50%25+x&WLS-Response=VALUE"},
		{"first, with a fragment", "http://localhost/x?a=1&b=%20#top", []webauthtest.Quirk{webauthtest.QuirkResponseFirst},
			"http://localhost/x?WLS-Response=VALUE&a=1&b=%20#top"},
		{"first, without a query", "http://localhost/x#top", []webauthtest.Quirk{webauthtest.QuirkResponseFirst},
			"http://localhost/x?WLS-Response=VALUE#top"},
		{"rewritten and first", "http://localhost/x?a=%41&b", []webauthtest.Quirk{webauthtest.QuirkResponseFirst, webauthtest.QuirkRewriteQuery},
			"http://localhost/x?WLS-Response=VALUE&a=A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := webauthtest.New(t, atNoon(), webauthtest.WithQuirks(tt.quirks...))
			got, err := w.Respond(loginURL(w, func(r *wls.Request) { r.URL = tt.url }), "test0001")
			require.NoError(t, err)
			assert.Equal(t, tt.want, maskValue(got))
			assert.Equal(t, tt.url, last(t, w).Response.URL, "the signed url stays whole")
		})
	}
}

func TestIDs(t *testing.T) {
	for quirk, form := range map[webauthtest.Quirk]string{
		"":                       `^[A-Z2-7]{24}$`,
		webauthtest.QuirkShortID: `^[1-9][0-9]{5}$`,
		webauthtest.QuirkOldID:   `^1767355200-[0-9]{5}-[0-9]{2}$`,
	} {
		w := webauthtest.New(t, atNoon())
		if quirk != "" {
			w.SetQuirks(quirk)
		}
		ids := make(map[string]bool)
		for range 3 {
			got, err := w.Respond(loginURL(w, nil), "test0001")
			require.NoError(t, err)
			id := parse(t, got).ID()
			assert.Regexp(t, form, id)
			ids[id] = true
		}
		assert.Len(t, ids, 3, "ids differ")
	}
}

func TestNoPtagsShowsInTheService(t *testing.T) {
	w := webauthtest.New(t)
	assert.False(t, w.Service().NoPtags)
	w.SetQuirks(webauthtest.QuirkNoPtags)
	assert.True(t, w.Service().NoPtags)
}
