package oauth2server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/redirecturi"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Bounds of what people write about their applications, in characters.
const (
	maxAppName        = 100
	maxAppDescription = 500
	maxAppWebsite     = 300
)

// appForm is the form for an application: a new one, or one that is edited.
type appForm struct {
	guardedForm
	Action, Cancel                         string
	New                                    bool
	Name, Description, Website             string
	Kind                                   string // "confidential", "public" or not chosen yet
	Redirects                              string // one URI a line
	MayOmitRedirects                       bool
	MostName, MostDescription, MostWebsite int
	MostRedirects                          int
}

// Values of the field that says what kind of application it is.
const (
	appConfidential = "confidential"
	appPublic       = "public"
)

func (p settings) newApp(w http.ResponseWriter, r *http.Request, _ glue.Identity) error {
	return p.showAppForm(w, r, appForm{New: true})
}

func (p settings) makeApp(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
	f := readAppForm(r)
	f.New = true
	c, errs := p.readApp(f)
	if len(errs) > 0 {
		return p.showAppForm(w, r, f, errs...)
	}
	c.Owner = id.Principal
	made, secret, err := p.store.CreateClient(r.Context(), c)
	switch {
	case errors.Is(err, store.ErrLimit):
		return p.showAppForm(w, r, f, fieldError{Text: fmt.Sprintf("You have %d applications, as many as this site allows. Delete one that you do not need any more.", p.cfg.MaxClients)})
	case err != nil:
		return err
	}
	p.event(r, event{Name: EventClientRegistered, Principal: id.Principal, ClientID: made.ID})
	if made.Confidential {
		return p.showSecret(w, r, secretPage{Client: made, Text: secret})
	}
	p.done(w, r, "/applications/"+made.ID, "registered")
	return nil
}

func (p settings) editApp(w http.ResponseWriter, r *http.Request, _ glue.Identity, c store.Client) error {
	return p.showAppForm(w, r, appForm{
		Action: p.appPath(c.ID) + "/edit", Cancel: p.appPath(c.ID),
		Name: c.Name, Description: c.Description, Website: c.Website, Kind: kindOfApp(c), Redirects: strings.Join(c.RedirectURIs, "\n"),
	})
}

func (p settings) changeApp(w http.ResponseWriter, r *http.Request, id glue.Identity, old store.Client) error {
	f := readAppForm(r)
	f.Kind = kindOfApp(old) // it never changes
	f.Action, f.Cancel = p.appPath(old.ID)+"/edit", p.appPath(old.ID)
	c, errs := p.readApp(f)
	if len(errs) > 0 {
		return p.showAppForm(w, r, f, errs...)
	}
	c.ID = old.ID
	if err := p.store.UpdateClient(r.Context(), id.Principal, c); err != nil {
		return err
	}
	p.event(r, event{Name: EventClientChanged, Principal: id.Principal, ClientID: c.ID})
	p.done(w, r, "/applications/"+c.ID, "changed")
	return nil
}

func kindOfApp(c store.Client) string {
	if c.Confidential {
		return appConfidential
	}
	return appPublic
}

func (p settings) showAppForm(w http.ResponseWriter, r *http.Request, f appForm, errs ...fieldError) error {
	f.guardedForm = p.form(r, errs...)
	page := site.Page{Kind: "app-form", Status: f.status(), Title: "Edit the application"}
	if f.New {
		page.Title = "Register an application"
		f.Action, f.Cancel = p.path("/applications/new"), p.path("/applications")
	}
	f.MayOmitRedirects = len(p.cfg.ClientScopes) > 0
	f.MostName, f.MostDescription, f.MostWebsite, f.MostRedirects = maxAppName, maxAppDescription, maxAppWebsite, redirecturi.Max
	return p.page(w, r, "/applications", page, f)
}

// readAppForm takes what was typed as it is.
func readAppForm(r *http.Request) appForm {
	typed := func(field string) string { return strings.ReplaceAll(r.PostForm.Get(field), "\r\n", "\n") }
	return appForm{
		Name: typed("name"), Description: typed("description"), Website: typed("website"),
		Kind: typed("kind"), Redirects: typed("redirects"),
	}
}

// readApp checks what was typed.
func (p settings) readApp(f appForm) (c store.Client, errs fieldErrors) {
	var problem string
	if c.Name, problem = readLine(f.Name, maxAppName); c.Name == "" {
		problem = "Give the application a name: people see it when they are asked whether they allow it."
	}
	errs.add("name", problem)
	c.Description, problem = readText(f.Description, maxAppDescription)
	errs.add("description", problem)
	c.Website, problem = readWebsite(f.Website)
	errs.add("website", problem)
	c.Confidential = f.Kind == appConfidential
	if f.Kind != appConfidential && f.Kind != appPublic {
		errs.add("kind", "Choose which kind of application it is.")
	}
	c.RedirectURIs, problem = p.readRedirects(f.Redirects, c.Confidential)
	if problem == "" && len(c.RedirectURIs) == 0 && !(c.Confidential && len(p.cfg.ClientScopes) > 0) {
		problem = "Give at least one address that people are sent back to."
	}
	errs.add("redirects", problem)
	return c, errs
}

// readWebsite reads an address that people are offered as a link.
func readWebsite(typed string) (website, problem string) {
	website = strings.TrimSpace(typed)
	if website == "" {
		return "", ""
	}
	u, err := url.Parse(website)
	if err != nil || !redirecturi.IsText(website) || len(website) > maxAppWebsite {
		return website, fmt.Sprintf("Write a plain web address of at most %d characters, such as https://app.example/.", maxAppWebsite)
	}
	if _, err := webauth.Origin(website); err != nil || u.Scheme != "https" && !webauth.IsLoopback(website) {
		return website, "Write a web address that begins with https://."
	}
	return website, ""
}

// readRedirects reads redirect URIs, one a line.
func (p settings) readRedirects(typed string, confidential bool) (uris []string, problem string) {
	number := 0
	for line := range strings.Lines(typed) {
		number++
		uri := strings.TrimSpace(line)
		if uri == "" || slices.Contains(uris, uri) {
			continue
		}
		if len(uris) == redirecturi.Max {
			return uris, fmt.Sprintf("Give at most %d addresses.", redirecturi.Max)
		}
		uris = append(uris, uri)
		err := redirecturi.Check(uri, confidential)
		if err == nil && p.leadsHere(uri) {
			err = errors.New("this is an address of this site, but people are sent back to the application: write one of its own")
		}
		if err != nil && problem == "" {
			problem = fmt.Sprintf("Line %d: %v.", number, err)
		}
	}
	return uris, problem
}
