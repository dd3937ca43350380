package oauth2server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// interrupted is a world where something can happen in the middle of a request: when it
// is known who asks, and Config.Active is asked about the person.
func interrupted(t *testing.T, db *dbtest.Database, edit ...func(*Config)) (w *world, during func(func())) {
	t.Helper()
	var next atomic.Pointer[func()]
	w = newWorld(t, db, append(edit, func(c *Config) {
		c.Active = func(context.Context, string) (bool, error) {
			if f := next.Swap(nil); f != nil {
				(*f)()
			}
			return true, nil
		}
	})...)
	return w, func(f func()) { next.Store(&f) }
}

// A new secret counts for requests that came with the old one and are still on their
// way. They consume nothing.
func TestANewSecretCountsForRequestsOnTheirWay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		w, during := interrupted(t, db, func(c *Config) {
			c.InsecureAllowPassword = true
			c.PasswordCheck = func(context.Context, string, string) (string, error) { return "spqr1", nil }
		})
		for name, prepare := range map[string]func(p *party) url.Values{
			"code": func(p *party) url.Values {
				q := p.ask(p.app)
				return codeForm(q, p.code(q))
			},
			"refresh": func(p *party) url.Values { return refreshForm(p.tokens(p.app).Refresh) },
			"client":  func(*party) url.Values { return url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}} },
			"password": func(*party) url.Values {
				return url.Values{"grant_type": {"password"}, "username": {"u"}, "password": {"p"}, "scope": {"profile"}}
			},
		} {
			t.Run(name, func(t *testing.T) {
				p := w.party(t)
				form := prepare(p)
				var text string
				during(func() {
					var err error
					text, err = w.store.ResetSecret(t.Context(), w.ownerOf(t, p.app), p.app.id)
					assert.NoError(t, err)
				})
				p.requireRefused(p.call("/token", p.app, form), http.StatusUnauthorized, "invalid_client")
				p.app.secret = text
				assert.Equal(t, http.StatusOK, p.call("/token", p.app, form).StatusCode)
			})
		}
	})
}

// The owner removes a redirect URI while somebody is on the way to it.
func TestARemovedRedirectURIGetsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		w, during := interrupted(t, db, func(c *Config) { c.InsecureAllowImplicit = true })
		for _, responseType := range []string{"code", "token"} {
			for _, remembered := range []bool{true, false} {
				p := w.party(t)
				q := p.ask(p.app, set("response_type", responseType))
				remove := func() {
					assert.NoError(t, w.store.UpdateClient(t.Context(), w.ownerOf(t, p.app),
						store.Client{ID: p.app.id, Name: "Reader", RedirectURIs: []string{"https://new.example/cb"}}))
				}
				a := p.visit(q)
				if remembered {
					p.press(a, "allow")
					during(remove)
					a = p.visit(q)
				} else {
					action, form := p.consentForm(a)
					form.Set("decision", "allow")
					during(remove)
					a = p.submit(action, form)
				}
				p.requirePage(a, http.StatusBadRequest)
			}
		}
	})
}

// A replay is noticed even if the person may not use the site any more, and if nobody
// can tell.
func TestAReplayCountsWhoeverMayUseTheSite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		w := newWorld(t, db)
		for name, obstruct := range map[string]func(p *party){
			"inactive":  func(p *party) { p.deactivate(p.person) },
			"uncertain": func(p *party) { p.breakActive(errTest) },
		} {
			for event, use := range map[string]func(p *party) (first reply, again url.Values){
				EventCodeReplayed: func(p *party) (reply, url.Values) {
					q := p.ask(p.app)
					form := codeForm(q, p.code(q))
					return p.call("/token", p.app, form), form
				},
				EventRefreshReused: func(p *party) (reply, url.Values) {
					form := refreshForm(p.tokens(p.app).Refresh)
					return p.call("/token", p.app, form), form
				},
			} {
				t.Run(event+", "+name, func(t *testing.T) {
					p := w.party(t)
					first, form := use(p)
					require.True(t, p.works(first.Access))
					obstruct(p)
					p.requireRefused(p.call("/token", p.app, form), http.StatusBadRequest, "invalid_grant")
					p.breakActive(nil)
					p.reactivate(p.person)
					assert.False(t, p.works(first.Access))
					assert.Equal(t, 1, p.count(event, p.app.id))
				})
			}
		}
	})
}

// Within the leeway a refresh token that comes again is no replay, and gives tokens only
// to those who may use the site.
func TestTheLeewayIsForThoseWhoMayUseTheSite(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.RefreshLeeway = 10 * time.Second })
	p := w.party(t)
	form := refreshForm(p.tokens(p.app).Refresh)
	next := p.call("/token", p.app, form)
	p.deactivate(p.person)
	p.requireRefused(p.call("/token", p.app, form), http.StatusBadRequest, "invalid_grant")
	p.reactivate(p.person)
	assert.True(t, p.works(next.Access))
	assert.Equal(t, http.StatusOK, p.call("/token", p.app, form).StatusCode)
}

// A client that is slow to send its request has the same time for the rest of it.
func TestTheTimeOfACallBeginsWhenItHasBeenRead(t *testing.T) {
	var deadline, read time.Time
	s := newServer(t, dbtest.SQLite(t), func(c *Config) {
		c.Active = func(ctx context.Context, _ string) (bool, error) {
			deadline, _ = ctx.Deadline()
			return true, nil
		}
	})
	c := newCustomer(t, s)
	form := strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}}.Encode())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth/token", readerFunc(func(b []byte) (int, error) {
		for begin := time.Now(); !time.Now().After(begin); { // until the clock has moved
		}
		read = time.Now()
		return form.Read(b)
	}))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(c.client.ID, c.secret)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.False(t, deadline.Before(read.Add(callTime)))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
