package oauth2server

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// authorisedPage is what the list of the applications that a person authorised shows.
type authorisedPage struct {
	guardedForm
	Notice string
	Apps   []authorisedView
	Pages  pages
}

type authorisedView struct {
	store.Authorisation
	Groups []scopeGroup
	Revoke string // where to
}

func (p settings) listAuthorised(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
	all, links, err := listPage(r, p.path("/authorised"), func(from store.Place) ([]store.Authorisation, error) {
		return p.store.Authorisations(r.Context(), id.Principal, from)
	})
	if err != nil {
		return err
	}
	data := authorisedPage{
		guardedForm: p.form(r), Pages: links,
		Notice: notice(r, map[string]string{"revoked": "The application cannot use this site for you any more."}),
	}
	for _, a := range all {
		data.Apps = append(data.Apps, authorisedView{a, p.scopes.offered().pick(a.Scopes).groups(), p.path("/authorised/" + a.ClientID + "/revoke" + links.here)})
	}
	return p.page(w, r, "/authorised", site.Page{Kind: "authorised", Title: "Allowed applications"}, data)
}
