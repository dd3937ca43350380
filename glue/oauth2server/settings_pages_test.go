package oauth2server

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

var nextPage = regexp.MustCompile(`href="([^"]+)" rel="next">Next page</a>`)

// next follows the link to the next page of a list.
func (p *party) next(a answer) answer {
	p.t.Helper()
	found := nextPage.FindStringSubmatch(a.body)
	require.NotNil(p.t, found, a.body)
	return p.open(p.url + html.UnescapeString(found[1]))
}

func TestSettings_pages(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.MaxPersonal, c.MaxClients = store.PageSize+2, store.PageSize+2 }).party(t)
	for range store.PageSize + 1 {
		p.personal(t, p.person, "profile")
		c := p.client(t, p.person)
		p.authorised(t, c, p.person, "profile")
	}
	for _, list := range []struct{ path, item string }{
		{"/tokens", "<li data-token="}, {"/applications", "<li data-app="}, {"/authorised", "<li data-app="},
	} {
		t.Run(list.path, func(t *testing.T) {
			first := p.settings(list.path)
			assert.Equal(t, store.PageSize, strings.Count(first.body, list.item))
			assert.NotContains(t, first.body, "First page")
			checkMarkup(t, first.body)
			second := p.next(first)
			assert.Equal(t, 1, strings.Count(second.body, list.item))
			assert.Empty(t, nextPage.FindString(second.body), "the last one")
			assert.Contains(t, second.body, `<a href="/oauth/settings`+list.path+`">First page</a>`)
			checkMarkup(t, second.body)
		})
	}
}

// Who takes something back stays on the page where they are.
func TestSettings_revokingOnALaterPage(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.MaxPersonal = store.PageSize + 2 }).party(t)
	for range store.PageSize + 2 {
		p.personal(t, p.person, "profile")
	}
	first := p.settings("/tokens")
	assert.NotContains(t, first.body, "/tokens/new", "as many as there may be")
	second := p.next(first)
	revoke := regexp.MustCompile(`action="/oauth/settings(/tokens/[A-Z0-9]{26}/revoke\?from=[^"]+)"`)
	for _, left := range []int{1, store.PageSize} { // the last of a page leads to the first page
		action := revoke.FindStringSubmatch(second.body)
		require.NotNil(t, action, second.body)
		second = p.fill(second, html.UnescapeString(action[1]))
		requireKind(t, second, http.StatusOK, "tokens")
		assert.Contains(t, second.body, "The token is revoked.")
		assert.Equal(t, left, strings.Count(second.body, "<li data-token="))
	}
	assert.Contains(t, p.settings("/tokens?from=x").body, "/tokens/new")
}

// What one person's request says of a page of a list is not remembered for the next, nor for
// anybody else.
func TestSettings_revokingLeadsToOnesOwnPage(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	revoke := func(p *party, query string) string {
		made, _, err := p.store.CreatePersonal(t.Context(), store.Token{Principal: p.person, Scopes: []string{"profile"}})
		require.NoError(t, err)
		return p.fill(p.settings("/tokens"), "/tokens/"+made.ID+"/revoke"+query).Request.URL.RequestURI()
	}
	one, other := w.party(t), w.party(t)
	assert.Equal(t, "/oauth/settings/tokens?from=here&done=revoked", revoke(one, "?from=here"))
	assert.Equal(t, "/oauth/settings/tokens?done=revoked", revoke(one, ""))
	assert.Equal(t, "/oauth/settings/tokens?from=there&done=revoked", revoke(other, "?from=there"))
	assert.Equal(t, "/oauth/settings/tokens?done=revoked", revoke(other, ""))
}
