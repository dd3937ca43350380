package glue_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// hello greets whoever is logged in.
func hello(w http.ResponseWriter, r *http.Request) {
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		fmt.Fprintf(w, "Hello, %s.", id.Principal)
		return
	}
	fmt.Fprint(w, "Hello, stranger.")
}

var app = http.HandlerFunc(hello)

// The whole integration. It does not run here, because it would make its secret file.
func ExampleNew() {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example", SecretFile: "/var/lib/soc/secret"}) // made on first use
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: webauth.Raven(), LogoutPath: "/logout"})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/private/", auth.Require(app)) // in app: id, ok := glue.IdentityFrom(r.Context())
	http.HandleFunc("/logout", auth.Logout)     // link to it: a page with a button
	log.Fatal(http.ListenAndServe("localhost:8080", soc.Handler(http.DefaultServeMux)))
}

// A service whose operators hand out its key in a file: the directory holds it under
// the name pubkeyN, where N is its kid.
func ExampleNew_keyDirectory() {
	var soc *site.Site // of site.New
	dir, err := keys.OpenDir("/etc/soc/nevar-keys")
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: webauth.Nevar(dir)})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/private/", auth.Require(app))
}

// The program fakewls, started with -write-pubkey /tmp/fakekeys, in the place of a real
// service.
func ExampleNew_fakewls() {
	var soc *site.Site // of site.New, at http://localhost:8080
	fakeKeys, err := keys.OpenDir("/tmp/fakekeys")
	if err != nil {
		log.Fatal(err)
	}
	auth, err := glue.New(glue.Config{Site: soc, LogoutPath: "/logout", Service: webauth.Service{
		Name:    "fake",
		AuthURL: "http://127.0.0.1:8081/auth/authenticate.html",
		Keys:    fakeKeys,
	}})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/private/", auth.Require(app))
}

func Example_around() {
	var soc *site.Site  // of site.New
	var auth *glue.Auth // of glue.New
	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/form", auth.Require(guard.Check(guard.Send(app)))) // guard.Field(r) goes into the form
	log.Fatal(http.ListenAndServe("localhost:8080", soc.Handler(guard.Protect(http.DefaultServeMux))))
}

func ExampleNew_mistakes() {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example", Secret: rand.Text() + rand.Text()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = glue.New(glue.Config{
		Site:       soc,
		Service:    webauth.Raven(),
		Session:    glue.Session{MaxLife: time.Second},
		LogoutPath: "logout",
	})
	fmt.Println(err)
	// Output:
	// glue: Config.Session.MaxLife is 1 second, want at least 1 minute
	// glue: Config.LogoutPath: "logout" is not a path of this site
}

func ExampleAuth_Require() {
	demo := newDemo()
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	demo.Handle("/private/", auth.Require(app))

	fmt.Println(demo.Visit("test0001", "/private/"))
	fmt.Println(demo.Visit("test0010", "/private/")) // has left the University: no ptag "current"
	// Output:
	// 200 Hello, test0001.
	// 403 You may not see this page
}

func ExampleAuth_Optional() {
	demo := newDemo()
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	demo.Handle("/", auth.Optional(app))
	demo.Handle("/private/", auth.Require(app))

	fmt.Println(demo.Visit("test0001", "/"))
	fmt.Println(demo.Visit("test0001", "/private/"))
	fmt.Println(demo.Visit("test0001", "/"))
	// Output:
	// 200 Hello, stranger.
	// 200 Hello, test0001.
	// 200 Hello, test0001.
}

// An API answers requests itself: in JSON, and without a way to the login.
func ExampleAuth_Evaluate() {
	demo := newDemo()
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	demo.Handle("/private/", auth.Require(app))
	demo.Handle("/api", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := auth.Evaluate(r)
		if err != nil {
			http.Error(w, `{"error":"try again"}`, http.StatusServiceUnavailable)
			return
		}
		if d.Denial == glue.DeniedResponse {
			_ = auth.Spend(r) // nobody gets in by it here
		}
		d.Mark(w)
		if d.Allowed {
			fmt.Fprintf(w, `{"user":%q}`, d.Identity.Principal)
			return
		}
		status := http.StatusForbidden
		if d.Denial.Login() {
			status = http.StatusUnauthorized
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"denied":%q}`, d.Denial)
	}))

	fmt.Println(demo.Visit("test0001", "/api"))
	fmt.Println(demo.Visit("test0001", "/private/"))
	fmt.Println(demo.Visit("test0001", "/api"))
	// Output:
	// 401 {"denied":"session"}
	// 200 Hello, test0001.
	// 200 {"user":"test0001"}
}

func ExampleAuth_With() {
	demo := newDemo()
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	admin := auth.With(func(p *glue.Policy) {
		p.Principals = []string{"test0001"}
		p.Fresh = 5 * time.Minute // a password, typed that recently
	})
	silent := auth.With(func(p *glue.Policy) { p.Silent = true })

	demo.Handle("/private/", auth.Require(app))
	demo.Handle("/admin/", admin.Require(app))
	demo.Handle("/", silent.Optional(app)) // knows people who are logged in at the login service

	fmt.Println(demo.Visit("test0001", "/admin/"))
	fmt.Println(demo.Visit("test0002", "/private/"))
	fmt.Println(demo.Visit("test0002", "/admin/"))
	// Output:
	// 200 Hello, test0001.
	// 200 Hello, test0002.
	// 403 You may not see this page
}

// Ask for Err once the routes are mounted: a policy that contradicts itself lets nobody
// in.
func ExampleAuth_Err() {
	demo := newDemo()
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	committee := auth.With(func(p *glue.Policy) { p.Principals = []string{} })
	fmt.Println(committee.Err())
	// Output:
	// glue: With: Policy.Principals: an empty list lets nobody in; leave it nil for the default
}

func ExampleAuth_Login() {
	demo := newDemo()
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	demo.Handle("/", auth.Optional(app))
	demo.HandleFunc("/login", auth.Login)

	fmt.Println(demo.Visit("test0001", "/news"))
	fmt.Println(demo.Visit("test0001", "/login?next=/news"))
	fmt.Println(demo.Visit("test0001", "/login?next=https://evil.example/"))
	// Output:
	// 200 Hello, stranger.
	// 200 Hello, test0001.
	// 400 This link is broken
}

func ExampleAuth_Logout() {
	demo := newDemo()
	defer demo.Close()
	demo.Config.AfterLogout = "/"
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	demo.Handle("/", auth.Optional(app))
	demo.Handle("/private/", auth.Require(app))
	demo.HandleFunc("/logout", auth.Logout)

	fmt.Println(demo.Visit("test0001", "/private/"))
	fmt.Println(demo.Visit("test0001", "/logout")) // a page with a button
	fmt.Println(demo.Post("test0001", "/logout"))  // what the button does
	// Output:
	// 200 Hello, test0001.
	// 200 Log out?
	// 200 Hello, stranger.
}

// A new secret goes on top; the old line stays until what it sealed has expired.
func Example_newSecret() {
	oldLine, newLine := rand.Text()+rand.Text(), rand.Text()+rand.Text()
	demo := newDemo(func(c *site.Config) { c.Secret = oldLine })
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	demo.Handle("/", auth.Optional(app))
	demo.HandleFunc("/login", auth.Login)
	fmt.Println(demo.Visit("test0001", "/login"))

	for _, text := range []string{newLine + "\n" + oldLine, newLine} {
		secret, err := site.ParseSecret(text)
		if err != nil {
			log.Fatal(err)
		}
		if err := auth.Site().SetSecret(secret); err != nil {
			log.Fatal(err)
		}
		fmt.Println(demo.Visit("test0001", "/"))
	}
	// Output:
	// 200 Hello, test0001.
	// 200 Hello, test0001.
	// 200 Hello, stranger.
}

func ExampleIdentityFrom() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		id, ok := glue.IdentityFrom(r.Context())
		if !ok { // only under Optional
			fmt.Fprint(w, "Hello, stranger.")
			return
		}
		fmt.Fprintf(w, "Hello, %s, until %s.", id.Principal, id.Expires.Format("15:04"))
	}
	r := httptest.NewRequest("GET", "/", nil)
	r = r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{
		Principal: "test0001", Expires: time.Date(2026, 1, 15, 17, 30, 0, 0, time.UTC),
	}))
	w := httptest.NewRecorder()
	handler(w, r)
	fmt.Println(w.Body)
	// Output:
	// Hello, test0001, until 17:30.
}

// The handler alone, without any login.
func ExampleWithIdentity() {
	r := httptest.NewRequest("GET", "/private/", nil)
	r = r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{Principal: "test0001"}))
	w := httptest.NewRecorder()
	hello(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 Hello, test0001.
}

func ExampleCheck() {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example", Secret: rand.Text() + rand.Text()})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range glue.Check(glue.Config{
		Site:    soc,
		Service: webauth.Raven(),
		Policy:  glue.Policy{AnyPtags: true},
		Session: glue.Session{MaxLife: 7 * 24 * time.Hour},
	}) {
		if f.Key == "Session.MaxLife" || f.Key == "Policy.AnyPtags" {
			fmt.Println(f)
		}
	}
	// Output:
	// warning: Session.MaxLife: 7 days: people who left the University stay logged in that long
	// note: Policy.AnyPtags: people who are no longer members of the University can log in too
}

// Pages in the site's own dress, and a list of what happens.
func ExampleConfig() {
	demo := newDemo(func(c *site.Config) {
		c.Page = func(w http.ResponseWriter, r *http.Request, p site.Page) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(p.Status)
			fmt.Fprintf(w, "The society's own page: %s", p.Title)
		}
		c.OnEvent = func(_ context.Context, e site.Event) { fmt.Println("event:", e.Name) }
	})
	defer demo.Close()
	auth, err := glue.New(demo.Config)
	if err != nil {
		log.Fatal(err)
	}
	demo.Handle("/private/", auth.Require(app))

	fmt.Println(demo.Visit("test0010", "/private/"))
	// Output:
	// event: redirect
	// event: login
	// event: forbidden
	// 403 The society's own page: You may not see this page
}

// newSite is a whole site, as the README's test wants one.
func newSite(cfg site.Config, service webauth.Service) (http.Handler, error) {
	soc, err := site.New(cfg)
	if err != nil {
		return nil, err
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: service})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/private/", auth.Require(app))
	return soc.Handler(mux), nil
}

func TestPrivatePage(t *testing.T) {
	fake := webauthtest.New(t)
	server := webauthtest.Site(t, func(baseURL string) http.Handler {
		handler, err := newSite(site.Config{BaseURL: baseURL, Secret: rand.Text() + rand.Text()}, fake.Service())
		require.NoError(t, err)
		return handler
	})
	browser := fake.Client("test0001") // logs in when it is asked to

	resp, err := browser.Get(server.URL + "/private/")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode)

	fake.Next(webauthtest.Outcome{Fault: webauthtest.FaultBadSignature})
	resp, err = fake.Client("test0002").Get(server.URL + "/private/")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
}

// demo is a site and a fake login service, with a browser for each test user.
type demo struct {
	*http.ServeMux
	Config glue.Config

	fake     *webauthtest.WLS
	servers  []*httptest.Server
	browsers map[string]*http.Client
}

func newDemo(edit ...func(c *site.Config)) *demo {
	d := &demo{ServeMux: http.NewServeMux(), browsers: map[string]*http.Client{}}
	wlsServer := httptest.NewUnstartedServer(nil)
	var err error
	d.fake, err = webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://" + wlsServer.Listener.Addr().String()})
	if err != nil {
		log.Fatal(err)
	}
	wlsServer.Config.Handler = d.fake
	wlsServer.Start()
	siteServer := httptest.NewServer(d)
	d.servers = []*httptest.Server{wlsServer, siteServer}
	cfg := site.Config{
		BaseURL: strings.Replace(siteServer.URL, "127.0.0.1", "localhost", 1),
		Secret:  rand.Text() + rand.Text(),
		Logger:  slog.New(slog.DiscardHandler),
	}
	for _, e := range edit {
		e(&cfg)
	}
	soc, err := site.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	d.Config = glue.Config{Site: soc, Service: d.fake.Service()}
	return d
}

func (d *demo) Close() {
	d.fake.Close()
	for _, s := range d.servers {
		s.Close()
	}
}

// Visit opens a page in the user's browser, logging in on the way, and tells what it
// shows.
func (d *demo) Visit(user, path string) string {
	return shows(d.browser(user).Get(d.Config.Site.URL(nil, path)))
}

// Post sends an empty form from a page of the site.
func (d *demo) Post(user, path string) string {
	return shows(d.browser(user).PostForm(d.Config.Site.URL(nil, path), nil))
}

func (d *demo) browser(user string) *http.Client {
	if d.browsers[user] == nil {
		d.browsers[user] = d.fake.Client(user)
	}
	return d.browsers[user]
}

var heading = regexp.MustCompile(`<h1>(.*?)</h1>`)

// shows gives the status and the page's heading, or all of it where it has none.
func shows(resp *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	if m := heading.FindSubmatch(page); m != nil {
		page = m[1]
	}
	return fmt.Sprint(resp.StatusCode, " ", html.UnescapeString(string(page)))
}
