package webauthtest_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

func TestConfigRefusals(t *testing.T) {
	tests := []struct {
		name string
		edit func(*webauthtest.Config)
		want string
	}{
		{"no base URL", func(c *webauthtest.Config) { c.BaseURL = "" }, "want an origin"},
		{"a base URL with a path", func(c *webauthtest.Config) { c.BaseURL = "http://localhost/wls" }, "want an origin"},
		{"a base URL with a query", func(c *webauthtest.Config) { c.BaseURL = "http://localhost/?x" }, "want an origin"},
		{"a base URL with a user", func(c *webauthtest.Config) { c.BaseURL = "http://a@localhost" }, "want an origin"},
		{"a base URL of another scheme", func(c *webauthtest.Config) { c.BaseURL = "ftp://localhost" }, "want an origin"},
		{"a user without a password", func(c *webauthtest.Config) { c.Users = []webauthtest.User{{ID: "a"}} }, "user a needs a password"},
		{"a bad kid", func(c *webauthtest.Config) { c.Kid = "0501" }, "signing key"},
		{"the kid that nobody knows", func(c *webauthtest.Config) { c.Kid = "99999999" }, "kept for FaultUnknownKid"},
		{"an unknown quirk", func(c *webauthtest.Config) { c.Quirks = []webauthtest.Quirk{"x"} }, `no quirk is called "x"`},
		{"an unknown fault", func(c *webauthtest.Config) { c.Faults = map[webauthtest.Fault]float64{"x": 0.1} }, `no fault is called "x"`},
		{"the empty fault", func(c *webauthtest.Config) { c.Faults = map[webauthtest.Fault]float64{"": 0.1} }, "empty fault"},
		{"a negative probability", func(c *webauthtest.Config) {
			c.Faults = map[webauthtest.Fault]float64{webauthtest.FaultStale: -0.1}
		}, "probabilities"},
		{"no number", func(c *webauthtest.Config) {
			c.Faults = map[webauthtest.Fault]float64{webauthtest.FaultStale: math.NaN()}
		}, "probabilities"},
		{"more than certain", func(c *webauthtest.Config) {
			c.Faults = map[webauthtest.Fault]float64{webauthtest.FaultStale: 0.6, webauthtest.FaultSlow: 0.5}
		}, "probabilities"},
		{"a negative duration", func(c *webauthtest.Config) { c.SlowFor = -1 }, "cannot be negative"},
		{"a negative log", func(c *webauthtest.Config) { c.LogSize = -1 }, "cannot be negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := webauthtest.Config{BaseURL: "http://127.0.0.1:8081"}
			_, err := webauthtest.NewWLS(cfg)
			require.NoError(t, err)
			tt.edit(&cfg)
			_, err = webauthtest.NewWLS(cfg)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestService(t *testing.T) {
	w, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://127.0.0.1:8081/"})
	require.NoError(t, err)
	s := w.Service()
	require.NoError(t, s.Check())
	assert.Equal(t, "fake", s.Name)
	assert.Equal(t, "http://127.0.0.1:8081/auth/authenticate.html", s.AuthURL)
	assert.Equal(t, "http://127.0.0.1:8081/auth/logout.html", s.LogoutURL)
	assert.True(t, s.HasPublishedKey(), "so that no real site can trust it by mistake")
}

func TestOwnKey(t *testing.T) {
	w := webauthtest.New(t, webauthtest.WithKey("7", testkeys.RSA1024()))
	got, err := w.Respond(loginURL(w, nil), "test0001")
	require.NoError(t, err)
	response, err := verify(t, w, got, target)
	require.NoError(t, err)
	assert.Equal(t, "7", response.Kid())
	kid, key := w.Key()
	assert.Equal(t, "7", kid)
	assert.Same(t, testkeys.RSA1024(), key)
}

func TestRotateKey(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	service := w.Service() // made before the rotations, and following them
	respond := func() string {
		got, err := w.Respond(loginURL(w, nil), "test0001")
		require.NoError(t, err)
		return got
	}
	accepted := func(returnURL string) bool {
		_, err := verify(t, w, returnURL, target)
		if err != nil {
			require.Equal(t, webauth.ReasonUnknownKey, reasonOf(err))
		}
		return err == nil
	}
	kids := func() (all string) {
		for _, k := range service.Keys.Keys() {
			all += k.Kid() + " "
		}
		return all
	}
	first := respond()
	require.True(t, accepted(first))

	assert.Equal(t, "502", w.RotateKey(true))
	second := respond()
	assert.Equal(t, "502", parse(t, second).Kid())
	assert.True(t, accepted(first), "the old key is kept")
	assert.True(t, accepted(second))
	assert.Equal(t, "501 502 ", kids())

	assert.Equal(t, "503", w.RotateKey(false))
	third := respond()
	assert.False(t, accepted(first))
	assert.False(t, accepted(second))
	assert.True(t, accepted(third))
	assert.Equal(t, "503 ", kids())
	_, found := service.Keys.Lookup("502")
	assert.False(t, found)
	assert.False(t, service.HasPublishedKey(), "made on the spot")
}

func TestRotateKeyAtTheLastKid(t *testing.T) {
	w := webauthtest.New(t, webauthtest.WithKey("99999998", testkeys.RSA2048()))
	assert.Panics(t, func() { w.RotateKey(false) }, "the next one is FaultUnknownKid's")
	kid, _ := w.Key()
	assert.Equal(t, "99999998", kid)
}

func TestClock(t *testing.T) {
	w := webauthtest.New(t, atNoon())
	assert.Equal(t, noon, w.Now())
	w.Advance(time.Hour)
	assert.Equal(t, noon.Add(time.Hour), w.Now())
	w.SetNow(noon.Add(5 * time.Hour))
	assert.Equal(t, noon.Add(5*time.Hour), w.Now())
	w.Advance(-time.Hour)
	assert.Equal(t, noon.Add(4*time.Hour), w.Now())
	w.SetNow(time.Time{})
	assert.Equal(t, noon.Add(time.Hour), w.Now(), "it runs again, still an hour ahead")
}

func TestAStoppedClockStops(t *testing.T) {
	w := webauthtest.New(t)
	w.SetNow(noon)
	for range 2 {
		got, err := w.Respond(loginURL(w, nil), "test0001")
		require.NoError(t, err)
		assert.Equal(t, noon, parse(t, got).Issue())
	}
}

func TestUsers(t *testing.T) {
	w := webauthtest.New(t, webauthtest.WithUsers(webauthtest.User{ID: "one", Password: "pw"}))
	ptags := []string{"a", "b"}
	w.AddUser(webauthtest.User{ID: "two", Password: "pw", Ptags: ptags})
	ptags[0] = "changed"
	for user, want := range map[string][]string{"one": nil, "two": {"a", "b"}} {
		got, err := w.Respond(loginURL(w, nil), user)
		require.NoError(t, err)
		response, err := verify(t, w, got, target)
		require.NoError(t, err)
		assert.Equal(t, want, response.Ptags())
	}
	_, err := w.Respond(loginURL(w, nil), "test0001")
	assert.Error(t, err, "the default users are not there")
}

func TestDefaultUsers(t *testing.T) {
	users := webauthtest.DefaultUsers()
	require.Len(t, users, 10)
	for i, u := range users {
		assert.NoError(t, u.Check())
		assert.Equal(t, "test", u.Password)
		if i == 9 {
			assert.Equal(t, "test0010", u.ID)
			assert.Empty(t, u.Ptags)
		} else {
			assert.Equal(t, []string{"current"}, u.Ptags)
		}
	}
}

// fakeTB is a test that has not failed yet.
type fakeTB struct {
	testing.TB
	failed string
}

func (f *fakeTB) Helper() {}

func (f *fakeTB) Fatal(args ...any) {
	f.failed = args[0].(error).Error()
	panic(f)
}

func TestNewFailsTheTest(t *testing.T) {
	f := &fakeTB{TB: t}
	assert.Panics(t, func() { webauthtest.New(f, webauthtest.WithQuirks("x")) })
	assert.Contains(t, f.failed, `no quirk is called "x"`)
}

func TestAnHTTPSFake(t *testing.T) {
	var w *webauthtest.WLS
	server := webauthtest.SiteTLS(t, func(baseURL string) http.Handler {
		var err error
		w, err = webauthtest.NewWLS(webauthtest.Config{BaseURL: baseURL})
		require.NoError(t, err)
		return w
	})
	t.Cleanup(w.Close)
	assert.True(t, strings.HasPrefix(w.Service().AuthURL, server.URL))
	resp := logIn(t, noWait(w), loginURL(w, func(r *wls.Request) { r.IAct = "yes" }), "test0001", "test")
	require.Len(t, resp.Cookies(), 1)
	assert.True(t, resp.Cookies()[0].Secure)
}
