package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gorilla/sessions"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// A site on several machines: all of them run this.
func Example() {
	store, err := redisstore.New(redisstore.Config{
		URL:  "redis://127.0.0.1:6379",
		Site: "soc-example",
	})
	if err != nil {
		log.Fatal(err) // names the address, should Redis not answer
	}
	defer store.Close()
	soc, err := site.New(site.Config{
		BaseURL:    "https://soc.example",
		SecretFile: "/var/lib/soc/secret", // the same on all machines
		OneUse:     store,
	})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: webauth.Raven(), Session: glue.Session{Store: store}})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/private/", auth.Require(http.NotFoundHandler()))
}

// exampleStore is a Store on a Redis of its own.
func exampleStore() (store *redisstore.Store, stop func()) {
	mini := miniredis.NewMiniRedis()
	if err := mini.Start(); err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	mini.SetTime(now.Add(-time.Minute))
	store, err := redisstore.New(redisstore.Config{
		URL: "redis://" + mini.Addr(), Site: "example", Timeout: patience, Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	if err != nil {
		log.Fatal(err)
	}
	return store, func() { _ = store.Close(); mini.Close() }
}

// loginExample starts a session, as package glue does at a login, and gives its cookie.
func loginExample(store *redisstore.Store, principal string) *http.Cookie {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	session := sessions.NewSession(store, "__Host-example")
	session.Values[glue.ValuePrincipal] = principal
	if err := store.Save(r, w, session); err != nil {
		log.Fatal(err)
	}
	return w.Result().Cookies()[0]
}

func ExampleNew() {
	mini := miniredis.NewMiniRedis()
	if err := mini.Start(); err != nil {
		log.Fatal(err)
	}
	store, err := redisstore.New(redisstore.Config{URL: "redis://" + mini.Addr(), Site: "example", Timeout: patience, Logger: slog.New(slog.DiscardHandler)})
	fmt.Println("a Redis that answers:", err)
	_ = store.Close()
	mini.Close()

	_, err = redisstore.New(redisstore.Config{URL: "redis://127.0.0.1:1", Site: "example", Timeout: time.Second})
	fmt.Println(err)
	_, err = redisstore.New(redisstore.Config{URL: "redis://127.0.0.1:1"})
	fmt.Println(err)
	// Output:
	// a Redis that answers: <nil>
	// redisstore: Redis at 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused
	// redisstore: Config.Site is "", want a name of the site in 1 to 64 of a-z, A-Z, 0-9, '.', '-' and '_'
}

// An application can keep sessions of its own in the Store, in gorilla's usual way.
func ExampleStore_Get() {
	store, stop := exampleStore()
	defer stop()
	count := func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, "__Host-basket")
		if err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		n, _ := session.Values["visits"].(int)
		session.Values["visits"] = n + 1
		if err := session.Save(r, w); err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "visit %d", n+1)
	}
	first := httptest.NewRecorder()
	count(first, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(first.Body)

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(first.Result().Cookies()[0])
	second := httptest.NewRecorder()
	count(second, r)
	fmt.Println(second.Body)
	// Output:
	// visit 1
	// visit 2
}

func ExampleStore_New() {
	store, stop := exampleStore()
	defer stop()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(loginExample(store, "spqr1"))
	session, err := store.New(r, "__Host-example")
	fmt.Println(session.Values[glue.ValuePrincipal], session.IsNew, err)
	// Output: spqr1 false <nil>
}

func ExampleStore_Save() {
	store, stop := exampleStore()
	defer stop()
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	session := sessions.NewSession(store, "__Host-example")
	session.Values["when"] = time.Now()
	fmt.Println(store.Save(r, w, session))
	session.Values["when"] = time.Now().Unix()
	fmt.Println(store.Save(r, w, session))
	// Output:
	// redisstore: Session.Values["when"]: a time.Time cannot be stored; use string, bool, int or int64
	// <nil>
}

// A page that lists where somebody is logged in.
func ExampleStore_Sessions() {
	store, stop := exampleStore()
	defer stop()
	loginExample(store, "spqr1")
	here := loginExample(store, "spqr1")

	r := httptest.NewRequest(http.MethodGet, "/sessions", nil)
	r.AddCookie(here)
	list, err := store.Sessions(r.Context(), "spqr1") // the principal of glue.IdentityFrom
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range list {
		fmt.Println("since", s.Created.Format(time.TimeOnly), "this one:", s.Is(r))
	}
	// Output:
	// since 10:00:03 this one: true
	// since 10:00:02 this one: false
}

func ExampleSession_Is() {
	store, stop := exampleStore()
	defer stop()
	r := httptest.NewRequest(http.MethodGet, "/sessions", nil)
	r.AddCookie(loginExample(store, "spqr1"))
	list, err := store.Sessions(r.Context(), "spqr1")
	fmt.Println(list[0].Is(r), err)
	// Output: true <nil>
}

func ExampleStore_Revoke() {
	store, stop := exampleStore()
	defer stop()
	ctx := context.Background()
	loginExample(store, "spqr1")
	list, err := store.Sessions(ctx, "spqr1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Revoke(ctx, "other1", list[0].Handle))
	fmt.Println(store.Revoke(ctx, "spqr1", list[0].Handle))
	// Output:
	// false <nil>
	// true <nil>
}

// "Log out everywhere else": all sessions but the one that asks.
func ExampleStore_RevokeAll() {
	store, stop := exampleStore()
	defer stop()
	r := httptest.NewRequest(http.MethodPost, "/sessions/end-others", nil)
	r.AddCookie(loginExample(store, "spqr1"))
	loginExample(store, "spqr1")
	loginExample(store, "spqr1")

	list, err := store.Sessions(r.Context(), "spqr1")
	if err != nil {
		log.Fatal(err)
	}
	var keep []string
	for _, s := range list {
		if s.Is(r) {
			keep = append(keep, s.Handle)
		}
	}
	fmt.Println(store.RevokeAll(r.Context(), "spqr1", keep...))
	// Output: 2 <nil>
}

func ExampleStore_Once() {
	store, stop := exampleStore()
	defer stop()
	issued := time.Date(2026, 11, 22, 10, 0, 5, 0, time.UTC)
	item := webauth.Item{ID: "invitation:4711", Issued: issued, Expires: issued.Add(time.Hour)}
	fmt.Println(store.Once(context.Background(), item))
	fmt.Println(store.Once(context.Background(), item))

	item = webauth.Item{ID: "invitation:0815", Issued: issued.AddDate(0, 0, -1), Expires: issued.Add(time.Hour)}
	err := store.Once(context.Background(), item) // older than what this Redis remembers
	fmt.Println(errors.Is(err, redisstore.ErrLostMemory))
	// Output:
	// <nil>
	// webauth: used before
	// true
}

// A health check for a load balancer.
func ExampleStore_Check() {
	store, stop := exampleStore()
	defer stop()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthy", func(w http.ResponseWriter, r *http.Request) {
		if err := store.Check(r.Context()); err != nil {
			slog.Error("not healthy", "error", err)
			http.Error(w, "not healthy", http.StatusServiceUnavailable)
		}
	})
	fmt.Println(store.Check(context.Background()))
	// Output: <nil>
}

func ExampleStore_Close() {
	store, stop := exampleStore()
	defer stop()
	fmt.Println(store.Close())
	fmt.Println(store.Check(context.Background()) != nil)
	// Output:
	// <nil>
	// true
}
