package oauth2server

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

func TestWhoGetsIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newWorld(t, db)
		c := s.client(t, "test0009")
		good := s.personal(t, "test0001", "records:read", "profile")
		narrow := s.personal(t, "test0001", "profile")
		given := s.authorised(t, c, "test0001", "records:read")
		access, refresh := given.Access, given.Refresh
		alone := s.alone(t, c, "harvest", "records:read")
		unknown, _ := credential.Mint(credential.Personal)
		secret, _ := credential.Mint(credential.Secret)
		_, short, err := s.store.CreatePersonal(t.Context(), store.Token{Principal: "test0001", Scopes: []string{"records:read"}, Expires: testNow.Add(time.Second)})
		require.NoError(t, err)
		s.fake.Advance(time.Second)

		for _, tc := range []struct {
			name, target, token string
			status              int
			code, kind          string
		}{
			{"personal token", "/api/read", good, 200, "", "personal"},
			{"more than enough", "/api", good, 200, "", "personal"},
			{"all of several scopes", "/api/both", good, 200, "", "personal"},
			{"one of several scopes", "/api/both", narrow, 403, "insufficient_scope", ""},
			{"another scope", "/api/read", narrow, 403, "insufficient_scope", ""},
			{"token of an application", "/api/read", access, 200, "", "oauth"},
			{"too little of an application", "/api/both", access, 403, "insufficient_scope", ""},
			{"where visitors may come, too", "/api/open", good, 200, "", "personal"},
			{"too little where visitors may come", "/api/open", narrow, 403, "insufficient_scope", ""},
			{"unknown where visitors may come", "/api/open", unknown, 401, "invalid_token", ""},
			{"application alone", "/api/clients", alone, 200, "", "client"},
			{"application alone where people belong", "/api/read", alone, 403, "insufficient_scope", ""},
			{"application alone where visitors may come", "/api/open", alone, 403, "insufficient_scope", ""},
			{"person where applications may come", "/api/clients", good, 403, "insufficient_scope", ""},
			{"refresh token", "/api", refresh, 401, "invalid_token", ""},
			{"client secret", "/api", secret, 401, "invalid_token", ""},
			{"unknown", "/api", unknown, 401, "invalid_token", ""},
			{"expired", "/api/read", short, 401, "invalid_token", ""},
			{"a letter off", "/api", good[:20] + "!" + good[21:], 400, "invalid_request", ""},
			{"cut short", "/api", good[:53], 401, "invalid_token", ""},
			{"of others", "/api", "ghp_0123456789", 401, "invalid_token", ""},
			{"unregistered scope", "/api/broken", good, 500, "server_error", ""},
		} {
			t.Run(tc.name, func(t *testing.T) {
				a := s.call(t, http.DefaultClient, http.MethodGet, tc.target, sendBearer(tc.token))
				assert.Equal(t, tc.status, a.status)
				assert.Equal(t, tc.code, a.code)
				assert.Equal(t, tc.kind, string(a.Access.Kind))
				assert.Equal(t, tc.kind != "", a.OK)
				assert.Contains(t, a.header.Values("Vary"), "Authorization")
				if tc.status == 200 {
					assert.Equal(t, "private, no-cache", a.header.Get("Cache-Control"))
					assert.Equal(t, tc.kind != "client", a.Person)
					assert.Equal(t, a.Access.Principal, a.Principal)
					assert.NotEmpty(t, a.Access.TokenID)
				} else {
					assert.Equal(t, "no-store", a.header.Get("Cache-Control"))
					assert.Equal(t, tc.status < 500, a.header.Get("WWW-Authenticate") != "")
				}
			})
		}
		for _, text := range []string{good, narrow, access, refresh, alone, unknown, secret, short} {
			assert.NotContains(t, s.log.String(), text[len("wlsp_"):])
		}
	})
}

func TestWhatAResourceKnows(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	c := s.client(t, "test0009")
	given := s.authorised(t, c, "test0001", "records:read")
	a := s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(given.Access))
	assert.Equal(t, Access{
		Kind: KindOAuth, Principal: "test0001", ClientID: c.ID, TokenID: given.AccessID, Scopes: []string{"records:read"},
		Identity: glue.Identity{Principal: "test0001", Expires: testNow.Add(time.Hour)},
	}, a.Access)
	assert.True(t, a.Access.Has("records:read"))
	assert.False(t, a.Access.Has("profile"))

	a = s.call(t, s.person(t, "test0002"), http.MethodGet, "/api/read")
	assert.Equal(t, KindSession, a.Access.Kind)
	assert.Equal(t, "test0002", a.Access.Principal)
	assert.Equal(t, []string{"records:read", "records:write", "profile"}, a.Access.Scopes, "none that is internal")
	assert.NotEmpty(t, a.Access.Identity.SessionID)
	assert.Empty(t, a.Access.ClientID+a.Access.TokenID)

	ctx := WithAccess(t.Context(), a.Access)
	id, ok := glue.IdentityFrom(ctx)
	assert.True(t, ok)
	assert.Equal(t, "test0002", id.Principal)
	_, ok = glue.IdentityFrom(WithAccess(t.Context(), Access{Kind: KindClient}))
	assert.False(t, ok)
	_, ok = AccessFrom(t.Context())
	assert.False(t, ok)
}

// A scope that a token has from before it was made internal, or was taken out of
// Config.ClientScopes or Config.Scopes, counts for nothing.
func TestScopesThatNobodyCouldGetToday(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	c := s.client(t, "test0009")
	personal := s.personal(t, "test0001", "gone", "harvest", "records:read")
	a := s.call(t, http.DefaultClient, http.MethodGet, "/api", sendBearer(personal))
	assert.Equal(t, []string{"records:read"}, a.Access.Scopes)
	for _, target := range []string{"/api/clients", "/api/internal", "/api/internal/open"} {
		a = s.call(t, http.DefaultClient, http.MethodGet, target, sendBearer(personal))
		assert.Equal(t, 403, a.status, target)
		assert.Equal(t, "insufficient_scope", a.code, target)
	}
	empty := s.call(t, http.DefaultClient, http.MethodGet, "/api", sendBearer(s.personal(t, "test0001", "gone", "harvest")))
	assert.Equal(t, 401, empty.status, "nothing of it is left")
	assert.Equal(t, "invalid_token", empty.code)
	alone := s.alone(t, c, "harvest", "records:read")
	_, h, _ := credential.Parse(alone)
	assert.Equal(t, []string{"harvest"}, s.call(t, http.DefaultClient, http.MethodGet, "/api/clients", sendBearer(alone)).Access.Scopes)
	stored, err := s.store.Bearer(t.Context(), h)
	require.NoError(t, err)
	told, bad := (&call{Server: s.Server}).describe(t.Context(), stored)
	require.Nil(t, bad)
	assert.Equal(t, "harvest", told.Scope, "nor does introspection tell of it")
}

func TestChallenges(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	narrow := s.personal(t, "test0001", "profile")
	unknown, _ := credential.Mint(credential.Access)
	for _, tc := range []struct {
		name, target string
		edit         func(*http.Request)
		want         string
	}{
		{"nothing", "/api/both", func(*http.Request) {}, `Bearer realm="URL", scope="profile records:read"`},
		{"nothing for no scope", "/api", func(*http.Request) {}, `Bearer realm="URL"`},
		{"unknown", "/api/both", sendBearer(unknown), `Bearer realm="URL", error="invalid_token", error_description="The token has expired or was revoked, or it never was.", scope="profile records:read"`},
		{"too little", "/api/read", sendBearer(narrow), `Bearer realm="URL", error="insufficient_scope", error_description="The token does not allow this.", scope="records:read"`},
		{"malformed", "/api/read", sendHeader("Authorization", "Bearer"), `Bearer realm="URL", error="invalid_request", error_description="Want one Authorization header with Bearer, one blank, and the token."`},
	} {
		a := s.call(t, http.DefaultClient, http.MethodGet, tc.target, tc.edit)
		assert.Equal(t, strings.ReplaceAll(tc.want, "URL", s.url), a.header.Get("WWW-Authenticate"), tc.name)
		assert.Len(t, a.header.Values("WWW-Authenticate"), 1, tc.name)
	}
}

// Neither a good session nor a place for visitors makes up for a bad bearer.
func TestHowATokenMayBeSent(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	good := s.personal(t, "test0001", "records:read")
	unknown, _ := credential.Mint(credential.Personal)
	someone := s.person(t, "test0002")
	for _, tc := range []struct {
		name   string
		edit   func(*http.Request)
		status int // with a good session
		kind   Kind
	}{
		{"as it should", sendBearer(good), 200, KindPersonal},
		{"lower case", sendHeader("Authorization", "bearer "+good), 200, KindPersonal},
		{"upper case", sendHeader("Authorization", "BEARER "+good), 200, KindPersonal},
		{"another scheme", sendHeader("Authorization", "Basic dXNlcjpwYXNz"), 200, KindSession},
		{"a longer scheme", sendHeader("Authorization", "Bearers "+good), 200, KindSession},
		{"an empty header", sendHeader("Authorization", ""), 200, KindSession},
		{"two headers", sendHeader("Authorization", "Bearer "+good, "Bearer "+good), 400, ""},
		{"two schemes", sendHeader("Authorization", "Bearer "+good, "Basic dXNlcjpwYXNz"), 400, ""},
		{"two in one header", sendHeader("Authorization", "Bearer "+good+", Bearer "+good), 400, ""},
		{"two blanks", sendHeader("Authorization", "Bearer  "+good), 400, ""},
		{"a tab", sendHeader("Authorization", "Bearer\t"+good), 400, ""},
		{"a colon", sendHeader("Authorization", "Bearer:"+good), 400, ""},
		{"quotes", sendHeader("Authorization", `Bearer "`+good+`"`), 400, ""},
		{"no token", sendHeader("Authorization", "Bearer"), 400, ""},
		{"only padding", sendHeader("Authorization", "Bearer =="), 400, ""},
		{"padding inside", sendHeader("Authorization", "Bearer a=b"), 400, ""},
		{"unknown", sendBearer(unknown), 401, ""},
		{"in the query", func(r *http.Request) { r.URL.RawQuery = "access_token=" + good }, 400, ""},
		{"in the query, escaped", func(r *http.Request) { r.URL.RawQuery = "q=1&access%5Ftoken=" + good }, 400, ""},
		{"in the query beside garbage", func(r *http.Request) { r.URL.RawQuery = "%zz&access_token=" + good }, 400, ""},
		{"in the query as well", func(r *http.Request) {
			sendBearer(good)(r)
			r.URL.RawQuery = "access_token=" + good
		}, 400, ""},
		{"in the query without a value", func(r *http.Request) { r.URL.RawQuery = "access_token" }, 400, ""},
		{"in a form", sendForm("a=b&access_token=" + good), 400, ""},
		{"in a form as well", func(r *http.Request) {
			sendBearer(good)(r)
			sendForm("access_token=" + good)(r)
		}, 400, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, target := range []string{"/api", "/api/open"} {
				a := s.call(t, someone, http.MethodGet, target, tc.edit)
				assert.Equal(t, tc.status, a.status, target)
				assert.Equal(t, tc.kind, a.Access.Kind, target)
			}
			if tc.kind == "" {
				assert.Equal(t, tc.status, s.call(t, stranger(t), http.MethodGet, "/api/open", tc.edit).status)
			}
		})
	}
	assert.NotContains(t, s.log.String(), good[len("wlsp_"):], "not even when it was in the query")
}

func TestAFormReachesTheResourceWhole(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	good := s.personal(t, "test0001", "records:read")
	for _, text := range []string{"", "a=b", "x=" + strings.Repeat("y", 3*peekForm), "late=" + strings.Repeat("y", peekForm) + "&access_token=x"} {
		a := s.call(t, http.DefaultClient, http.MethodPost, "/api", sendBearer(good), sendForm(text))
		assert.Equal(t, 200, a.status)
		assert.Equal(t, text, a.Body)
	}
	t.Run("one that was read before", func(t *testing.T) {
		req, err := http.NewRequest(http.MethodPost, "/", strings.NewReader("access_token=x"))
		require.NoError(t, err)
		sendForm("access_token=x")(req)
		require.NoError(t, req.ParseForm())
		_, _, bad := bearerOf(req)
		assert.Equal(t, errTokenInForm, bad)
	})
}

// What an outer decorator found does not show through.
func TestDecoratorsInsideOthers(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	c := s.client(t, "test0009")
	alone := s.alone(t, c, "harvest")
	someone := s.person(t, "test0001")
	a := s.call(t, someone, http.MethodGet, "/api/inside", sendBearer(alone))
	assert.Equal(t, 400, a.status, "a person's session around an application's token")
	assert.Equal(t, 200, s.call(t, stranger(t), http.MethodGet, "/api/inside", sendBearer(alone)).status)
	a = s.call(t, someone, http.MethodGet, "/api/inside", sendBearer(s.personal(t, "test0002", "profile")))
	assert.Equal(t, "test0002", a.Principal)
	a = s.call(t, someone, http.MethodGet, "/api/inside/open")
	assert.Equal(t, "test0001", a.Principal)
}

func TestInactivePeople(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	c := s.client(t, "test0009")
	personal := s.personal(t, "test0001", "records:read")
	ofOwner := s.personal(t, "test0009", "records:read")
	access := s.authorised(t, c, "test0001", "records:read").Access
	alone := s.alone(t, c, "harvest")
	for _, tc := range []struct {
		who                                  string
		personal, owner, access, application int
	}{
		{"", 200, 200, 200, 200},
		{"test0001", 401, 200, 401, 200},
		{"test0009", 200, 401, 200, 401}, // nobody answers for the application any more
	} {
		s.deactivate(tc.who)
		assert.Equal(t, tc.personal, s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(personal)).status, tc.who)
		assert.Equal(t, tc.owner, s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(ofOwner)).status, tc.who)
		assert.Equal(t, tc.access, s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(access)).status, tc.who)
		assert.Equal(t, tc.application, s.call(t, http.DefaultClient, http.MethodGet, "/api/clients", sendBearer(alone)).status, tc.who)
		s.reactivate(tc.who)
	}
	s.breakActive(errTest)
	a := s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(ofOwner))
	assert.Equal(t, 503, a.status, "an error is never a yes")
	assert.Equal(t, "5", a.header.Get("Retry-After"))
	assert.Contains(t, s.eventNames(), EventStoreError)
}

func TestADatabaseThatIsDownLetsNobodyIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newWorld(t, db)
		good := s.personal(t, "test0001", "records:read")
		db.Exec(t, `DROP TABLE wlsoauth_tokens`)
		for _, target := range []string{"/api/read", "/api/open"} {
			a := s.call(t, http.DefaultClient, http.MethodGet, target, sendBearer(good))
			assert.Equal(t, 503, a.status)
			assert.Equal(t, "temporarily_unavailable", a.code)
		}
		assert.Equal(t, 200, s.call(t, s.person(t, "test0001"), http.MethodGet, "/api/read").status, "sessions need it not")
	})
}

func TestLastUseIsNoted(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	good := s.personal(t, "test0001", "records:read")
	s.fake.Advance(time.Hour)
	require.Equal(t, 403, s.call(t, http.DefaultClient, http.MethodGet, "/api/both", sendBearer(good)).status)
	list, err := s.store.PersonalTokens(t.Context(), "test0001", store.Place{})
	require.NoError(t, err)
	assert.Zero(t, list[0].LastUsed, "a refusal is no use")
	require.Equal(t, 200, s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(good)).status)
	list, err = s.store.PersonalTokens(t.Context(), "test0001", store.Place{})
	require.NoError(t, err)
	assert.Equal(t, s.fake.Now(), list[0].LastUsed)
}

// A use that cannot be noted is served, and the log says so, once in a while.
func TestAUseThatCannotBeNoted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		var pool *sql.DB
		s := newWorld(t, db, func(c *Config) {
			pool = c.DB
			pool.SetMaxOpenConns(1) // so that a setting holds for every query
		})
		readOnly := func(on int) {
			setting := `PRAGMA query_only = %d`
			if db.PostgreSQL {
				setting = `SET default_transaction_read_only = %d`
			}
			_, err := pool.Exec(fmt.Sprintf(setting, on))
			require.NoError(t, err)
		}
		good := s.personal(t, "test0001", "records:read")
		readOnly(1)
		for _, wait := range []time.Duration{time.Hour, 0, 9 * time.Second, 2 * time.Second} {
			s.fake.Advance(wait)
			assert.Equal(t, 200, s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(good)).status)
		}
		require.Equal(t, []string{EventStoreError, EventStoreError}, s.eventNames())
		assert.Equal(t, "last-use", s.events[0].Reason)
		assert.NotEmpty(t, told(s.events[0], "token_id"))
		assert.NotContains(t, s.log.String(), good[len("wlsp_"):])

		readOnly(0)
		s.fake.Advance(10 * time.Second)
		assert.Equal(t, 200, s.call(t, http.DefaultClient, http.MethodGet, "/api/read", sendBearer(good)).status)
		list, err := s.store.PersonalTokens(t.Context(), "test0001", store.Place{})
		require.NoError(t, err)
		assert.Equal(t, s.fake.Now(), list[0].LastUsed)
	})
}

func TestEvents(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	narrow := s.personal(t, "test0001", "profile")
	s.call(t, http.DefaultClient, http.MethodGet, "/api/read?"+url.Values{"q": {"private"}}.Encode(), sendBearer(narrow))
	require.Len(t, s.events, 1)
	e := s.events[0]
	assert.Equal(t, EventRefused, e.Name)
	assert.Equal(t, "scope", e.Reason)
	assert.Equal(t, "test0001", e.Principal)
	assert.Equal(t, "/api/read", e.Path)
	assert.NotEmpty(t, told(e, "token_id"))
	assert.Contains(t, s.log.String(), `"msg":"oauth2 refused","event":"refused","reason":"scope","principal":"test0001","token_id":"`+told(e, "token_id"))
	assert.NotContains(t, s.log.String(), "private")
}
