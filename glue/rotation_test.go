package glue_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// fleet is a site on several machines, each with its own copy of the secret's file.
type fleet struct {
	t     *testing.T
	fake  *webauthtest.WLS
	auths []*glue.Auth
	files []string
}

func newFleet(t *testing.T, machines int, lines ...string) *fleet {
	f := &fleet{t: t, fake: newFake(t)}
	once := webauth.NewMemoryOneUse(0, f.fake.Now)
	for range machines {
		var cfg config
		cfg.Service, cfg.BaseURL, cfg.Now, cfg.OneUse = f.fake.Service(), "http://localhost:8080", f.fake.Now, once
		cfg.SecretFile = filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(cfg.SecretFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
		auth, err := newAuth(cfg)
		require.NoError(t, err)
		f.auths, f.files = append(f.auths, auth), append(f.files, cfg.SecretFile)
	}
	return f
}

// write gives one machine a secret.
func (f *fleet) write(machine int, lines ...string) {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(f.files[machine], []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	require.NoError(f.t, f.auths[machine].Site().ReloadSecret())
}

// cookieValues are those of a browser at http://localhost:8080.
type cookieValues map[string]string

func (f *fleet) get(machine int, jar cookieValues, address string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("Accept", "text/html")
	for name, value := range jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	f.auths[machine].Require(echo).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		jar[c.Name] = c.Value
	}
	return w.Result()
}

const fleetPage = "http://localhost:8080/page"

// begin sends a browser to log in, and returns where that brings it back to.
func (f *fleet) begin(machine int, jar cookieValues) (back string) {
	f.t.Helper()
	res := f.get(machine, jar, fleetPage)
	require.Equal(f.t, http.StatusSeeOther, res.StatusCode)
	back, err := f.fake.Respond(res.Header.Get("Location"), "test0001")
	require.NoError(f.t, err)
	return back
}

// everywhere makes sure that a login which begins at any machine goes on at any other, and its
// session at all of them, and that older sessions do. It returns the new sessions.
func (f *fleet) everywhere(when string, older []cookieValues) (all []cookieValues) {
	f.t.Helper()
	for from := range f.auths {
		for to := range f.auths {
			jar := cookieValues{}
			require.Equal(f.t, http.StatusSeeOther, f.get(to, jar, f.begin(from, jar)).StatusCode, "%s: login from %d at %d", when, from, to)
			all = append(all, jar)
		}
	}
	all = append(older, all...)
	for i, jar := range all {
		for at := range f.auths {
			assert.Equal(f.t, http.StatusOK, f.get(at, jar, fleetPage).StatusCode, "%s: session %d at %d", when, i, at)
		}
	}
	return all
}

func secretLine() string { return rand.Text() + rand.Text() }

// TestRotation follows the documentation of package site, step by step and machine by machine:
// at no moment is anybody logged out, or does a login not come back.
func TestRotation(t *testing.T) {
	before, after := secretLine(), secretLine()
	for machines, steps := range map[int][][]string{
		1: {{after, before}, {after}},
		3: {{before, after}, {after, before}, {after}},
	} {
		f := newFleet(t, machines, before)
		people := f.everywhere("before", nil)
		for n, lines := range steps {
			if n == len(steps)-1 {
				f.fake.Advance(2*time.Hour + time.Second) // the old line's sessions have ended
				people = nil
				jar := cookieValues{}
				f.get(0, jar, f.begin(0, jar)) // somebody is there all the same
				people = append(people, jar)
			}
			for machine := range machines {
				f.write(machine, lines...)
				people = f.everywhere(strings.Join([]string{"step", string('1' + rune(n)), "machine", string('1' + rune(machine))}, " "), people)
			}
		}
	}
}

// TestRotation_inAHurry is why several machines need the first step: what one seals with a line
// that the others do not have yet, they cannot open.
func TestRotation_inAHurry(t *testing.T) {
	before, after := secretLine(), secretLine()
	f := newFleet(t, 2, before)
	f.write(0, after, before)
	jar := cookieValues{}
	require.Equal(t, http.StatusSeeOther, f.get(0, jar, f.begin(0, jar)).StatusCode)
	assert.Equal(t, http.StatusOK, f.get(0, jar, fleetPage).StatusCode)
	assert.Equal(t, http.StatusSeeOther, f.get(1, jar, fleetPage).StatusCode, "to log in again")
}

// TestRotation_leaked: a line that is replaced opens nothing.
func TestRotation_leaked(t *testing.T) {
	f := newFleet(t, 1, secretLine())
	people := f.everywhere("before", nil)
	f.write(0, secretLine())
	assert.Equal(t, http.StatusSeeOther, f.get(0, people[0], fleetPage).StatusCode, "to log in again")
}
