package oauth2server

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

var appFields = []string{"name", "Reader", "description", "Reads.\r\nWrites, too.", "website", "https://reader.example/", "kind", "confidential", "redirects", "https://reader.example/cb\r\n\r\nhttp://127.0.0.1/cb"}

// ownApp is the only application that the person has registered.
func (p *party) ownApp() store.Client {
	p.t.Helper()
	apps, err := p.store.ClientsOf(p.t.Context(), p.person, store.Place{})
	require.NoError(p.t, err)
	require.Len(p.t, apps, 1)
	return apps[0]
}

func TestSettings_application(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	made := p.fill(p.settings("/applications/new"), "/applications/new", appFields...)
	requireKind(t, made, http.StatusOK, "secret")
	secret, c := p.shown(made), p.ownApp()
	assert.True(t, c.CheckSecret(secret))
	assert.Equal(t, "Reads.\nWrites, too.", c.Description)
	assert.Equal(t, []string{"https://reader.example/cb", "http://127.0.0.1/cb"}, c.RedirectURIs)

	at := "/applications/" + c.ID
	page := p.settings(at)
	requireKind(t, page, http.StatusOK, "app")
	assert.NotContains(t, page.body, "wlss_")
	edit := p.settings(at + "/edit")
	requireKind(t, edit, http.StatusOK, "app-form")
	assert.Contains(t, edit.body, "https://reader.example/cb\nhttp://127.0.0.1/cb")
	edited := p.fill(edit, at+"/edit", "name", "Writer", "kind", "public", "redirects", "https://writer.example/")
	requireKind(t, edited, http.StatusOK, "app")
	c = p.ownApp()
	assert.Equal(t, "Writer", c.Name)
	assert.True(t, c.Confidential, "the kind never changes")
	assert.True(t, c.CheckSecret(secret))

	reset := p.fill(p.settings(at+"/secret"), at+"/secret")
	requireKind(t, reset, http.StatusOK, "secret")
	renewed := p.shown(reset)
	c = p.ownApp()
	assert.True(t, c.CheckSecret(renewed))
	assert.False(t, c.CheckSecret(secret))

	requireKind(t, p.fill(p.settings(at), at+"/delete"), http.StatusOK, "apps")
	requireKind(t, p.settings(at), http.StatusNotFound, "not-found")
	for _, name := range []string{EventClientRegistered, EventClientChanged, EventSecretReset, EventClientDeleted} {
		assert.Equal(t, 1, p.count(name, c.ID), name)
	}
	p.assertNothingLeaked()
}

func TestSettings_publicApplication(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	made := p.fill(p.settings("/applications/new"), "/applications/new", "name", "Phone", "kind", "public", "redirects", "com.example.app:/cb")
	requireKind(t, made, http.StatusOK, "app")
	at := "/applications/" + p.ownApp().ID
	assert.Equal(t, "/oauth/settings"+at, made.Request.URL.Path)
	requireKind(t, p.settings(at+"/secret"), http.StatusNotFound, "not-found")
	requireKind(t, p.fill(made, at+"/secret"), http.StatusNotFound, "not-found")
}

func TestSettings_applicationMistakes(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.Issuer = "https://issuer.example" }).party(t)
	for _, c := range []struct{ name, change, to, field string }{
		{"no name", "name", " ", "name"},
		{"a name of several lines", "name", "a\nb", "name"},
		{"a long description", "description", strings.Repeat("x", 501), "description"},
		{"a description that cannot be seen", "description", "a\u200bb", "description"},
		{"a web site that is a script", "website", "javascript:alert(1)", "website"},
		{"a web site on http", "website", "http://soc.example/", "website"},
		{"no kind", "kind", "", "kind"},
		{"another kind", "kind", "trusted", "kind"},
		{"a public one without addresses", "redirects", "", "redirects"},
		{"an address on http", "redirects", "https://a.example/\nhttp://soc.example/", "redirects"},
		{"an address of the site", "redirects", "https://a.example/\n" + p.url + "/cb", "redirects"},
		{"an address of the issuer", "redirects", "https://issuer.example/cb", "redirects"},
		{"too many addresses", "redirects", manyRedirects(11), "redirects"},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := url.Values{"name": {"Phone"}, "kind": {"public"}, "redirects": {"https://a.example/"}, "description": {"Kept <b>."}}
			form.Set(c.change, c.to)
			var fields []string
			for name := range form {
				fields = append(fields, name, form.Get(name))
			}
			a := p.fill(p.settings("/applications/new"), "/applications/new", fields...)
			requireKind(t, a, http.StatusUnprocessableEntity, "app-form")
			assert.Contains(t, a.body, `<a href="#`+c.field+`">`)
			assert.Contains(t, a.body, `id="`+c.field+`-error"`)
			if c.change != "description" {
				assert.Contains(t, a.body, "Kept &lt;b&gt;.", "what was typed")
			}
			assert.Empty(t, regexp.MustCompile(`href="javascript`).FindString(a.body))
		})
	}
	apps, err := p.store.ClientsOf(t.Context(), p.person, store.Place{})
	require.NoError(t, err)
	assert.Empty(t, apps)
}

func manyRedirects(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("https://a.example/" + strings.Repeat("x", i) + "\n")
	}
	return b.String()
}

func TestSettings_mayRegister(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) {
		c.MayRegister = func(_ *http.Request, id glue.Identity) bool { return id.Principal == "p1" }
	})
	may, mayNot := w.party(t), w.party(t)
	assert.Contains(t, may.settings("/applications").body, "/applications/new")
	assert.NotContains(t, mayNot.settings("/applications").body, "/applications/new")
	requireKind(t, mayNot.settings("/applications/new"), http.StatusForbidden, "forbidden")
	form := mayNot.settings("/tokens/new")
	requireKind(t, mayNot.fill(form, "/applications/new", appFields...), http.StatusForbidden, "forbidden")
	requireKind(t, may.fill(may.settings("/applications/new"), "/applications/new", appFields...), http.StatusOK, "secret")
}

// TestSettings_mayRegisterNoMore takes the right from somebody who used it.
func TestSettings_mayRegisterNoMore(t *testing.T) {
	var closed atomic.Bool
	p := newWorld(t, dbtest.SQLite(t), func(c *Config) {
		c.MayRegister = func(*http.Request, glue.Identity) bool { return !closed.Load() }
	}).party(t)
	secret := p.shown(p.fill(p.settings("/applications/new"), "/applications/new", appFields...))
	c := p.ownApp()
	at := "/applications/" + c.ID
	page := p.settings(at)
	assert.Contains(t, page.body, at+"/edit")
	assert.Contains(t, page.body, at+"/secret")
	closed.Store(true)
	page = p.settings(at)
	requireKind(t, page, http.StatusOK, "app")
	checkMarkup(t, page.body)
	assert.NotContains(t, page.body, at+"/edit")
	assert.NotContains(t, page.body, at+"/secret")
	for _, path := range []string{at + "/edit", at + "/secret"} {
		requireKind(t, p.settings(path), http.StatusForbidden, "forbidden")
		requireKind(t, p.fill(p.settings("/tokens/new"), path, "name", "Reader", "redirects", "https://elsewhere.example/"), http.StatusForbidden, "forbidden")
	}
	assert.Equal(t, c, p.ownApp())
	assert.True(t, p.ownApp().CheckSecret(secret))
	requireKind(t, p.fill(p.settings(at), at+"/delete"), http.StatusOK, "apps")
}

// TestSettings_secretReset wants the page not to promise more than happens.
func TestSettings_secretReset(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.AccessLife = 2 * time.Hour }).party(t)
	p.fill(p.settings("/applications/new"), "/applications/new", appFields...)
	at := "/applications/" + p.ownApp().ID + "/secret"
	asked := p.settings(at)
	assert.Contains(t, asked.body, "go on working until they expire,</strong> for up to 2 hours.")
}
