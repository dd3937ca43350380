package oauth2server

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// authorisedPage is what the list of the applications that a person authorised shows.
type authorisedPage struct {
	guardedForm
	Notice string
	Apps   []authorisedView
}

type authorisedView struct {
	store.Authorisation
	Groups []scopeGroup
	Revoke string // where to
}

func (p settings) listAuthorised(w http.ResponseWriter, r *http.Request, id glue.Identity) {
	all, err := p.store.Authorisations(r.Context(), id.Principal)
	if err != nil {
		p.failed(w, r, id, err)
		return
	}
	data := authorisedPage{
		guardedForm: p.form(r),
		Notice:      notice(r, map[string]string{"revoked": "The application has no access to your account any more."}),
	}
	for _, a := range all {
		data.Apps = append(data.Apps, authorisedView{a, p.scopes.offered().pick(a.Scopes).groups(), p.path("/authorised/" + a.ClientID + "/revoke")})
	}
	p.page(w, r, "/authorised", Page{Kind: "authorised", Status: http.StatusOK, Title: "Authorised applications"}, data)
}

func (p settings) dropAuthorised(w http.ResponseWriter, r *http.Request, id glue.Identity) {
	clientID := r.PathValue("id")
	if err := p.store.RevokeAuthorisation(r.Context(), id.Principal, clientID); err != nil {
		p.failed(w, r, id, err)
		return
	}
	p.event(r, Event{Name: EventUnauthorised, Principal: id.Principal, ClientID: clientID})
	p.done(w, r, "/authorised", "revoked")
}
