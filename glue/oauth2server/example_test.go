package oauth2server_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// exampleSite is a database in a new directory, and a login; clean removes the former.
func exampleSite(edit ...func(c *site.Config)) (db *sql.DB, auth *glue.Auth, guard *xsrf.Guard, clean func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "api.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		log.Fatal(err)
	}
	cfg := site.Config{BaseURL: "https://soc.example", Secret: rand.Text() + rand.Text()}
	for _, e := range edit {
		e(&cfg)
	}
	soc, err := site.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	auth, err = glue.New(glue.Config{Site: soc, Service: webauth.Raven()})
	if err != nil {
		log.Fatal(err)
	}
	guard, err = xsrf.New(xsrf.Config{Site: soc, Auth: auth})
	if err != nil {
		log.Fatal(err)
	}
	return db, auth, guard, func() {
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}
}

// exampleServer is a server with one scope.
func exampleServer() (server *oauth2server.Server, clean func()) {
	db, auth, guard, clean := exampleSite()
	server, err := oauth2server.New(context.Background(), oauth2server.Config{
		DB: db, Dialect: oauth2server.SQLite,
		Auth: auth, Guard: guard,
		Scopes: []oauth2server.Scope{{Name: "records:read", Text: "Read your records.", Group: "Records"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	return server, clean
}

// get asks a handler for a path of the site.
func get(h http.Handler) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://soc.example/api/records", http.NoBody))
	return w.Result()
}

func ExampleNew() {
	ctx := context.Background()
	db, auth, guard, clean := exampleSite()
	defer clean()
	mux := http.NewServeMux()
	records := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, _ := oauth2server.AccessFrom(r.Context())
		fmt.Fprintf(w, "the records of %s", a.Principal)
	})

	server, err := oauth2server.New(ctx, oauth2server.Config{
		DB: db, Dialect: oauth2server.SQLite,
		Auth: auth, Guard: guard,
		Scopes: []oauth2server.Scope{{Name: "records:read", Text: "Read your records.", Group: "Records"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("/oauth/", server.Handler()) // the settings pages are at /oauth/settings
	mux.Handle(server.MetadataPath(), server.Metadata())
	mux.Handle("GET /api/records", server.RequireAPI("records:read")(records)) // in records: oauth2server.AccessFrom

	resp := get(mux) // without a token
	fmt.Println(resp.Status)
	fmt.Println(resp.Header.Get("WWW-Authenticate"))
	// Output:
	// 401 Unauthorized
	// Bearer realm="https://soc.example", scope="records:read"
}

func ExampleServer_AllowAnonymous() {
	server, clean := exampleServer()
	defer clean()
	fmt.Println(get(server.AllowAnonymous("records:read")(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, ok := oauth2server.AccessFrom(r.Context())
		fmt.Println("known:", ok)
	}))).Status)
	// Output:
	// known: false
	// 200 OK
}

func ExampleServer_AllowClients() {
	server, clean := exampleServer()
	defer clean()
	harvest := server.AllowClients("records:read")(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if a, _ := oauth2server.AccessFrom(r.Context()); a.Kind == oauth2server.KindClient {
			fmt.Println("an application, for itself:", a.ClientID)
		}
	}))
	fmt.Println(get(harvest).Status)
	// Output:
	// 401 Unauthorized
}

func ExampleWithAccess() {
	handler := func(ctx context.Context) {
		a, ok := oauth2server.AccessFrom(ctx)
		fmt.Println(ok, a.Principal, a.Has("records:write"))
	}
	handler(oauth2server.WithAccess(context.Background(), oauth2server.Access{
		Kind: oauth2server.KindPersonal, Principal: "spqr1", Scopes: []string{"records:read"},
	}))
	// Output:
	// true spqr1 false
}

func ExampleServer_Sweep() {
	server, clean := exampleServer()
	defer clean()
	fmt.Println(server.Sweep(context.Background())) // from a timer, say; or let server.Run do it
	// Output:
	// <nil>
}
