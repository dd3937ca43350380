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
	"github.com/ucam-webauth/go-webauth/glue/password"
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

// newSite is the site that the examples are about.
func newSite() *site.Site {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example"})
	if err != nil {
		log.Fatal(err)
	}
	return soc
}

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
	soc := newSite()
	people, err := remoteuser.New(remoteuser.Config{
		Site:  soc,
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
	soc := newSite()
	people, err := remoteuser.New(remoteuser.Config{Site: soc, UnixSocket: true})
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
	soc := newSite()
	people, err := remoteuser.New(remoteuser.Config{
		Site:      soc,
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
	soc := newSite()
	people, err := remoteuser.New(remoteuser.Config{
		Site:  soc,
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
	soc := newSite()
	people, err := remoteuser.New(remoteuser.Config{
		Site:  soc,
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

// HTTP Basic for scripts that come past the front server.
func ExampleRemoteUser_Require() {
	soc := newSite()
	checker, err := password.New(password.Config{
		Site: soc,
		Check: func(_ context.Context, name, password string) (bool, error) {
			return name == "robot" && password == "beep", nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	people, err := remoteuser.New(remoteuser.Config{
		Site:     soc,
		Peers:    []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Password: checker,
	})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth("robot", "beep")
	show(people.Require(app), r)
	// Output: 200 Hello, robot.
}

// A login form for people who come past the front server.
func ExampleRemoteUser_Optional_form() {
	soc, err := site.New(site.Config{
		BaseURL:    "https://soc.example",
		SecretFile: "/var/lib/soc/secret",
		Proxies:    site.Proxies{UnixSocket: true, Header: site.XForwarded},
	})
	if err != nil {
		log.Fatal(err)
	}
	checker, err := password.New(password.Config{
		Site: soc,
		Check: func(_ context.Context, name, password string) (bool, error) {
			return false, errors.New("no directory in this example")
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	form, err := password.NewForm(checker, password.FormConfig{MaxLife: 8 * time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	people, err := remoteuser.New(remoteuser.Config{Site: soc, UnixSocket: true, Form: form})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/login", people.Optional(http.HandlerFunc(form.Login)))
	mux.HandleFunc("/logout", form.Logout)
	mux.Handle("/", people.Require(app))
	http.Handle("/", soc.Handler(mux)) // so that wrong passwords are limited per client's address
}
