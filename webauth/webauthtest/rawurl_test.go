package webauthtest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// TestURLBeyondASCII: what Flask sends comes back signed byte for byte, in a Location that a
// browser asks the site for. The journal has the complaint.
func TestURLBeyondASCII(t *testing.T) {
	const sent, asked = "http://localhost:8080/café?q=€&r=", "http://localhost:8080/caf%C3%A9?"
	for _, quirk := range append(webauthtest.Quirks(), "") {
		t.Run(string(quirk), func(t *testing.T) {
			var quirks []webauthtest.Quirk
			if quirk != "" {
				quirks = append(quirks, quirk)
			}
			w := webauthtest.New(t, atNoon(), webauthtest.WithQuirks(quirks...))
			back, err := w.Respond(loginURL(w, func(r *wls.Request) { r.URL = sent }), "test0001")
			require.NoError(t, err)
			assert.True(t, strings.HasPrefix(back, asked), back)
			assert.NotRegexp(t, `[^!-~]`, back)
			assert.Contains(t, back, "q=%E2%82%AC")
			assert.Equal(t, sent, strings.Split(responseIn(t, back), "!")[5])
			assert.Equal(t, "parameter 'url' has characters outside ASCII: the site should percent-encode them", last(t, w).Request.Complaint())
		})
	}
	w := webauthtest.New(t)
	_, err := w.Respond(loginURL(w, nil), "test0001")
	require.NoError(t, err)
	assert.Empty(t, last(t, w).Request.Complaint())
}

// TestURLBeyondASCII_overHTTP: the header on the wire has no other bytes than ASCII.
func TestURLBeyondASCII_overHTTP(t *testing.T) {
	w := webauthtest.New(t)
	resp, err := noWait(w).Get(w.Service().AuthURL + "?ver=3&iact=no&url=" + url.QueryEscape("http://localhost:8080/café"))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.True(t, strings.HasPrefix(resp.Header.Get("Location"), "http://localhost:8080/caf%C3%A9?WLS-Response=3%21540"), resp.Header.Get("Location"))
}
