package remoteuser_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// user is what the site knows of a person.
type user struct{ Name string }

var app = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if u, ok := remoteuser.UserFrom[*user](r.Context()); ok {
		fmt.Fprintf(w, "Hello, %s.", u.Name)
		return
	}
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		fmt.Fprintf(w, "Hello, %s.", id.Principal)
		return
	}
	fmt.Fprint(w, "Hello, stranger.")
})

// fromFront is a request as a front server on the same machine sends it.
func fromFront(header, value string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set(header, value)
	return r
}

func show(h http.Handler, r *http.Request) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
}

func ExampleNew() {
	people, err := remoteuser.New(remoteuser.Config{
		Peers: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := people.Require(app)

	show(handler, fromFront("Remote-User", "spqr1"))
	stranger := fromFront("Remote-User", "spqr1")
	stranger.RemoteAddr = "192.0.2.1:50000"
	show(handler, stranger)
	// Output:
	// 200 Hello, spqr1.
	// 401 Please log in first.
}

// Behind wlsgateway with to = "unix:/run/soc/app.sock", in a directory that only the
// gateway's user may enter.
func ExampleNew_unixSocket() {
	people, err := remoteuser.New(remoteuser.Config{UnixSocket: true})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", "/run/soc/app.sock")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, people.Require(app)))
}

// Behind Apache with AAHeaders and AAHeaderKey of mod_ucam_webauth.
func ExampleNew_apache() {
	people, err := remoteuser.New(remoteuser.Config{
		Peers:     []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Header:    "X-AAPrincipal",
		HMACKey:   "0123456789abcdef0123", // read it from a file
		AAHeaders: true,
		Service:   "raven",
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := people.Require(app)
	show(handler, fromFront("X-AAPrincipal", "7tO2pcjYhu7rRy+r8+qa32SKaIw= spqr1"))
	show(handler, fromFront("X-AAPrincipal", "spqr1"))
	// Output:
	// 200 Hello, spqr1.
	// 400 This site cannot tell who you are.
}

func ExampleRemoteUser_Optional() {
	people, err := remoteuser.New(remoteuser.Config{
		Peers: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := people.Optional(app)
	show(handler, fromFront("Remote-User", "spqr1"))
	show(handler, fromFront("Remote_User", "spqr1"))
	// Output:
	// 200 Hello, spqr1.
	// 200 Hello, stranger.
}

// The site's own users: who is in its database and active gets in.
func ExampleUserFrom() {
	users := map[string]*user{"spqr1": {"Spurius"}}
	people, err := remoteuser.New(remoteuser.Config{
		Peers: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Lookup: func(_ context.Context, id glue.Identity) (any, error) {
			if u := users[id.Principal]; u != nil {
				return u, nil
			}
			return nil, remoteuser.ErrUnknown
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := people.Require(app)
	show(handler, fromFront("Remote-User", "spqr1"))
	show(handler, fromFront("Remote-User", "test0001"))
	// Output:
	// 200 Hello, Spurius.
	// 403 You have no account on this site.
}

// A handler's own test needs no headers.
func ExampleWithUser() {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(remoteuser.WithUser(r.Context(), &user{"Spurius"}))
	show(app, r)
	// Output: 200 Hello, Spurius.
}

// checkPassword stands for a look into the site's own password file or directory.
func checkPassword(_ context.Context, name, password string) (bool, error) {
	return false, errors.New("no directory in this example")
}

// A login form for people who come past the front server, inside of site.Handler so that
// wrong passwords are limited per client's address.
func ExampleForm() {
	secret, err := site.LoadSecret("/var/lib/soc/secret")
	if err != nil {
		log.Fatal(err)
	}
	people, err := remoteuser.New(remoteuser.Config{
		UnixSocket: true,
		BaseURL:    "https://soc.example",
		Password:   checkPassword,
		Form:       &remoteuser.Form{Secret: secret, MaxLife: 8 * time.Hour},
	})
	if err != nil {
		log.Fatal(err)
	}
	around, err := site.New(site.Config{
		BaseURL: "https://soc.example",
		Proxies: site.Proxies{UnixSocket: true, Header: site.XForwarded},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", people.Login)
	mux.HandleFunc("/logout", people.Logout)
	mux.Handle("/", people.Require(app))
	http.Handle("/", around.Handler(mux))
}

// HTTP Basic for scripts that come past the front server.
func ExampleRemoteUser_Require() {
	people, err := remoteuser.New(remoteuser.Config{
		Peers:   []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		BaseURL: "https://soc.example",
		Password: func(_ context.Context, name, password string) (bool, error) {
			return name == "robot" && password == "beep", nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth("robot", "beep")
	show(people.Require(app), r)
	// Output: 200 Hello, robot.
}

// The form's handlers, where nobody has logged in yet.
func ExampleRemoteUser_Login() {
	secret, err := site.ParseSecret("5f1c0a1d9a6e4b7c8d2e3f405162738495a6b7c8d9eafb0c1d2e3f4051627384")
	if err != nil {
		log.Fatal(err)
	}
	people, err := remoteuser.New(remoteuser.Config{
		UnixSocket: true, BaseURL: "https://soc.example", Password: checkPassword,
		Form: &remoteuser.Form{Secret: secret},
	})
	if err != nil {
		log.Fatal(err)
	}
	w := httptest.NewRecorder()
	people.Login(w, httptest.NewRequest(http.MethodGet, "https://soc.example/login?next=/private", nil))
	fmt.Println(w.Code, w.Header().Get("Cache-Control"))
	w = httptest.NewRecorder()
	people.Login(w, httptest.NewRequest(http.MethodGet, "https://soc.example/login?next=//evil.example", nil))
	fmt.Println(w.Code)
	// Output:
	// 200 no-store
	// 400
}

// A link to it is enough: it shows a button.
func ExampleRemoteUser_Logout() {
	secret, err := site.ParseSecret("5f1c0a1d9a6e4b7c8d2e3f405162738495a6b7c8d9eafb0c1d2e3f4051627384")
	if err != nil {
		log.Fatal(err)
	}
	people, err := remoteuser.New(remoteuser.Config{
		UnixSocket: true, BaseURL: "https://soc.example", Password: checkPassword,
		Form: &remoteuser.Form{Secret: secret},
	})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "https://soc.example/logout", nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	people.Logout(w, r)
	fmt.Println(w.Code, w.Header().Get("Clear-Site-Data"))
	// Output: 200 "cache"
}
