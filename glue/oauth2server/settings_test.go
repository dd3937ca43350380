package oauth2server

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// settings opens a settings page.
func (p *party) settings(path string) answer {
	p.t.Helper()
	return p.open(p.url + "/oauth/settings" + path)
}

// fill sends a form of a settings page; fields are names and values.
func (p *party) fill(page answer, path string, fields ...string) answer {
	p.t.Helper()
	token := formToken.FindStringSubmatch(page.body)
	require.NotNil(p.t, token, page.body)
	form := url.Values{"xsrf-token": {html.UnescapeString(token[1])}}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return p.submit(p.url+"/oauth/settings"+path, form)
}

// requireKind fails the test unless the answer is that page.
func requireKind(t testing.TB, a answer, status int, kind string) {
	t.Helper()
	require.Equal(t, status, a.StatusCode, a.body)
	require.Contains(t, a.body, `data-page="`+kind+`"`)
}

// shown is the secret that a page shows.
func (p *party) shown(a answer) string {
	p.t.Helper()
	found := regexp.MustCompile(`<input class="secret" id="secret" type="text" value="(wls[ps]_[0-9A-Za-z]{49})" readonly `).FindStringSubmatch(a.body)
	require.NotNil(p.t, found, a.body)
	p.hide(found[1])
	assert.Equal(p.t, "no-store", a.Header.Get("Cache-Control"))
	assert.NotContains(p.t, a.Request.URL.String(), found[1])
	return found[1]
}

var tokenFields = []string{"name", "laptop <1>", "scope", "records:read", "scope", "profile", "life", "30"}

func TestSettings_token(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		p := newWorld(t, db).party(t)
		empty := p.settings("")
		requireKind(t, empty, http.StatusOK, "tokens")
		assert.Equal(t, "/oauth/settings/tokens", empty.Request.URL.Path)

		form := p.settings("/tokens/new")
		requireKind(t, form, http.StatusOK, "token-new")
		assert.NotContains(t, form.body, "harvest", "internal")
		made := p.fill(form, "/tokens/new", tokenFields...)
		requireKind(t, made, http.StatusOK, "token-made")
		text := p.shown(made)
		assert.True(t, p.works(text))

		// Reloading the page sends the same form again.
		again := p.fill(form, "/tokens/new", tokenFields...)
		requireKind(t, again, http.StatusForbidden, "form-expired")
		tokens, err := p.store.PersonalTokens(t.Context(), p.person, store.Place{})
		require.NoError(t, err)
		require.Len(t, tokens, 1)
		assert.Equal(t, []string{"profile", "records:read"}, tokens[0].Scopes)
		assert.Equal(t, testNow.Add(30*24*time.Hour), tokens[0].Expires)

		list := p.settings("/tokens")
		for _, part := range []string{"laptop &lt;1&gt;", "Read your records.", "See who you are.", "31 March 2026, 12:00 UTC", "1 March 2026, 12:00 UTC"} {
			assert.Contains(t, list.body, part)
		}
		assert.NotContains(t, list.body, text)

		revoked := p.fill(list, "/tokens/"+tokens[0].ID+"/revoke")
		requireKind(t, revoked, http.StatusOK, "tokens")
		assert.Contains(t, revoked.body, "You have no tokens.")
		assert.False(t, p.works(text))
		assert.Equal(t, 1, p.count(EventTokenCreated, ""))
		assert.Equal(t, 1, p.count(EventTokenRevoked, ""))
		p.assertNothingLeaked()
	})
}

func TestSettings_tokenMistakes(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	for _, c := range []struct {
		name, field string
		fields      []string
		kept        string
	}{
		{"no name", "name", []string{"name", "  ", "scope", "profile", "life", "30"}, `value="profile" checked`},
		{"a long name", "name", []string{"name", strings.Repeat("é", 101), "scope", "profile", "life", "7"}, `value="` + strings.Repeat("é", 101) + `"`},
		{"a name that turns around", "name", []string{"name", "a\u202eb", "scope", "profile", "life", "7"}, `<option value="7" selected>`},
		{"a name that is no text", "name", []string{"name", "a\xffb", "scope", "profile", "life", "7"}, ""},
		{"no scope", "scopes", []string{"name", "a<b", "life", "none"}, `value="a&lt;b"`},
		{"an internal scope", "scopes", []string{"name", "a", "scope", "harvest", "life", "none"}, `<option value="none" selected>`},
		{"an unknown scope", "scopes", []string{"name", "a", "scope", "x", "life", "30"}, `value="a"`},
		{"another life", "life", []string{"name", "a", "scope", "profile", "life", "3650"}, `value="profile" checked`},
		{"no life", "life", []string{"name", "a", "scope", "profile"}, `value="profile" checked`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := p.fill(p.settings("/tokens/new"), "/tokens/new", c.fields...)
			requireKind(t, a, http.StatusUnprocessableEntity, "token-new")
			assert.Contains(t, a.body, `<title>Error: New token – `)
			assert.Contains(t, a.body, `<a href="#`+c.field+`">`)
			assert.Contains(t, a.body, `id="`+c.field+`-error"`)
			assert.Contains(t, a.body, c.kept, "what was typed")
			tokens, err := p.store.PersonalTokens(t.Context(), p.person, store.Place{})
			require.NoError(t, err)
			assert.Empty(t, tokens)
		})
	}
}

func TestSettings_lives(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		most  time.Duration
		want  []string
		usual string
	}{
		{"no bound", 0, []string{"7", "30", "90", "365", "none"}, "30"},
		{"a usual one", 90 * day, []string{"7", "30", "90"}, "30"},
		{"between two", 14 * day, []string{"7", "longest"}, "longest"},
		{"below all", 5 * time.Hour, []string{"longest"}, "longest"},
		{"above all", 500 * day, []string{"7", "30", "90", "365", "longest"}, "30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lives := livesUpTo(c.most, testNow)
			var got []string
			for _, l := range lives {
				got = append(got, l.Value)
				assert.True(t, c.most == 0 || l.lasts > 0 && l.lasts <= c.most)
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.usual, usualLife(lives))
		})
	}
}

func TestSettings_limits(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.MaxPersonal, c.MaxClients = 1, 1 })
	p := w.party(t)
	requireKind(t, p.fill(p.settings("/tokens/new"), "/tokens/new", tokenFields...), http.StatusOK, "token-made")
	a := p.fill(p.settings("/tokens/new"), "/tokens/new", tokenFields...)
	requireKind(t, a, http.StatusUnprocessableEntity, "token-new")
	assert.Contains(t, a.body, "You have 1 tokens")
	assert.NotContains(t, p.settings("/tokens").body, "/tokens/new")
	requireKind(t, p.fill(p.settings("/applications/new"), "/applications/new", appFields...), http.StatusOK, "secret")
	a = p.fill(p.settings("/applications/new"), "/applications/new", appFields...)
	requireKind(t, a, http.StatusUnprocessableEntity, "app-form")
	assert.Contains(t, a.body, "https://reader.example/cb", "what was typed")
	assert.NotContains(t, p.settings("/applications").body, "/applications/new")
}

// TestSettings_othersThings has a person try everything on what is another's.
func TestSettings_othersThings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		w := newWorld(t, db)
		owner, thief := w.party(t), w.party(t)
		text := owner.shown(owner.fill(owner.settings("/tokens/new"), "/tokens/new", tokenFields...))
		owner.fill(owner.settings("/applications/new"), "/applications/new", appFields...)
		tokens, err := w.store.PersonalTokens(t.Context(), owner.person, store.Place{})
		require.NoError(t, err)
		c := owner.ownApp()
		got := owner.tokens(owner.app)
		require.True(t, owner.works(got.Access))

		for _, path := range []string{"", "/edit", "/secret"} {
			requireKind(t, thief.settings("/applications/"+c.ID+path), http.StatusNotFound, "not-found")
		}
		for _, path := range []string{
			"/tokens/" + tokens[0].ID + "/revoke", "/applications/" + c.ID + "/edit", "/applications/" + c.ID + "/secret",
			"/applications/" + c.ID + "/delete", "/authorised/" + owner.app.id + "/revoke",
		} {
			a := thief.fill(thief.settings("/applications/new"), path, "name", "Stolen", "redirects", "https://thief.example/")
			requireKind(t, a, http.StatusNotFound, "not-found")
		}
		for _, path := range []string{"/tokens", "/applications", "/authorised"} {
			assert.NotContains(t, thief.settings(path).body, "Reader")
			assert.NotContains(t, thief.settings(path).body, "laptop")
		}
		assert.True(t, owner.works(text))
		assert.True(t, owner.works(got.Access))
		assert.Equal(t, c, owner.ownApp())
	})
}

func TestSettings_formsOfOthers(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.settings("/tokens") // logs in
	other := p.url + "/oauth/csrf"
	elsewhere := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(p.open(other).body)
	require.NotNil(t, elsewhere)
	for _, path := range []string{
		"/tokens/new", "/tokens/x/revoke", "/applications/new", "/applications/x/edit", "/applications/x/secret", "/applications/x/delete", "/authorised/x/revoke",
	} {
		if strings.HasSuffix(path, "/new") || strings.HasSuffix(path, "/edit") || strings.HasSuffix(path, "/secret") {
			p.settings("/tokens/new") // a fresh login
		}
		for name, token := range map[string]string{"without a token": "", "with the token for the API": elsewhere[1]} {
			a := p.submit(p.url+"/oauth/settings"+path, url.Values{"xsrf-token": {token}, "name": {"a"}, "scope": {"profile"}, "life": {"7"}})
			requireKind(t, a, http.StatusForbidden, "form-expired")
			assert.NotContains(t, a.body, "wlsp_", "%s %s", path, name)
		}
		a := p.open(p.url + "/oauth/settings" + path + "?xsrf-token=" + url.QueryEscape(elsewhere[1]))
		assert.NotContains(t, a.body, "wlsp_", "a GET changes nothing")
	}
	tokens, err := p.store.PersonalTokens(t.Context(), p.person, store.Place{})
	require.NoError(t, err)
	assert.Empty(t, tokens)
}

// TestSettings_fresh types a password for what gives access, and for nothing else.
func TestSettings_fresh(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	form := p.settings("/tokens/new")
	p.fill(form, "/tokens/new", tokenFields...)
	logins := len(p.fake.Requests())
	form = p.settings("/tokens/new")
	assert.Len(t, p.fake.Requests(), logins, "it was typed just now")

	p.fake.Advance(6 * time.Minute)
	list := p.settings("/tokens")
	assert.Len(t, p.fake.Requests(), logins)
	kept := p.fill(form, "/tokens/new", "name", "kept over the login", "scope", "profile", "life", "7")
	require.Equal(t, http.StatusUnauthorized, kept.StatusCode)
	assert.Contains(t, kept.body, `data-page="form-kept"`)
	tokens, err := p.store.PersonalTokens(t.Context(), p.person, store.Place{})
	require.NoError(t, err)
	require.Len(t, tokens, 1)
	requireKind(t, p.fill(list, "/tokens/"+tokens[0].ID+"/revoke"), http.StatusOK, "tokens")

	requireKind(t, p.settings("/applications/new"), http.StatusOK, "app-form")
	assert.Greater(t, len(p.fake.Requests()), logins, "the password was asked for")
	sealed := regexp.MustCompile(`name="wls-kept" value="([^"]+)"`).FindStringSubmatch(kept.body)
	require.NotNil(t, sealed)
	made := p.submit(p.url+"/oauth/settings/tokens/new?wls-kept=1", url.Values{"wls-kept": {html.UnescapeString(sealed[1])}})
	requireKind(t, made, http.StatusOK, "token-made")
	assert.Contains(t, made.body, "kept over the login")
	again := p.submit(p.url+"/oauth/settings/tokens/new?wls-kept=1", url.Values{"wls-kept": {html.UnescapeString(sealed[1])}})
	assert.Equal(t, http.StatusForbidden, again.StatusCode)
}

func TestSettings_authorised(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	got := p.tokens(p.app)
	require.True(t, p.works(got.Access))
	list := p.settings("/authorised")
	requireKind(t, list, http.StatusOK, "authorised")
	assert.Contains(t, list.body, "Read your records.")
	assert.Contains(t, list.body, "1 March 2026, 12:00 UTC")
	gone := p.fill(list, "/authorised/"+p.app.id+"/revoke")
	requireKind(t, gone, http.StatusOK, "authorised")
	assert.Contains(t, gone.body, "You have allowed no applications.")
	assert.Contains(t, gone.body, `role="status"`)
	assert.False(t, p.works(got.Access))
	assert.Equal(t, 1, p.count(EventUnauthorised, p.app.id))
}

func TestSettings_notice(t *testing.T) {
	for from, want := range map[string]string{"": "Done.", "same-origin": "Done.", "none": "", "cross-site": "", "same-site": ""} {
		r, err := http.NewRequest(http.MethodGet, "/oauth/settings/tokens?done=it", http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Sec-Fetch-Site", from)
		assert.Equal(t, want, notice(r, map[string]string{"it": "Done."}), "from %q", from)
	}
}

func TestSettings_databaseGone(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	form := p.settings("/tokens/new")
	require.NoError(t, p.cfg.DB.Close())
	for _, path := range []string{"/tokens", "/applications", "/authorised"} {
		a := p.settings(path)
		requireKind(t, a, http.StatusServiceUnavailable, "unavailable")
		assert.Equal(t, "5", a.Header.Get("Retry-After"))
		ref := regexp.MustCompile(`reference: <code>([A-Z2-7]{8})</code>`).FindStringSubmatch(a.body)
		require.NotNil(t, ref, a.body)
		assert.Contains(t, p.log.String(), `"ref":"`+ref[1]+`"`)
	}
	a := p.fill(form, "/tokens/new", tokenFields...)
	requireKind(t, a, http.StatusServiceUnavailable, "unavailable")
	assert.NotContains(t, a.body, "wlsp_")
}
