package oauth2server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// A state of any length that is accepted comes back to the application whole, by way of
// a login too.
func TestLongState(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for name, unit := range map[string]string{"plain": "s", "JSON": `{"a":"b"},`, "base64": "ab+/cd=="} {
		for _, size := range []int{400, 2000, 4000, maxQuery} { // bytes of the query
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				p := w.party(t)
				q := p.longAsk(unit, size, "")
				a := p.visit(q)
				require.True(t, a.isConsent(), a.body)
				back := p.back(p.press(a, "allow"), q)
				assert.Equal(t, q.query.Get("state"), back.Get("state"))
				assert.NotEmpty(t, back.Get("code"))
			})
		}
	}
	p := w.party(t)
	p.requirePage(p.visit(p.longAsk("s", maxQuery+20, "")), http.StatusBadRequest)
}

// An application opens five tabs before the person logs in in any of them.
func TestLongStateInFiveTabs(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.browser.CheckRedirect = p.fake.StopAtLogin
	var asks [5]ask
	var locations [5]string
	for i := range asks {
		asks[i] = p.longAsk("ab+/cd==", maxQuery, fmt.Sprint(i))
		locations[i] = p.visit(asks[i]).Header.Get("Location")
	}
	p.browser.CheckRedirect = p.newBrowser().CheckRedirect
	for i, location := range locations {
		back, err := p.fake.Respond(location, p.person)
		require.NoError(t, err)
		a := p.open(back)
		if i == 0 { // four wait, and this is the oldest
			assert.Contains(t, a.body, `data-page="target-lost"`)
			continue
		}
		require.True(t, a.isConsent(), a.body)
		assert.Equal(t, asks[i].query.Get("state"), p.back(p.press(a, "deny"), asks[i]).Get("state"))
	}
}

// longAsk is a request whose query has about so many bytes, and no more.
func (p *party) longAsk(unit string, size int, begin string) ask {
	return p.ask(p.app, func(v url.Values) {
		v.Set("state", begin)
		room := (size - len(v.Encode())) / len(url.QueryEscape(unit))
		v.Set("state", begin+strings.Repeat(unit, max(room, 1)))
	})
}
