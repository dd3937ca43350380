package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// api is the example that runs, on ports that were free.
type api struct {
	*demotest.Program
	t  testing.TB
	at addresses
}

var freePorts = []string{"-addr", "localhost:0", "-wls-addr", "127.0.0.1:0", "-app-addr", "127.0.0.1:0", "-spa-addr", "127.0.0.1:0", "-library-addr", "127.0.0.1:0"}

// start runs the program with flags until the test ends. Its clock begins now because the
// application's does not stand still.
func start(t testing.TB, flags ...string) *api {
	t.Helper()
	p := demotest.Start(t, time.Now(), func(clock func() time.Time) demo.Program {
		return program(&options{now: clock})
	}, append(freePorts, flags...)...)
	return &api{p, t, addresses{
		site: p.Printed(`The site: +(\S+)`), app: p.Printed(`application: +(\S+)`), wls: p.Printed(`login service: +(\S+)`),
		spa: p.Printed(`in the browser: +(\S+)`), library: p.Printed(`library's API: +(\S+)`),
	}}
}

// run is the program with its flags alone; it returns the exit code.
func run(ctx context.Context, flags []string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = program(&options{}).Start(ctx, flags, &out, &errs)
	return code, out.String(), errs.String()
}

// person is a browser with cookies that logs in as a user by itself.
func (p *api) person(user string) *person {
	p.t.Helper()
	return &person{p.t, p.at, demotest.Client(p.t, p.at.wls, user)}
}

type person struct {
	t      testing.TB
	at     addresses
	client *http.Client
}

func (p *person) get(address string) demotest.Answer {
	p.t.Helper()
	return p.send(http.MethodGet, address, nil)
}

// post sends the form of a page, with what it holds already and with these fields.
func (p *person) post(from demotest.Answer, action string, fields ...string) demotest.Answer {
	p.t.Helper()
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(from.Body, -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	to, err := from.Request.URL.Parse(action)
	require.NoError(p.t, err)
	return p.send(http.MethodPost, to.String(), form)
}

func (p *person) send(method, address string, form url.Values) demotest.Answer {
	p.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	require.NoError(p.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return demotest.Do(p.t, p.client, r)
}

// call uses the API as a program does: with a token, and without cookies.
func (p *api) call(method, path, token, body string) demotest.Answer {
	p.t.Helper()
	r, err := http.NewRequest(method, p.at.site+path, strings.NewReader(body))
	require.NoError(p.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return demotest.Do(p.t, http.DefaultClient, r)
}

// fieldsOf are those of the JSON object that an answer is.
func fieldsOf(t testing.TB, a demotest.Answer) map[string]any {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.Body), &fields), a.Body)
	return fields
}
