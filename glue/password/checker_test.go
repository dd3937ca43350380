package password_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

var (
	right = password.Verdict{Right: true}
	wrong = password.Verdict{}
)

// world is a site with a Checker, and a clock that moves only when it is told to.
type world struct {
	t     *testing.T
	check *password.Checker
	now   time.Time
	log   strings.Builder
}

// onePassword knows that of one person.
func onePassword(_ context.Context, name, password string) (bool, error) {
	return name == "ada" && password == "correct horse", nil
}

func newWorld(t *testing.T, cfg password.Config) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)}
	var err error
	cfg.Site, err = site.New(site.Config{
		BaseURL: "https://soc.example", Now: func() time.Time { return w.now }, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	require.NoError(t, err)
	w.check, err = password.New(cfg)
	require.NoError(t, err)
	return w
}

func from(addr string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = addr + ":50000"
	return r
}

func (w *world) verify(addr, name, pass string) password.Verdict {
	return w.check.Verify(from(addr), name, pass)
}

func TestVerify(t *testing.T) {
	asked := 0
	w := newWorld(t, password.Config{Check: func(context.Context, string, string) (bool, error) { asked++; return true, nil }})
	for _, row := range []struct {
		name, user, password string
		want                 password.Verdict
	}{
		{"any", "ada", "x", right},
		{"longest", strings.Repeat("a", 255), strings.Repeat("x", 1024), right},
		{"no name", "", "x", wrong},
		{"a blank", "a b", "x", wrong},
		{"a comma", "a,b", "x", wrong},
		{"a line break", "a\nb", "x", wrong},
		{"not ASCII", "\u00e9", "x", wrong},
		{"a long name", strings.Repeat("a", 256), "x", wrong},
		{"no password", "ada", "", wrong},
		{"a long password", "ada", strings.Repeat("x", 1025), wrong},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 100 { // what can be no name or no password is no try
				require.Equal(t, row.want, w.verify("192.0.2.1", row.user, row.password))
			}
		})
	}
	assert.Equal(t, 2, asked, "not even this checker is asked about what can be no name")
}

// When it is too much, nothing tells the right password from a wrong one, not even memory.
func TestVerifyIsLimited(t *testing.T) {
	for _, row := range []struct {
		name   string
		limits password.Limits
		tries  int
		rest   time.Duration
	}{
		{"by default", password.Limits{}, 20, 30 * time.Second},
		{"as configured", password.Limits{Name: password.Rate{Tries: 3, Rest: time.Hour}}, 3, time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked := 0
			w := newWorld(t, password.Config{Limits: row.limits, Check: func(ctx context.Context, name, pass string) (bool, error) {
				asked++
				return onePassword(ctx, name, pass)
			}})
			require.Equal(t, right, w.verify("192.0.2.1", "ada", "correct horse"))
			for i := range row.tries {
				require.Equal(t, wrong, w.verify("192.0.2.2", "ada", fmt.Sprint("x", i)))
			}
			for _, pass := range []string{"y", "correct horse"} {
				assert.Equal(t, password.Verdict{Wait: row.rest}, w.verify("192.0.2.2", "ada", pass))
			}
			assert.Equal(t, right, w.verify("192.0.2.1", "ada", "correct horse"), "familiar")
			assert.Equal(t, 1+row.tries, asked)
			w.now = w.now.Add(row.rest)
			assert.Equal(t, right, w.verify("192.0.2.2", "ada", "correct horse"))
		})
	}
}

func TestVerifyWithoutAnAnswer(t *testing.T) {
	down := errors.New("directory is down")
	w := newWorld(t, password.Config{Check: func(context.Context, string, string) (bool, error) { return true, down }})
	for range 100 { // which is no reason to lock anybody out
		assert.Equal(t, password.Verdict{Err: down}, w.verify("192.0.2.1", "ada", "x"))
	}
}

// What was right is asked about again after a while, and for itself only.
func TestVerifyRemembers(t *testing.T) {
	for remember, configured := range map[time.Duration]time.Duration{time.Minute: 0, time.Hour: time.Hour} {
		pass := "correct horse"
		w := newWorld(t, password.Config{Remember: configured, Check: func(_ context.Context, name, p string) (bool, error) { return name == "ada" && p == pass, nil }})
		require.Equal(t, right, w.verify("192.0.2.1", "ada", pass))
		pass = "changed"
		assert.Equal(t, right, w.verify("192.0.2.1", "ada", "correct horse"))
		assert.Equal(t, wrong, w.verify("192.0.2.1", "ada", "correct horsf"))
		assert.Equal(t, wrong, w.verify("192.0.2.1", "bob", "correct horse"))
		w.now = w.now.Add(remember)
		assert.Equal(t, wrong, w.verify("192.0.2.1", "ada", "correct horse"))
		assert.Equal(t, right, w.verify("192.0.2.1", "ada", "changed"))
	}
}

// Who was right is not kept out at that network by guesses from elsewhere, even if memory
// alone said so.
func TestWhatIsRememberedMakesANetworkFamiliar(t *testing.T) {
	w := newWorld(t, password.Config{Check: onePassword})
	require.Equal(t, right, w.verify("192.0.2.1", "ada", "correct horse"))
	require.Equal(t, right, w.verify("192.0.2.2", "ada", "correct horse"))
	for i := 0; w.verify(fmt.Sprintf("203.0.113.%d", i), "ada", "guess").Wait == 0; i++ {
		require.Less(t, i, 100)
	}
	assert.Equal(t, right, w.verify("192.0.2.1", "ada", "correct horse"))
	assert.Equal(t, right, w.verify("192.0.2.2", "ada", "correct horse"))
	assert.NotZero(t, w.verify("192.0.2.3", "ada", "correct horse").Wait)
}

// A page with many images is no attack, not even with one try left.
func TestVerifyManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		say := make(chan bool)
		w := newWorld(t, password.Config{Check: func(ctx context.Context, name, pass string) (bool, error) {
			if pass == "x" {
				return false, nil
			}
			asked.Add(1)
			<-say
			return onePassword(ctx, name, pass)
		}})
		for range 19 {
			require.Equal(t, wrong, w.verify("192.0.2.1", "ada", "x"))
		}
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() { assert.Equal(t, right, w.verify("192.0.2.1", "ada", "correct horse")) })
		}
		synctest.Wait()
		assert.Equal(t, password.Verdict{Wait: 30 * time.Second}, w.verify("192.0.2.1", "ada", "y"), "nothing else goes by its verdict")
		close(say)
		all.Wait()
		assert.EqualValues(t, 1, asked.Load())
	})
}

// A check that panics says nothing about the password to those who share it, and its try
// stays counted.
func TestVerifyPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, say := 0, make(chan bool)
		w := newWorld(t, password.Config{AtOnce: 1, Limits: password.Limits{Name: password.Rate{Tries: 2, Rest: time.Hour}}, Check: func(context.Context, string, string) (bool, error) {
			asked++
			<-say
			if asked == 1 {
				panic("check")
			}
			return true, nil
		}})
		var all sync.WaitGroup
		all.Go(func() {
			assert.PanicsWithValue(t, "check", func() { w.verify("192.0.2.1", "ada", "x") })
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() { assert.Equal(t, right, w.verify("192.0.2.1", "ada", "x")) })
		}
		synctest.Wait()
		close(say)
		all.Wait()
		assert.Equal(t, 2, asked)
		others := w.check.With("", never)
		assert.Equal(t, wrong, others.Verify(from("192.0.2.2"), "ada", "y"))
		assert.Equal(t, password.Verdict{Wait: time.Hour}, others.Verify(from("192.0.2.2"), "ada", "z"))
	})
}

func never(context.Context, string, string) (bool, error) { return false, nil }

// What is wrong for one scope may be right for another; the tries are those of all.
func TestWith(t *testing.T) {
	w := newWorld(t, password.Config{Check: never})
	one := w.check.With("one", func(context.Context, string, string) (bool, error) { return true, nil })
	two := w.check.With("two", never)
	for range 20 {
		require.Equal(t, wrong, two.Verify(from("192.0.2.1"), "ada", "x"))
	}
	require.Equal(t, password.Verdict{Wait: 30 * time.Second}, two.Verify(from("192.0.2.1"), "ada", "x"))
	assert.Equal(t, password.Verdict{Wait: 30 * time.Second}, one.Verify(from("192.0.2.1"), "ada", "x"), "a name's tries are those of all")
	w.now = w.now.Add(30 * time.Second)
	assert.Equal(t, right, one.Verify(from("192.0.2.1"), "ada", "x"))
	assert.Equal(t, right, one.Verify(from("192.0.2.1"), "ada", "x"), "while the other one is stale")
	assert.Equal(t, wrong, two.Verify(from("192.0.2.1"), "ada", "x"), "what is right for one is nothing to another")
}

// Checks take turns, and strangers do not keep out those who were here before.
func TestVerifyCrowded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		say := make(chan bool)
		w := newWorld(t, password.Config{AtOnce: 1, Check: onePassword})
		require.Equal(t, right, w.verify("192.0.2.1", "ada", "correct horse"))
		slow := w.check.With("slow", func(context.Context, string, string) (bool, error) { <-say; return false, nil })
		var crowded, looked atomic.Int32
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				switch v := slow.Verify(from(fmt.Sprint("198.51.100.", i)), fmt.Sprint("x", i), "x"); {
				case errors.Is(v.Err, password.ErrCrowded):
					assert.Equal(t, 5*time.Second, v.Wait)
					crowded.Add(1)
				case v == wrong:
					looked.Add(1)
				}
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 100-1-64, crowded.Load())
		assert.Equal(t, right, w.check.With("", onePassword).Verify(from("192.0.2.1"), "ada", "correct horse"))
		close(say)
		all.Wait()
		assert.EqualValues(t, 1+64, looked.Load())
	})
}

// A front server's address is that of all its clients: it counts for none of them.
func TestVerifyWithoutAnAddress(t *testing.T) {
	front := func(r *http.Request) bool { return strings.HasPrefix(r.RemoteAddr, "127.") }
	for name, w := range map[string]*world{
		"by configuration": newWorld(t, password.Config{Check: onePassword, NoAddress: front}),
		"told later":       newWorld(t, password.Config{Check: onePassword}),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "told later" {
				w.check.Behind(front)
			}
			for i := range 100 {
				require.Equal(t, wrong, w.verify("127.0.0.1", fmt.Sprint("x", i), "x"))
			}
			assert.Equal(t, right, w.verify("127.0.0.1", "ada", "correct horse"))
			assert.Equal(t, 1, strings.Count(w.log.String(), "event="+password.EventNoAddress), "told once")
			for range 20 {
				require.Equal(t, wrong, w.verify("192.0.2.1", "ada", "x"))
			}
			assert.Equal(t, password.Verdict{Wait: 30 * time.Second}, w.verify("127.0.0.1", "ada", "correct horse"), "and nobody is familiar")
		})
	}
	w := newWorld(t, password.Config{Check: onePassword})
	for i := range 60 {
		require.Equal(t, wrong, w.check.Verify(from(""), fmt.Sprint("x", i), "x"))
	}
	assert.Equal(t, 5*time.Second, w.check.Verify(from(""), "ada", "x").Wait, "otherwise clients without one have it in common")
}

func TestNewRefuses(t *testing.T) {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example"})
	require.NoError(t, err)
	for _, row := range []struct {
		name string
		cfg  password.Config
		want string
	}{
		{"no site", password.Config{Check: onePassword}, "Config.Site is missing"},
		{"no check", password.Config{Site: soc}, "Config.Check is missing"},
		{"fewer than none at once", password.Config{Site: soc, Check: onePassword, AtOnce: -1}, "Config.AtOnce is -1"},
		{"a past memory", password.Config{Site: soc, Check: onePassword, Remember: -1}, "Config.Remember"},
		{"no tries", password.Config{Site: soc, Check: onePassword, Limits: password.Limits{Name: password.Rate{Rest: 1}}}, "Limits.Name is 0 tries"},
		{"no rest", password.Config{Site: soc, Check: onePassword, Limits: password.Limits{Network: password.Rate{Tries: 1}}}, "Limits.Network is 1 tries and 0s"},
		{"an endless rest", password.Config{Site: soc, Check: onePassword, Limits: password.Limits{Site: password.Rate{Tries: 1, Rest: 1 << 62}}}, "Limits.Site"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := password.New(row.cfg)
			require.ErrorContains(t, err, row.want)
			assert.Nil(t, c)
		})
	}
}
