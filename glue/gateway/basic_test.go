package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refs are the references on pages.
var refs = regexp.MustCompile(`[A-Z2-7]{8}`)

// writeOver replaces what is in a file.
func writeOver(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// The limits of tries: so many at once, and one more after each interval.
const (
	addrBurst               = 20
	userBurst, userInterval = 10, 30 * time.Second
)

func manyUsers(i int) string { return fmt.Sprintf("user%d", i) }

func withPassword(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func basicWorld(t *testing.T) *world {
	t.Helper()
	file := writeFile(t, "htpasswd", "anna:"+hashOf(t, "sesame", 4)+"\nbob:"+hashOf(t, "open", 4)+"\n")
	return newWorld(t, kit{rules: []Rule{
		{Path: "/basic", Access: Basic, Htpasswd: file},
		{Path: "/annas", Access: Basic, Htpasswd: file, Principals: []string{"anna"}},
		{Path: "/editors", Access: Basic, Htpasswd: file, Groups: []string{"editors"}, GroupFile: writeFile(t, "groups", "editors: anna\n")},
	}})
}

func TestBasic(t *testing.T) {
	w := basicWorld(t)
	for _, row := range []struct {
		name, path string
		edit       func(*http.Request)
		status     int
		told       string
	}{
		{"nothing", "/basic", func(*http.Request) {}, 401, ""},
		{"right", "/basic", withPassword("anna", "sesame"), 200, "anna"},
		{"right once more", "/basic", withPassword("anna", "sesame"), 200, "anna"},
		{"wrong", "/basic", withPassword("anna", "open"), 401, ""},
		{"unknown", "/basic", withPassword("carl", "sesame"), 401, ""},
		{"empty", "/basic", withPassword("", ""), 401, ""},
		{"not base64", "/basic", header("Authorization", "Basic ????"), 401, ""},
		{"another scheme", "/basic", header("Authorization", "Bearer x"), 401, ""},
		{"twice", "/basic", func(r *http.Request) {
			r.SetBasicAuth("anna", "sesame")
			r.Header.Add("Authorization", r.Header.Get("Authorization"))
		}, 401, ""},
		{"not for bob", "/annas", withPassword("bob", "open"), 403, ""},
		{"not for bob, who is no editor", "/editors", withPassword("bob", "open"), 403, ""},
		{"for an editor", "/editors", withPassword("anna", "sesame"), 200, "anna"},
		{"for anna", "/annas", withPassword("anna", "sesame"), 200, "anna"},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := w.visitor("").get(row.path, row.edit)
			require.Equal(t, row.status, answer.StatusCode, answer.body)
			switch row.status {
			case http.StatusOK:
				got := w.backend.one(t)
				assert.Equal(t, row.told, got.user())
				assert.Empty(t, got.Header["Authorization"])
			case http.StatusUnauthorized:
				assert.Regexp(t, `^Basic realm="[^"\\]+", charset="UTF-8"$`, answer.Header.Get("WWW-Authenticate"))
				assert.Contains(t, answer.Header.Get("Cache-Control"), "no-store")
			}
			assert.Empty(t, w.backend.take())
		})
	}
	text := w.log.String()
	assert.Contains(t, text, "event=forbidden reason=principal principal=bob")
	assert.Contains(t, text, "event=forbidden reason=group principal=bob")
	assert.NotContains(t, text, "sesame")
	assert.NotContains(t, text, "carl", "people type passwords where names belong")
}

// When it is too much, nothing tells the right password from a wrong one.
func TestBasicIsLimited(t *testing.T) {
	w := basicWorld(t)
	v := w.visitor("")
	for range userBurst {
		require.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword("anna", "wrong")).StatusCode)
	}
	limited := func(edit func(*http.Request)) reply {
		answer := v.get("/basic", edit, func(r *http.Request) { r.Header.Set("Accept", "application/json") })
		answer.Header.Del("Date")
		return answer
	}
	wrong, right := limited(withPassword("anna", "wrong")), limited(withPassword("anna", "sesame"))
	require.Equal(t, http.StatusTooManyRequests, wrong.StatusCode)
	assert.Equal(t, strconv.Itoa(int(userInterval/time.Second)), wrong.Header.Get("Retry-After"))
	assert.Equal(t, wrong.StatusCode, right.StatusCode)
	drop := func(s string) string { return refs.ReplaceAllString(s, "") }
	assert.Equal(t, drop(wrong.body), drop(right.body))
	assert.Equal(t, wrong.Header, right.Header)
	assert.Empty(t, w.backend.take())
	assert.EqualValues(t, 2, w.metric(`password_attempts_total{verdict="limited"}`))

	w.fake.Advance(userInterval)
	assert.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
	assert.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword("anna", "wrong")).StatusCode, "familiar now, and so only the address counts")
}

// Not even the memory of right passwords answers whom the limit holds.
func TestBasicMemoryIsLimitedToo(t *testing.T) {
	w := basicWorld(t)
	v := w.visitor("")
	require.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
	for i := range addrBurst {
		require.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword(manyUsers(i), "wrong")).StatusCode)
	}
	assert.Equal(t, http.StatusTooManyRequests, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
}

// A page with many images is one check, and a reload another one.
func TestBasicRemembersRightPasswords(t *testing.T) {
	w := basicWorld(t)
	v := w.visitor("")
	checks := func() float64 {
		return w.metric(`password_attempts_total{verdict="right"}`)
	}
	var all sync.WaitGroup
	for range 40 { // more than the limits allow of checks
		all.Go(func() {
			answer, err := v.try(http.MethodGet, "/basic", nil, withPassword("anna", "sesame"))
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusOK, answer.StatusCode)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, checks())

	before := checks()
	w.fake.Advance(5 * time.Minute)
	require.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
	assert.Equal(t, before+1, checks(), "forgotten after a while")

	file := w.cfg.Rules[0].Htpasswd
	require.NoError(t, writeOver(file, "anna:"+hashOf(t, "changed", 4)+"\n"))
	require.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "sesame")).StatusCode, "the file is read at a reload")
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
	assert.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "changed")).StatusCode)
}

func TestBadHtpasswdIsReportedAtStart(t *testing.T) {
	w := basicWorld(t)
	cfg := w.cfg
	require.NoError(t, writeOver(cfg.Rules[0].Htpasswd, "# x\nanna:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=\n"))
	err := w.gateway.Reload(cfg)
	require.ErrorContains(t, err, "htpasswd:2: not a bcrypt hash")
	assert.NotContains(t, err.Error(), "VBPuJHI7")
	assert.True(t, strings.Contains(err.Error(), "rule[1].htpasswd"), err)
	assert.Equal(t, http.StatusOK, w.visitor("").get("/basic", withPassword("anna", "sesame")).StatusCode, "the old configuration stays")
}

// TestPasswordsStayHere: browsers send a name and a password to other paths than those
// that asked, and no backend gets to know them, at that host.
func TestPasswordsStayHere(t *testing.T) {
	rules := everyAccess(t)
	rules[len(rules)-1].Host = "localhost"
	w := newWorld(t, kit{rules: rules, config: func(cfg *Config) { cfg.Origins = []string{"http://127.0.0.2"} }})
	session := w.loggedIn("test0001").cookieHeader()
	for _, row := range []struct{ name, host, path, sent, told string }{
		{"public", w.host, "/public", "Basic Ym9iOnNlc2FtZQ==", ""},
		{"optional", w.host, "/optional", "Basic Ym9iOnNlc2FtZQ==", ""},
		{"login", w.host, "/private", "Basic Ym9iOnNlc2FtZQ==", ""},
		{"basic", w.host, "/basic", "Basic Ym9iOnNlc2FtZQ==", ""},
		{"in small letters", w.host, "/public", "basic Ym9iOnNlc2FtZQ==", ""},
		{"behind a comma", w.host, "/public", ", Basic Ym9iOnNlc2FtZQ==", ""},
		{"as a second one", w.host, "/public", "Bearer x\r\nAuthorization: BASIC Ym9iOnNlc2FtZQ==", ""},
		{"of another scheme", w.host, "/public", "Bearer abc", "Bearer abc"},
		{"of another scheme, with a session", w.host, "/private", "Digest username=\"basic\"", "Digest username=\"basic\""},
		{"where nothing asks for them", "127.0.0.2", "/public", "Basic Ym9iOnNlc2FtZQ==", "Basic Ym9iOnNlc2FtZQ=="},
	} {
		t.Run(row.name, func(t *testing.T) {
			request := strings.Replace(w.request("GET "+row.path+" HTTP/1.1", "Cookie: "+session, "Authorization: "+row.sent), w.host, row.host, 1)
			answer := w.wire(request)
			require.Equal(t, 200, statusOf(t, answer), answer)
			assert.Equal(t, row.told, strings.Join(w.backend.one(t).Header["Authorization"], "|"))
		})
	}
}

// A phone that goes on with an old password keeps out nobody else at its address.
func TestBasicStalePassword(t *testing.T) {
	w := basicWorld(t)
	v := w.visitor("")
	waits := 0
	for i := range 10 * addrBurst {
		switch code := v.get("/basic", withPassword("anna", "old")).StatusCode; code {
		case http.StatusTooManyRequests:
			waits++
		default:
			require.Equal(t, http.StatusUnauthorized, code)
		}
		require.Equal(t, http.StatusOK, v.get("/basic", withPassword("bob", "open")).StatusCode, "after %d", i)
	}
	assert.Equal(t, 10*addrBurst-userBurst, waits, "only the old one waits")
	guesses := 0
	for v.get("/basic", withPassword(manyUsers(guesses), "wrong")).StatusCode == http.StatusUnauthorized {
		guesses++
	}
	assert.Equal(t, addrBurst-1, guesses, "what is tried for the first time counts")
}

// Nor does it keep out the person for good, where nobody knows them yet.
func TestBasicStalePasswordOfOneself(t *testing.T) {
	w := basicWorld(t)
	v := w.visitor("")
	for range 2 * userBurst {
		require.NotEqual(t, http.StatusOK, v.get("/basic", withPassword("anna", "old")).StatusCode)
	}
	require.Equal(t, http.StatusTooManyRequests, v.get("/basic", withPassword("anna", "sesame")).StatusCode, "it might be a guess")
	for range 3 {
		w.fake.Advance(userInterval)
		require.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword("anna", "old")).StatusCode)
	}
	assert.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword("anna", "guess")).StatusCode)
	assert.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
}

// What is wrong in one file may be right in another.
func TestBasicStalePasswordOfAnotherFile(t *testing.T) {
	one, two := writeFile(t, "one", "anna:"+hashOf(t, "sesame", 4)+"\n"), writeFile(t, "two", "anna:"+hashOf(t, "open", 4)+"\n")
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/one", Access: Basic, Htpasswd: one}, {Path: "/one/again", Access: Basic, Htpasswd: one}, {Path: "/two", Access: Basic, Htpasswd: two},
	}})
	v := w.visitor("")
	require.Equal(t, http.StatusOK, v.get("/one", withPassword("anna", "sesame")).StatusCode)
	for range 2 * userBurst {
		require.NotEqual(t, http.StatusOK, v.get("/two", withPassword("anna", "sesame")).StatusCode)
	}
	assert.Equal(t, http.StatusOK, v.get("/one/again", withPassword("anna", "sesame")).StatusCode)
}

// Nor does one at an address where the password was right lately, and it is no way to
// have passwords checked without end.
func TestBasicStalePasswordAtAFamiliarAddress(t *testing.T) {
	w := basicWorld(t)
	v := w.visitor("")
	require.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
	for range userBurst {
		require.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword("anna", "old")).StatusCode)
	}
	require.Equal(t, http.StatusTooManyRequests, v.get("/basic", withPassword("anna", "old")).StatusCode)
	assert.Equal(t, http.StatusOK, v.get("/basic", withPassword("anna", "sesame")).StatusCode)
	assert.Equal(t, http.StatusUnauthorized, v.get("/basic", withPassword("anna", "another")).StatusCode)
}

// A crowd of strangers at the door is turned away in part, and does not keep out who was
// here before.
func TestBasicIsNotCrowdedOut(t *testing.T) {
	file := writeFile(t, "htpasswd", "anna:"+hashOf(t, "sesame", 4)+"\n")
	w := newWorld(t, kit{rules: []Rule{{Path: "/basic", Access: Basic, Htpasswd: file}}, config: func(cfg *Config) {
		cfg.Front.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}})
	from := func(addr string) func(*http.Request) { return header("X-Forwarded-For", addr) }
	v := w.visitor("")
	require.Equal(t, http.StatusOK, v.get("/basic", from("192.0.2.1"), withPassword("anna", "sesame")).StatusCode)
	require.NoError(t, w.gateway.Reload(w.cfg), "what was right is forgotten")

	// Checks that do not end take all slots, but for that of people who were here.
	busy, end := make(chan bool), make(chan bool)
	slow := w.gateway.checker.With("slow", func(context.Context, string, string) (bool, error) {
		busy <- true
		<-end
		return false, nil
	})
	var all sync.WaitGroup
	slots := max(1, runtime.GOMAXPROCS(0)/2-1)
	for i := range slots {
		all.Go(func() { slow.Verify(httptest.NewRequest(http.MethodGet, "/", nil), fmt.Sprint("slow", i), "x") })
		<-busy
	}
	const strangers, mayWait = 192, 64
	crowded := make(chan reply, strangers)
	for i := range strangers {
		all.Go(func() {
			answer, err := v.try(http.MethodGet, "/basic", nil, from(fmt.Sprintf("2001:db8:%x::1", i)), withPassword(manyUsers(i), "x"))
			if assert.NoError(t, err) && answer.StatusCode == http.StatusServiceUnavailable {
				crowded <- answer
			}
		})
	}
	turnedAway := func(answer reply) {
		assert.Equal(t, "5", answer.Header.Get("Retry-After"))
		assert.Empty(t, answer.Header.Get("WWW-Authenticate"), "nothing is wrong with the password")
	}
	for range strangers - mayWait {
		turnedAway(<-crowded)
	}
	assert.Equal(t, http.StatusOK, v.get("/basic", from("192.0.2.1"), withPassword("anna", "sesame")).StatusCode)
	close(end)
	all.Wait()
	close(crowded)
	turned := strangers - mayWait
	for answer := range crowded { // on a busy machine, whoever has waited for as long as people wait
		turnedAway(answer)
		turned++
	}
	assert.EqualValues(t, turned, w.metric(`password_attempts_total{verdict="crowded"}`))
}
