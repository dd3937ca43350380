package glue_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// longQueries are queries of 8 KiB as sites have them.
func longQueries() map[string]string {
	random := make([]byte, 6<<10)
	_, _ = rand.Read(random)
	kibana := "_g=(filters:!(),refreshInterval:(pause:!t,value:0),time:(from:now-15m,to:now))&_a=(columns:!(message,host.name),query:(language:kuery,query:'status%20%3E=%20500'))&"
	return map[string]string{
		"random base64url":     "state=" + base64.RawURLEncoding.EncodeToString(random)[:8<<10-6],
		"percent-encoded text": "q=" + strings.Repeat(url.QueryEscape("Gödel–Łukasiewicz 数学"), 200)[:8<<10-5],
		"a dashboard":          strings.Repeat(kibana, 60)[:8<<10],
		"percent signs":        strings.Repeat("%25", 8<<10/3),
		"ampersands":           strings.Repeat("&", 8<<10),
	}
}

// A long address comes back whole from a login.
func TestLongTarget(t *testing.T) {
	for name, query := range longQueries() {
		for _, tls := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, https: %v", name, tls), func(t *testing.T) {
				s := startSite(t, setup{tls: tls})
				b := s.browser("test0001")
				target := "/private/page?" + query
				location := b.begin(target)
				require.LessOrEqual(t, len(location), 2048)
				signed := fields(t, location).Get("url")
				require.True(t, strings.HasPrefix(signed, s.url+"/private/page?wls-target="), signed)
				a := b.get(s.respond(location, "test0001"))
				assert.Equal(t, target, a.requireEcho("test0001").RequestURI)
				assert.Equal(t, http.StatusOK, b.once(target).StatusCode)
				assert.Empty(t, b.parked("/private/page"), "nothing is left behind")
			})
		}
	}
}

// parked are the cookies of long targets that a browser sends with a request for a path.
func (b *browser) parked(path string) (names []string) {
	u, err := url.Parse(b.site.url + path)
	require.NoError(b.site.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.Contains(c.Name, "wls-target") || strings.Contains(c.Name, "wls-parked") {
			names = append(names, c.Name)
		}
	}
	return names
}
