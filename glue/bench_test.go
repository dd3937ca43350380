package glue_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// blank is a ResponseWriter that costs next to nothing.
type blank struct {
	header http.Header
	status int
}

func (w *blank) Header() http.Header         { return w.header }
func (w *blank) Write(p []byte) (int, error) { return len(p), nil }
func (w *blank) WriteHeader(status int)      { w.status = status }

// bench is a site whose handlers are called without a network.
type bench struct {
	auth    *glue.Auth
	fake    *webauthtest.WLS
	handler http.Handler
	host    string
}

// principalOnly is a handler that wants to know who it is.
var principalOnly = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	if id, ok := glue.IdentityFrom(r.Context()); !ok || id.Principal != "test0001" {
		panic("nobody is logged in")
	}
})

func newBench(b testing.TB, config ...func(*config)) *bench {
	b.Helper()
	s := startSite(b, setup{})
	cfg := s.config("https://soc.example")
	cfg.Logger, cfg.OnEvent = slog.New(slog.DiscardHandler), nil
	for _, edit := range config {
		edit(&cfg)
	}
	auth, err := newAuth(cfg)
	require.NoError(b, err)
	return &bench{auth: auth, fake: s.fake.(fakeWLS).WLS, handler: auth.Require(principalOnly), host: "soc.example"}
}

func (bn *bench) request(target string, cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = bn.host
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

func (bn *bench) serve(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	bn.handler.ServeHTTP(w, r)
	return w.Result()
}

// begin is a redirect to the WLS and the cookie that comes with it.
func (bn *bench) begin(b testing.TB) (location string, login *http.Cookie) {
	b.Helper()
	resp := bn.serve(bn.request("/private/"))
	require.Equal(b, http.StatusSeeOther, resp.StatusCode)
	require.Len(b, resp.Cookies(), 1)
	return resp.Header.Get("Location"), resp.Cookies()[0]
}

// answer is what the browser comes back with, without the origin.
func (bn *bench) answer(b testing.TB, location string) string {
	b.Helper()
	back, err := bn.fake.Respond(location, "test0001")
	require.NoError(b, err)
	return strings.TrimPrefix(back, "https://soc.example")
}

// logIn gives the cookies of somebody who is logged in.
func (bn *bench) logIn(b testing.TB) []*http.Cookie {
	b.Helper()
	location, login := bn.begin(b)
	in := bn.serve(bn.request(bn.answer(b, location), login))
	require.Equal(b, http.StatusSeeOther, in.StatusCode)
	return append(in.Cookies(), login)
}

// run serves one request again and again and expects that status. Each time it is a
// copy, as gorilla/sessions remembers by request what it has decoded.
func run(b *testing.B, h http.Handler, r *http.Request, status int) {
	b.Helper()
	w := &blank{header: make(http.Header, 8)}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		w.status = http.StatusOK
		again := *r
		h.ServeHTTP(w, &again)
		if w.status != status {
			b.Fatalf("status %d", w.status)
		}
	}
}

// BenchmarkRequire is a request of somebody who is logged in: through Require, Optional and
// Evaluate, with the session in a store, straight to the handler, and, to compare, with the
// same identity in a stock gorilla session.
func BenchmarkRequire(b *testing.B) {
	bn := newBench(b)
	cookies := bn.logIn(b)
	b.Run("warm", func(b *testing.B) { run(b, bn.handler, bn.request("/private/", cookies...), http.StatusOK) })
	b.Run("optional", func(b *testing.B) {
		run(b, bn.auth.Optional(principalOnly), bn.request("/private/", cookies...), http.StatusOK)
	})
	b.Run("evaluate", func(b *testing.B) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d, err := bn.auth.Evaluate(r)
			if err != nil || !d.Allowed || d.Identity.Principal != "test0001" {
				panic("nobody is logged in")
			}
			d.Mark(w)
		})
		run(b, h, bn.request("/private/", cookies...), http.StatusOK)
	})
	b.Run("store", func(b *testing.B) {
		bn := newBench(b, inStore(sessions.NewCookieStore(storeKey(), storeKey())))
		run(b, bn.handler, bn.request("/private/", bn.logIn(b)...), http.StatusOK)
	})
	b.Run("bare", func(b *testing.B) {
		r := bn.request("/private/", cookies...)
		id := glue.Identity{Principal: "test0001"}
		run(b, principalOnly, r.WithContext(glue.WithIdentity(context.Background(), id)), http.StatusOK)
	})
	b.Run("gorilla", func(b *testing.B) {
		store := sessions.NewCookieStore(storeKey(), storeKey())
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := store.Get(r, "session")
			if err != nil {
				panic(err)
			}
			principal, _ := s.Values["principal"].(string)
			_, _ = s.Values["ptags"].(string)
			_, _ = s.Values["auth"].(string)
			_, _ = s.Values["expires"].(int64)
			principalOnly(w, r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{Principal: principal})))
		})
		w := httptest.NewRecorder()
		s, err := store.Get(bn.request("/"), "session")
		require.NoError(b, err)
		s.Values["principal"], s.Values["ptags"] = "test0001", "current"
		s.Values["auth"], s.Values["expires"] = "pwd", testNow.Unix()
		require.NoError(b, store.Save(bn.request("/"), w, s))
		run(b, h, bn.request("/private/", w.Result().Cookies()[0], cookies[len(cookies)-1]), http.StatusOK)
	})
}

// BenchmarkLogin is our part of a login: the redirect to the WLS and its response.
func BenchmarkLogin(b *testing.B) {
	bn := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		location, login := bn.begin(b)
		b.StopTimer()
		r := bn.request(bn.answer(b, location), login)
		b.StartTimer()
		resp := bn.serve(r)
		if resp.StatusCode != http.StatusSeeOther || len(resp.Cookies()) != 2 {
			b.Fatalf("status %d", resp.StatusCode)
		}
	}
}

// BenchmarkReject is a response with a bad signature, as anybody can send.
func BenchmarkReject(b *testing.B) {
	bn := newBench(b)
	location, login := bn.begin(b)
	bn.fake.Next(webauthtest.Outcome{Fault: webauthtest.FaultBadSignature})
	run(b, bn.handler, bn.request(bn.answer(b, location), login), http.StatusForbidden)
}
