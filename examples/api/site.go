package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth"
)

type siteConfig struct {
	baseURL string
	service webauth.Service
	db      *sql.DB
	dialect oauth2server.Dialect
	logger  *slog.Logger
	now     func() time.Time

	resourceServer string // the library's client ID; empty if it has none
}

// scopes are what tokens may allow on this site.
var scopes = []oauth2server.Scope{
	{Name: "records:read", Group: "Records", Text: "Read your records."},
	{Name: "records:write", Group: "Records", Text: "Add, change and delete your records."},
	{Name: loansScope, Group: "Library", Text: "See what you have borrowed."},
	{Name: "profile", Group: "You", Text: "See your user name."},
	{Name: "statistics", Text: "Count everybody’s records.", Internal: true},
}

// developer is who may register applications: whoever may, gets the internal scope.
const developer = "test0001"

func mayRegister(_ *http.Request, id glue.Identity) bool { return id.Principal == developer }

// newSite is the site: pages for people, the API, and what gives access to it.
func newSite(ctx context.Context, c siteConfig) (http.Handler, error) {
	soc, err := site.New(site.Config{
		BaseURL: c.baseURL, SiteName: "Records", Logger: c.logger, Now: c.now,
		Secret:  rand.Text() + rand.Text(), // sessions end with the program
		Headers: site.Headers{CSP: "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'", FrameAncestors: "'none'"},
	})
	if err != nil {
		return nil, err
	}
	auth, err := glue.New(glue.Config{
		Site: soc, Service: c.service, LogoutPath: "/logout",
		Policy: glue.Policy{Desc: "the go-webauth API example"},
	})
	if err != nil {
		return nil, err
	}
	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth, MaxForm: maxForm})
	if err != nil {
		return nil, err
	}
	config := oauth2server.Config{
		DB: c.db, Dialect: c.dialect, Auth: auth, Guard: guard,
		Scopes: scopes, ClientScopes: []string{"statistics"}, MayRegister: mayRegister,
	}
	if c.resourceServer != "" {
		config.ResourceServers = map[string][]string{c.resourceServer: {loansScope}}
	}
	access, err := oauth2server.New(ctx, config)
	if err != nil {
		return nil, err
	}
	rs := newRecords(soc.Now)
	mux := http.NewServeMux()
	mux.Handle("/oauth/", access.Handler())
	mux.Handle(access.MetadataPath(), access.Metadata())

	api := http.NewServeMux()
	read, write := access.RequireAPI("records:read"), access.RequireAPI("records:write")
	api.Handle("GET /api/records", read(http.HandlerFunc(rs.serveList)))
	api.Handle("GET /api/records/{id}", read(http.HandlerFunc(rs.serveOne)))
	api.Handle("POST /api/records", write(http.HandlerFunc(rs.serveAdd)))
	api.Handle("PUT /api/records/{id}", write(http.HandlerFunc(rs.serveChange)))
	api.Handle("DELETE /api/records/{id}", write(http.HandlerFunc(rs.serveRemove)))
	api.Handle("GET /api/who", access.RequireAPI("profile")(http.HandlerFunc(serveWho)))
	api.Handle("GET /api/statistics", access.AllowClients("statistics")(http.HandlerFunc(rs.serveStatistics)))
	mux.Handle("/api/", access.CORS(api)) // for applications in browsers, too

	pages := sitePages{guard: guard, records: rs}
	mux.Handle("GET /{$}", auth.Optional(http.HandlerFunc(pages.front)))
	mux.Handle("POST /{$}", auth.Require(guard.Check(http.HandlerFunc(pages.add))))
	mux.HandleFunc("/login", auth.Login)
	mux.HandleFunc("/logout", auth.Logout)
	mux.HandleFunc("GET /page.css", demo.Style)
	mux.Handle("/", demo.NotFound(soc))
	// Only our own host, only with our headers; no page of another site posts to us.
	return soc.Handler(guard.Protect(mux)), nil
}

// maxForm is the largest form that is read, in bytes.
const maxForm = 64 << 10

//go:embed site.html
var siteText string

var siteTemplate = template.Must(template.New("site").Parse(siteText))

// sitePages are those for people.
type sitePages struct {
	guard   *xsrf.Guard
	records *records
}

// frontPage shows a person their records.
type frontPage struct {
	Principal string // empty for an anonymous visitor
	Records   []record
	Token     template.HTML
	Problem   string
	Typed     record
}

func (p sitePages) front(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, frontPage{})
}

func (p sitePages) add(w http.ResponseWriter, r *http.Request) {
	typed := record{Title: r.PostFormValue("title"), Text: r.PostFormValue("text")} // guard.Check has read the form
	if _, err := p.records.put(whose(r), typed); err != nil {
		p.show(w, r, http.StatusUnprocessableEntity, frontPage{Problem: err.Error(), Typed: typed})
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p sitePages) show(w http.ResponseWriter, r *http.Request, status int, page frontPage) {
	if id, ok := glue.IdentityFrom(r.Context()); ok {
		page.Principal, page.Records, page.Token = id.Principal, p.records.list(id.Principal), p.guard.Field(r)
	}
	demo.Show(w, status, siteTemplate, page)
}
