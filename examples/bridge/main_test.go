package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// testNow is when every test begins. The clock stands still.
var testNow = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// running is the example, on ports that were free.
type running struct {
	*demotest.Program
	t                  *testing.T
	site, old, service string
	provider           string
}

func start(t *testing.T, flags ...string) *running {
	t.Helper()
	p := demotest.Start(t, testNow, func(clock func() time.Time) demo.Program {
		return program(&options{now: clock})
	}, append([]string{"-addr", "localhost:0", "-old-addr", "localhost:0", "-bridge-addr", "localhost:0", "-provider-addr", "127.0.0.1:0"}, flags...)...)
	return &running{p, t, p.Printed(`Open (http\S+), made`), p.Printed(`or (http\S+), an old`), p.Printed(`login service is at (http\S+);`), p.Printed(`provider at (http\S+),`)}
}

// person is a browser that logs in at the provider as a user.
func (p *running) person(user string) *http.Client {
	p.t.Helper()
	provider, err := oidctest.NewProvider(oidctest.Config{BaseURL: p.provider}) // for its clients alone
	require.NoError(p.t, err)
	return provider.Client(user)
}

func (p *running) get(client *http.Client, url string) demotest.Answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(p.t, err)
	r.Header.Set("Accept", "text/html")
	return demotest.Do(p.t, client, r)
}

// TestBridge: one login by OpenID Connect is good for both sites.
func TestBridge(t *testing.T) {
	p := start(t, "-ask=false")
	one := p.person("test0001")
	answer := p.get(one, p.site+"page?a=b")
	assert.Equal(t, 200, answer.StatusCode, answer.Body)
	assert.Contains(t, answer.Body, "The new site")
	assert.Equal(t, "test0001", answer.Principal())
	assert.Equal(t, p.site+"page?a=b", answer.Request.URL.String())

	answer = p.get(one, p.old)
	assert.Contains(t, answer.Body, "The old site")
	assert.Equal(t, "test0001", answer.Principal())
	replayed := answer.Request.URL.String()
	p.Advance(2 * time.Minute)
	assert.Contains(t, p.get(one, replayed).Body, "the response is not new")
	assert.Contains(t, p.get(one, p.old+"?WLS-Response=1!200").Body, "malformed")

	ten := p.person("test0010")
	answer = p.get(ten, p.site)
	assert.Equal(t, 403, answer.StatusCode, "who is not current")
	answer = p.get(ten, p.old)
	assert.Empty(t, answer.Principal(), "a site of version 1 takes anybody for current")
}

// TestBridge_asks: a person sees which site asks.
func TestBridge_asks(t *testing.T) {
	p := start(t)
	answer := p.get(p.person("test0001"), p.old)
	assert.Equal(t, 200, answer.StatusCode)
	assert.Contains(t, answer.Request.URL.String(), p.service)
	assert.Contains(t, answer.Body, "The old site")
	assert.NotContains(t, answer.Body, "<h1>The old site</h1>", "which is not told yet")
}

func TestBridge_loopback(t *testing.T) {
	for _, flag := range []string{"-addr", "-old-addr", "-bridge-addr", "-provider-addr"} {
		var stderr demotest.Buffer
		assert.Equal(t, 2, program(&options{}).Start(t.Context(), []string{flag, "0.0.0.0:0"}, &stderr, &stderr))
		assert.Contains(t, stderr.String(), "want an address of this machine only")
	}
}
