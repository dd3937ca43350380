package remoteuser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/password"
)

// newInside starts a backend inside of site.Handler, and gives what asks it as a client
// of its front server.
func newInside(t *testing.T, config func(*config)) (*backend, func(from, name, password string) int) {
	t.Helper()
	b := newBackend(t, setup{inside: true, config: config})
	return b, func(from, name, password string) int {
		return b.raw("/", "X-Forwarded-For: "+from, basicAuth(name, password)).StatusCode
	}
}

// The front server's address is that of all its clients: none can use it up for the
// others. The operators are told, once.
func TestTriesFromAFrontServer(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Password = onePassword }})
	assert.NotContains(t, b.logged(), "site.Handler")
	for i := range 100 {
		require.Equal(t, http.StatusUnauthorized, b.raw("/", basicAuth(fmt.Sprint("x", i), "x")).StatusCode)
	}
	assert.Equal(t, http.StatusOK, b.raw("/", basicAuth("ada", "correct horse")).StatusCode)
	assert.Equal(t, 1, strings.Count(b.logged(), "put site.Handler around"))
	assert.Contains(t, b.reasons(), password.EventNoAddress)

	b, from := newInside(t, func(c *config) { c.Password = onePassword })
	for i := range 60 {
		require.Equal(t, http.StatusUnauthorized, from("192.0.2.1", fmt.Sprint("x", i), "x"))
	}
	assert.Equal(t, http.StatusTooManyRequests, from("192.0.2.1", "y", "x"))
	assert.Equal(t, http.StatusOK, from("192.0.2.2", "ada", "correct horse"))
	// A client whose address is in a range of Peers is still a client.
	for i := range 60 {
		require.Equal(t, http.StatusUnauthorized, from("127.0.0.9", fmt.Sprint("y", i), "x"))
	}
	assert.NotContains(t, b.reasons(), password.EventNoAddress)
}

// What can be no name or no password is no try.
func TestTriesOfWhatCannotBe(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) {
		c.Password, c.Peers = onePassword, []netip.Prefix{nowhere}
	}})
	for i := range 70 {
		require.Equal(t, http.StatusUnauthorized, b.raw("/", basicAuth(fmt.Sprint("a b", i), "x")).StatusCode)
		require.Equal(t, http.StatusUnauthorized, b.raw("/", basicAuth("ada", "")).StatusCode)
	}
	assert.Equal(t, http.StatusOK, b.raw("/", basicAuth("ada", "correct horse")).StatusCode)
}

// A page with many images is no attack, not even with one try left.
func TestManyRightAtOnce(t *testing.T) {
	var asked atomic.Int32
	began, say := make(chan bool, 100), make(chan bool)
	_, from := newInside(t, func(c *config) {
		c.Password = func(ctx context.Context, name, password string) (bool, error) {
			if password == "x" {
				return false, nil
			}
			asked.Add(1)
			began <- true
			<-say
			return onePassword(ctx, name, password)
		}
	})
	for range 19 {
		require.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "ada", "x"))
	}
	var wg sync.WaitGroup
	var in atomic.Int32
	for range 60 {
		wg.Go(func() {
			if from("192.0.2.1", "ada", "correct horse") == http.StatusOK {
				in.Add(1)
			}
		})
	}
	<-began
	close(say)
	wg.Wait()
	assert.EqualValues(t, 60, in.Load())
	assert.EqualValues(t, 1, asked.Load())
}

// While a right password is being looked at, nothing else goes by its verdict.
func TestOthersWhileRightIsLookedAt(t *testing.T) {
	began, say := make(chan bool, 10), make(chan bool)
	_, from := newInside(t, func(c *config) {
		c.Password = func(ctx context.Context, name, password string) (bool, error) {
			if ok, _ := onePassword(ctx, name, password); !ok {
				return false, nil
			}
			began <- true
			<-say
			return true, nil
		}
	})
	got := make(chan int)
	go func() { got <- from("192.0.2.1", "ada", "correct horse") }()
	<-began
	assert.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "ada", "x"))
	assert.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "bob", "correct horse"))
	go func() { got <- from("192.0.2.2", "ada", "correct horse") }()
	<-began // another place has limits of its own
	close(say)
	assert.Equal(t, http.StatusOK, <-got)
	assert.Equal(t, http.StatusOK, <-got)
}

// What was right is asked about again after a minute, and never where there is no try
// left; a form is always asked about.
func TestWhatWasRightLately(t *testing.T) {
	password := "correct horse"
	b, from := newInside(t, func(c *config) {
		c.Password = func(_ context.Context, name, p string) (bool, error) { return name == "ada" && p == password, nil }
	})
	require.Equal(t, http.StatusOK, from("192.0.2.1", "ada", "correct horse"))
	password = "changed"
	assert.Equal(t, http.StatusOK, from("192.0.2.1", "ada", "correct horse"))
	assert.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "ada", "correct horsf"))
	assert.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "bob", "correct horse"))
	for range 18 {
		require.Equal(t, http.StatusUnauthorized, from("192.0.2.2", "bob", "x"))
		require.Equal(t, http.StatusUnauthorized, from("192.0.2.2", "ada", "x"))
	}
	require.Equal(t, http.StatusUnauthorized, from("192.0.2.2", "ada", "x"))
	require.Equal(t, http.StatusUnauthorized, from("192.0.2.2", "ada", "x"))
	assert.Equal(t, http.StatusTooManyRequests, from("192.0.2.2", "ada", "correct horse"), "memory is no way to guess on")
	b.advance(time.Minute)
	assert.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "ada", "correct horse"))
	assert.Equal(t, http.StatusOK, from("192.0.2.1", "ada", "changed"))
}

func TestWhatWasRightLatelyIsNoLogin(t *testing.T) {
	right := "correct horse"
	b := newBackend(t, setup{config: func(c *config) {
		c.Form = &password.FormConfig{}
		c.Password = func(_ context.Context, _, p string) (bool, error) { return p == right, nil }
	}})
	assert.Equal(t, http.StatusSeeOther, b.browser().login("ada", "correct horse").StatusCode)
	right = "changed"
	assert.Equal(t, "wrong-password", b.browser().login("ada", "correct horse").kind())
}

// A stranger who guesses at a name all day does not keep out its owner.
func TestTriesAtAFamiliarPlace(t *testing.T) {
	b, from := newInside(t, func(c *config) { c.Password = onePassword })
	require.Equal(t, http.StatusOK, from("192.0.2.1", "ada", "correct horse"))
	for range 20 {
		require.Equal(t, http.StatusUnauthorized, from("203.0.113.9", "ada", "x"))
	}
	for i := range 3 {
		assert.Equal(t, http.StatusTooManyRequests, from("203.0.113.9", "ada", fmt.Sprint("y", i)))
		assert.Equal(t, http.StatusOK, from("192.0.2.1", "ada", "correct horse"))
		assert.Equal(t, http.StatusTooManyRequests, from("192.0.2.2", "ada", "correct horse"), "nobody was there before")
		b.advance(30 * time.Second)
		assert.Equal(t, http.StatusUnauthorized, from("203.0.113.9", "ada", fmt.Sprint("z", i)))
	}
}

// Nor does what goes on with an old password keep out its owner for good where nobody was
// before: it takes no try of the name any more.
func TestTriesBesideAStalePassword(t *testing.T) {
	b, from := newInside(t, func(c *config) { c.Password = onePassword })
	for range 40 {
		require.NotEqual(t, http.StatusOK, from("192.0.2.1", "ada", "old"))
	}
	require.Equal(t, http.StatusTooManyRequests, from("192.0.2.1", "ada", "correct horse"), "it might be a guess")
	for range 3 {
		b.advance(30 * time.Second)
		require.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "ada", "old"))
	}
	assert.Equal(t, http.StatusUnauthorized, from("192.0.2.1", "ada", "guess"))
	assert.Equal(t, http.StatusOK, from("192.0.2.1", "ada", "correct horse"))
}

// A phone that goes on with an old password keeps out nobody else at its address, and it
// waits itself where that password was right lately, too.
func TestTriesOfAStalePassword(t *testing.T) {
	for _, familiar := range []bool{false, true} {
		_, from := newInside(t, func(c *config) {
			c.Password = func(_ context.Context, name, p string) (bool, error) { return p == "of "+name, nil }
		})
		const address = "192.0.2.1"
		if familiar {
			require.Equal(t, http.StatusOK, from(address, "carol", "of carol"))
		}
		waits := 0
		for range 200 {
			if from(address, "carol", "old") == http.StatusTooManyRequests {
				waits++
			}
			require.Equal(t, http.StatusOK, from(address, "bob", "of bob"))
		}
		assert.Equal(t, 180, waits)
		if familiar {
			assert.Equal(t, http.StatusOK, from(address, "carol", "of carol"))
		}
		guesses := 0
		for from(address, "user"+strconv.Itoa(guesses), "x") == http.StatusUnauthorized {
			guesses++
		}
		assert.Equal(t, 59, guesses, "what is tried for the first time counts")
	}
}
