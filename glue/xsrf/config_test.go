package xsrf_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// newSoc is a site without logins.
func newSoc(t *testing.T, edit ...func(c *site.Config)) *site.Site {
	t.Helper()
	cfg := site.Config{BaseURL: "https://soc.example", Secret: rand.Text() + rand.Text(), Logger: slog.New(slog.DiscardHandler)}
	for _, e := range edit {
		e(&cfg)
	}
	soc, err := site.New(cfg)
	require.NoError(t, err)
	return soc
}

func TestNewRefuses(t *testing.T) {
	soc := newSoc(t)
	for _, tc := range []struct {
		name string
		cfg  xsrf.Config
		says string
	}{
		{"nothing", xsrf.Config{}, "Config.Site is missing"},
		{"no secret", xsrf.Config{Site: newSoc(t, func(c *site.Config) { c.Secret = "" })}, "Config.SecretFile is missing"},
		{"a short life", xsrf.Config{Site: soc, TTL: time.Second}, "TTL is 1 second"},
		{"a long life", xsrf.Config{Site: soc, TTL: 25 * time.Hour}, "TTL is 1 day 1 hour"},
		{"a negative form", xsrf.Config{Site: soc, MaxForm: -1}, "MaxForm"},
		{"nowhere for a token", xsrf.Config{Site: soc, Headers: []string{}, Fields: []string{}}, "both empty"},
		{"an empty name", xsrf.Config{Site: soc, Fields: []string{""}}, "empty name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := xsrf.New(tc.cfg)
			assert.ErrorContains(t, err, tc.says)
		})
	}
}

func TestHowATokenIsGiven(t *testing.T) {
	for _, noHeader := range []bool{false, true} {
		for _, noCookie := range []bool{false, true} {
			guard, err := xsrf.New(xsrf.Config{
				Site: newSoc(t), NoHeader: noHeader, NoCookie: noCookie,
			})
			require.NoError(t, err)
			w := httptest.NewRecorder()
			guard.Send(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(guard.Field(r)))
			})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://soc.example/", nil))
			assert.Equal(t, noHeader, w.Header().Get(xsrf.Header) == "")
			assert.Equal(t, noCookie, !slices.ContainsFunc(w.Result().Cookies(), func(c *http.Cookie) bool { return c.Name == xsrf.CookieName }))
			assert.Contains(t, w.Body.String(), `name="xsrf-token"`)
			assert.Equal(t, "private, no-cache", w.Header().Get("Cache-Control"))
		}
	}
}

// downStore cannot say.
type downStore struct{}

func (downStore) Once(context.Context, webauth.Item) error { return errors.New("down") }

func TestASiteWithoutLogin(t *testing.T) {
	guard, err := xsrf.New(xsrf.Config{Site: newSoc(t)})
	require.NoError(t, err)
	down, err := xsrf.New(xsrf.Config{Site: newSoc(t, func(c *site.Config) { c.OneUse = downStore{} })})
	require.NoError(t, err)
	for _, tc := range []struct {
		name   string
		guard  *xsrf.Guard
		option []xsrf.Option
		edit   func(*http.Request)
		want   int
	}{
		{"with its token", guard, nil, func(*http.Request) {}, http.StatusOK},
		{"without", guard, nil, func(r *http.Request) { r.Header.Del(xsrf.Header) }, http.StatusForbidden},
		{"from elsewhere", guard, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, http.StatusForbidden},
		{"bearer and no cookie", guard, nil, func(r *http.Request) {
			r.Header = http.Header{"Authorization": {"Bearer x"}}
		}, http.StatusOK},
		{"bearer and a cookie", guard, nil, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer x")
			r.Header.Del(xsrf.Header)
		}, http.StatusForbidden},
		{"single use and no store", down, []xsrf.Option{xsrf.SingleUse()}, func(*http.Request) {}, http.StatusServiceUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sent := httptest.NewRecorder()
			tc.guard.With(tc.option...).Send(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).
				ServeHTTP(sent, httptest.NewRequest(http.MethodGet, "https://soc.example/", nil))
			req := httptest.NewRequest(http.MethodPost, "https://soc.example/", nil)
			req.Header.Set(xsrf.Header, sent.Header().Get(xsrf.Header))
			for _, c := range sent.Result().Cookies() {
				req.AddCookie(c)
				assert.True(t, c.Secure)
				assert.Equal(t, c.Name != xsrf.CookieName, c.HttpOnly, "script reads the token's cookie only")
			}
			tc.edit(req)
			answer := httptest.NewRecorder()
			ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			tc.guard.Protect(tc.guard.With(tc.option...).Check(ok)).ServeHTTP(answer, req)
			assert.Equal(t, tc.want, answer.Code, answer.Body)
		})
	}
}
