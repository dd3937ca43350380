package remoteuser_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
)

func basicAuth(name, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

func TestBasic(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Password = onePassword }})
	const challenge = `Basic realm="Log in", charset="UTF-8"`
	for _, tc := range []struct {
		name             string
		lines            []string
		status, optional int
		reason           string
	}{
		{"nobody", nil, 401, 200, "login_required"},
		{"right", []string{basicAuth("ada", "correct horse")}, 200, 200, ""},
		{"other case of the scheme", []string{strings.Replace(basicAuth("ada", "correct horse"), "Basic", "bAsIc", 1)}, 200, 200, ""},
		{"wrong", []string{basicAuth("ada", "x")}, 401, 401, "password"},
		{"somebody else", []string{basicAuth("bob", "correct horse")}, 401, 401, "password"},
		{"no password", []string{basicAuth("ada", "")}, 401, 401, "password"},
		{"no name", []string{basicAuth("", "correct horse")}, 401, 401, "password"},
		{"a name with a blank", []string{basicAuth("ada ", "correct horse")}, 401, 401, "password"},
		{"a name with a line break", []string{basicAuth("ada\n", "correct horse")}, 401, 401, "password"},
		{"a long name", []string{basicAuth(strings.Repeat("a", 256), "correct horse")}, 401, 401, "password"},
		{"a long password", []string{basicAuth("ada", strings.Repeat("a", 1025))}, 401, 401, "password"},
		{"no base64", []string{"Authorization: Basic !"}, 401, 401, "malformed"},
		{"no colon", []string{"Authorization: Basic YWRh"}, 401, 401, "malformed"},
		{"the scheme alone", []string{"Authorization: Basic"}, 401, 401, "malformed"},
		{"twice", []string{basicAuth("ada", "x"), basicAuth("ada", "correct horse")}, 401, 401, "malformed"},
		{"beside a token", []string{"Authorization: Bearer x", basicAuth("ada", "correct horse")}, 401, 401, "malformed"},
		{"a token", []string{"Authorization: Bearer x"}, 401, 200, "login_required"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := b.raw("/", append(tc.lines, "Accept: application/json")...)
			require.Equal(t, tc.status, a.StatusCode)
			if tc.status == http.StatusOK {
				id := a.seen.Identity
				assert.Equal(t, "ada", id.Principal)
				assert.Equal(t, password.Service, id.Service)
				assert.Equal(t, "pwd", id.Auth)
				assert.Equal(t, start, id.Password)
				assert.Empty(t, a.seen.Header["Authorization"], "handlers need no password")
				assert.Empty(t, a.seen.Header["Remote-User"], "no front server has said so")
			} else {
				assert.Equal(t, challenge, a.Header.Get("WWW-Authenticate"))
				assert.Contains(t, a.body, `"reason":"`+tc.reason+`"`)
			}
			assert.Equal(t, tc.optional, b.raw("/optional", tc.lines...).StatusCode)
		})
	}
	assert.NotContains(t, b.logged(), "correct horse")
	assert.NotContains(t, b.logged(), `"ada"`, "what was typed is not logged")

	a := b.raw("/optional", "Authorization: Bearer x")
	assert.Equal(t, []string{"Bearer x"}, a.seen.Header["Authorization"])
	page := b.raw("/", "Accept: text/html")
	assert.Equal(t, "login-required", page.kind())
	assert.Equal(t, challenge, page.Header.Get("WWW-Authenticate"))
}

// The front server's word counts, and no password is looked at.
func TestHeaderBeforeBasic(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) {
		c.Password = func(context.Context, string, string) (bool, error) { t.Error("asked"); return true, nil }
	}})
	a := b.raw("/", "Remote-User: spqr1", basicAuth("ada", "correct horse"))
	assert.Equal(t, "spqr1", a.seen.Identity.Principal)
	assert.Equal(t, remoteuser.ServiceHeader, a.seen.Identity.Service)
	a = b.raw("/", "Remote-User: spqr1", "Remote-User: spqr2", basicAuth("ada", "correct horse"))
	assert.Equal(t, http.StatusBadRequest, a.StatusCode)
}

func TestPasswordCannotBeChecked(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) {
		c.Password = func(context.Context, string, string) (bool, error) { return true, errors.New("directory is down") }
	}})
	for range 100 { // which is no reason to lock anybody out
		a := b.raw("/", basicAuth("ada", "x"))
		require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
		require.NotContains(t, a.body, "directory")
	}
	assert.Contains(t, b.logged(), "directory is down")
}

func TestBruteForce(t *testing.T) {
	var asked atomic.Int32
	b := newBackend(t, setup{config: func(c *config) {
		c.Password = func(ctx context.Context, name, password string) (bool, error) {
			asked.Add(1)
			return onePassword(ctx, name, password)
		}
		c.Peers = []netip.Prefix{nowhere} // who comes from a peer has no address to count
	}})
	for range 200 { // who is right may come as often as they like
		require.Equal(t, http.StatusOK, b.raw("/", basicAuth("ada", "correct horse")).StatusCode)
	}
	b.advance(24 * time.Hour) // the place is not familiar any more
	asked.Store(0)
	for range 20 {
		require.Equal(t, http.StatusUnauthorized, b.raw("/", basicAuth("ada", "x")).StatusCode)
	}
	for _, name := range []string{"ada", "ADA", "aDa"} { // another spelling is no other account, perhaps
		a := b.raw("/", basicAuth(name, "correct horse"))
		assert.Equal(t, http.StatusTooManyRequests, a.StatusCode, "right or wrong: else guessing could go on")
		assert.Equal(t, "30", a.Header.Get("Retry-After"))
		assert.Empty(t, a.Header.Get("WWW-Authenticate"))
	}
	assert.EqualValues(t, 20, asked.Load())
	assert.Equal(t, "throttled", b.raw("/", basicAuth("ada", "x"), "Accept: text/html").kind())
	assert.Contains(t, b.reasons(), "throttled tries")

	b.advance(30 * time.Second)
	assert.Equal(t, http.StatusUnauthorized, b.raw("/", basicAuth("ada", "y")).StatusCode)
	assert.Equal(t, http.StatusTooManyRequests, b.raw("/", basicAuth("ada", "correct horse")).StatusCode)
	b.advance(30 * time.Second)
	for range 2 {
		assert.Equal(t, http.StatusOK, b.raw("/", basicAuth("ada", "correct horse")).StatusCode)
	}

	// Names that are tried one after another cost the address its tries, though not those
	// of the name that was locked, which cost nothing.
	b.advance(time.Hour)
	tried := 0
	for i := range 100 {
		if b.raw("/", basicAuth("user"+strings.Repeat("x", i), "x")).StatusCode == http.StatusTooManyRequests {
			break
		}
		tried++
	}
	assert.Equal(t, 60, tried)
	assert.Equal(t, http.StatusTooManyRequests, b.raw("/", basicAuth("ada", "correct horse")).StatusCode)
}

// Not even a checker that lets everybody in is asked about what can be no name.
func TestNamesAndPasswordsThatCannotBe(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) {
		c.Password = func(context.Context, string, string) (bool, error) { return true, nil }
	}})
	for _, tc := range [][2]string{
		{"", "x"}, {"a b", "x"}, {"a,b", "x"}, {"a\nb", "x"}, {"\u00e9", "x"}, {strings.Repeat("a", 256), "x"}, {"a", ""}, {"a", strings.Repeat("x", 1025)},
	} {
		assert.Equal(t, http.StatusUnauthorized, b.raw("/", basicAuth(tc[0], tc[1])).StatusCode, "%.20q", tc)
	}
	assert.Equal(t, http.StatusOK, b.raw("/", basicAuth(strings.Repeat("a", 255), strings.Repeat("x", 1024))).StatusCode)
}
