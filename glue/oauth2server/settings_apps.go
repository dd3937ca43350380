package oauth2server

import (
	"errors"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// appsPage is what the list of a person's applications shows.
type appsPage struct {
	Notice string
	Apps   []appView
	Pages  pages
	New    string // where to register one; empty if the person may not
	Most   int    // how many a person may have
	Full   bool   // they have as many
}

type appView struct {
	store.Client
	Place string // of its page
}

func (p settings) appPath(id string) string { return p.path("/applications/" + id) }

func (p settings) listApps(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
	apps, links, err := listPage(r, p.path("/applications"), func(from store.Place) ([]store.Client, error) {
		return p.store.ClientsOf(r.Context(), id.Principal, from)
	})
	if err != nil {
		return err
	}
	count, err := p.store.CountClients(r.Context(), id.Principal)
	if err != nil {
		return err
	}
	data := appsPage{
		Pages: links, Most: p.cfg.MaxClients, Full: count >= p.cfg.MaxClients,
		Notice: notice(r, map[string]string{"deleted": "The application is deleted, and everything that people gave it access to is closed to it."}),
	}
	if p.mayRegister(r, id) {
		data.New = p.path("/applications/new")
	}
	for _, c := range apps {
		data.Apps = append(data.Apps, appView{c, p.appPath(c.ID)})
	}
	return p.page(w, r, "/applications", site.Page{Kind: "apps", Title: "Your applications"}, data)
}

func (p settings) mayRegister(r *http.Request, id glue.Identity) bool {
	return p.cfg.MayRegister == nil || p.cfg.MayRegister(r, id)
}

var errMayNotRegister = errors.New("oauth2server: Config.MayRegister says no")

// registrars keeps a page for those who may register applications. Nor may others, if
// they once could, give one another address or a new secret; they can delete it.
func (p settings) registrars(h personal) personal {
	return func(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
		if !p.mayRegister(r, id) {
			return errMayNotRegister
		}
		return h(w, r, id)
	}
}

// own passes a page the person's own application that its path names.
func (p settings) own(h func(w http.ResponseWriter, r *http.Request, id glue.Identity, c store.Client) error) personal {
	return func(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
		c, err := p.store.OwnClient(r.Context(), id.Principal, r.PathValue("id"))
		if err != nil {
			return err
		}
		return h(w, r, id, c)
	}
}

// appPage is what the page of one application shows.
type appPage struct {
	guardedForm
	store.Client
	Notice                                    string
	Edit, Secret                              string // where to do so; empty if the person may not
	Delete                                    string // where to
	Issuer, AuthorizeURL, TokenURL, RevokeURL string // what its programmer needs to know
}

func (p settings) showApp(w http.ResponseWriter, r *http.Request, id glue.Identity, c store.Client) error {
	data := appPage{
		guardedForm: p.form(r), Client: c,
		Notice: notice(r, map[string]string{
			"registered": "The application is registered.",
			"changed":    "The changes are stored.",
		}),
		Delete: p.appPath(c.ID) + "/delete",
		Issuer: p.cfg.Issuer, AuthorizeURL: p.url(pathAuthorize), TokenURL: p.url(pathToken), RevokeURL: p.url(pathRevoke),
	}
	if p.mayRegister(r, id) {
		data.Edit, data.Secret = p.appPath(c.ID)+"/edit", p.appPath(c.ID)+"/secret"
	}
	return p.page(w, r, "/applications", site.Page{Kind: "app", Title: isolated(c.Name)}, data)
}

// secretPage shows the secret of an application, the only time that it is shown.
type secretPage struct {
	store.Client
	Text  string // the secret
	Place string // of the application's page
	Reset bool   // there was another before
}

func (p settings) showSecret(w http.ResponseWriter, r *http.Request, page secretPage) error {
	page.Place = p.appPath(page.ID)
	return p.page(w, r, "/applications", site.Page{Kind: "secret", Title: "The secret of " + isolated(page.Name)}, page)
}

// askSecret explains what a new secret means before it is made.
func (p settings) askSecret(w http.ResponseWriter, r *http.Request, _ glue.Identity, c store.Client) error {
	if !c.Confidential {
		return store.ErrNotFound // it has none
	}
	return p.page(w, r, "/applications", site.Page{Kind: "secret-reset", Title: "A new secret for " + isolated(c.Name) + "?"}, struct {
		guardedForm
		Action, Cancel string
		AccessLife     string
	}{p.form(r), p.appPath(c.ID) + "/secret", p.appPath(c.ID), words.Duration(p.cfg.AccessLife)})
}

func (p settings) makeSecret(w http.ResponseWriter, r *http.Request, id glue.Identity, c store.Client) error {
	text, err := p.store.ResetSecret(r.Context(), id.Principal, c.ID)
	if err != nil {
		return err
	}
	p.event(r, event{Name: EventSecretReset, Principal: id.Principal, ClientID: c.ID})
	return p.showSecret(w, r, secretPage{Client: c, Text: text, Reset: true})
}
