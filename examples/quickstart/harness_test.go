package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// testNow is when every test begins. The clock stands still until a test moves it.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// logins are the kinds of login.
var logins = []string{"wls", "oidc"}

// quickstart is a quickstart that runs, on ports that were free.
type quickstart struct {
	*demotest.Program
	t   testing.TB
	url string // of the site
	wls string // of the fake login service, "" if it has none

	oidc bool // it is an OpenID Connect provider
}

// start runs the program with flags until the test ends.
func start(t testing.TB, flags ...string) *quickstart {
	t.Helper()
	return startAt(t, testNow, flags...)
}

// startAt is start with another time to begin at.
func startAt(t testing.TB, now time.Time, flags ...string) *quickstart {
	t.Helper()
	var o options
	p := demotest.Start(t, now, func(clock func() time.Time) demo.Program {
		o.now = clock
		return program(&o)
	}, append([]string{"-addr", "localhost:0", "-wls-addr", "127.0.0.1:0"}, flags...)...)
	q := &quickstart{Program: p, t: t, url: p.Printed(`Open (http\S+) in a browser`), oidc: o.login == "oidc"}
	if o.usesFake() {
		q.wls = p.Printed(`login service is at (http\S+);`)
	}
	return q
}

// run is the program with its flags alone; it returns the exit code.
func run(ctx context.Context, flags []string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program(&options{}).Start(ctx, flags, &out, &errs)
	return code, out.String(), errs.String()
}

// person is a browser with cookies that logs in as a user at the program's fake.
func (q *quickstart) person(user string) *person {
	q.t.Helper()
	if !q.oidc {
		return &person{t: q.t, site: q.url, client: demotest.Client(q.t, q.wls, user)}
	}
	fake, err := oidctest.NewProvider(oidctest.Config{BaseURL: q.wls}) // for its clients alone
	require.NoError(q.t, err)
	q.t.Cleanup(fake.Close)
	return &person{t: q.t, site: q.url, client: fake.Client(user)}
}

// logoutPath is that of the fake.
func (q *quickstart) logoutPath() string {
	if q.oidc {
		return "/logout?client_id="
	}
	return "/auth/logout.html"
}

// elsewhere are the flags for another site, with the same fake.
func (q *quickstart) elsewhere() []string {
	if !q.oidc {
		return []string{"-auth-url", q.wls + "/auth/authenticate.html", "-keys", writeKey(q.t, fakeKey(q.t))}
	}
	return []string{"-login", "oidc", "-issuer", q.wls, "-client-id", oidctest.ClientID, "-client-secret-file", clientSecret(q.t), "-principal-claim", "upn", "-crsid"}
}

type person struct {
	t      testing.TB
	site   string
	client *http.Client
}

func (p *person) do(method, path string, form url.Values, header ...string) demotest.Answer {
	p.t.Helper()
	r, err := http.NewRequest(method, p.site+path, strings.NewReader(form.Encode()))
	require.NoError(p.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return demotest.Do(p.t, p.client, r)
}

func (p *person) get(path string) demotest.Answer {
	p.t.Helper()
	return p.do(http.MethodGet, path, nil)
}

// post sends a form from a page of the site; fields are names and values.
func (p *person) post(path string, fields ...string) demotest.Answer {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return p.do(http.MethodPost, path, form)
}

// requirePage fails the test unless the answer is that page, as seen by that user.
func requirePage(t testing.TB, a demotest.Answer, status int, page, principal string) {
	t.Helper()
	require.Equal(t, page, a.Page(), "status %d at %s:\n%s", a.StatusCode, a.Request.URL, a.Body)
	require.Equal(t, status, a.StatusCode)
	require.Equal(t, principal, a.Principal())
	if status == http.StatusOK {
		require.NotRegexp(t, "WLS-Response=|code=", a.Request.URL.RawQuery, "in the address bar")
	}
}
