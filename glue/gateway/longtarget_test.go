package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// longTargets are targets with a query of 8 KiB.
func longTargets() map[string]string {
	random := make([]byte, 6<<10)
	_, _ = rand.Read(random)
	return map[string]string{
		"random base64url":     "/private/page?state=" + base64.RawURLEncoding.EncodeToString(random)[:8<<10-6],
		"percent-encoded text": "/private/page?q=" + strings.Repeat(url.QueryEscape("Gödel–Łukasiewicz 数学"), 200)[:8<<10-5],
		"a dashboard":          "/private/page?" + strings.Repeat("_g=(filters:!(),time:(from:now-15m,to:now))&_a=(query:%27status%20%3E=%20500%27)&", 120)[:8<<10],
	}
}

// Long addresses come back whole from a login, behind any front server and without one.
func frontLongTargets(t *testing.T, w *world) {
	for name, target := range longTargets() {
		t.Run(name, func(t *testing.T) {
			w.backend.reset()
			v := w.visitor("test0001")
			answer := v.get(target)
			require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
			got := w.backend.one(t)
			assert.Equal(t, target, got.Target)
			assert.Equal(t, "test0001", got.user())
			assert.NotContains(t, strings.Join(got.Header["Cookie"], ""), "wls-target")
			for _, c := range v.cookiesFor(serve.LoginPath) {
				assert.NotContains(t, c.Name, "wls-target", "nothing is left behind")
			}
		})
	}
}

// frontManyTabs begins logins in five tabs before any of them comes back.
func frontManyTabs(t *testing.T, w *world) {
	target := longTargets()["random base64url"]
	v := w.visitor("test0001")
	login := v.client.CheckRedirect
	v.client.CheckRedirect = w.fake.StopAtLogin
	const tabs = 5
	var locations [tabs]string
	for i := range locations {
		locations[i] = v.get(target + "&tab=" + string(rune('0'+i))).Header.Get("Location")
		require.True(t, strings.HasPrefix(locations[i], w.fake.Service().AuthURL), locations[i])
	}
	v.client.CheckRedirect = login
	whole := 0
	for i, location := range locations {
		back, err := w.fake.Respond(location, "test0001")
		require.NoError(t, err)
		w.backend.reset()
		answer := v.get(strings.TrimPrefix(back, w.url))
		require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
		if got := w.backend.take(); len(got) == 1 {
			assert.Equal(t, target+"&tab="+string(rune('0'+i)), got[0].Target)
			whole++
			continue
		}
		assert.Contains(t, answer.body, `data-page="target-lost"`, "and otherwise the person is told")
		_, link, _ := strings.Cut(answer.body, `href="`)
		link, _, _ = strings.Cut(link, `"`)
		require.Equal(t, http.StatusOK, v.get(strings.TrimPrefix(link, w.url)).StatusCode)
		assert.Equal(t, "/private/page", w.backend.one(t).Target, "the page without its query")
	}
	assert.Equal(t, tabs-1, whole)
}

func TestLongTargets(t *testing.T) {
	for _, tls := range []bool{false, true} {
		w := newWorld(t, kit{tls: tls})
		frontLongTargets(t, w)
		frontManyTabs(t, w)
	}
}

// cookiesFor are the cookies that a browser sends with a request for a path.
func (v *visitor) cookiesFor(path string) []*http.Cookie {
	u, err := url.Parse(v.w.url + path)
	require.NoError(v.w.t, err)
	return v.client.Jar.Cookies(u)
}
