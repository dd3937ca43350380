package glue

import (
	"context"
	"errors"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// way is one of the services where people log in, at one origin of the site. The first of
// an origin is Config.Service, the others are Config.Also.
type way struct {
	webauth.Login
	service webauth.LoginService
	info    webauth.ServiceInfo
	session *seal.Codec // a session that began by one service is good for no other
	realm   string      // the same for sessions in a gorilla store
}

func newWay(cfg *Config, secret *site.Secret, service webauth.LoginService, base, prefix string) (*way, error) {
	keysFor := func(purpose string) [][]byte { return secret.Derive(purpose, service.ID(), base, prefix) }
	login, err := service.At(webauth.Place{
		Origin: base, Origins: cfg.Site.Origins(), Callback: cfg.LoginPath, Keys: keysFor,
		Now: cfg.Site.Now, OneUse: cfg.Site.OneUse(), Versions: cfg.Versions, MaxAge: cfg.MaxAge, Skew: cfg.Skew,
	})
	if err != nil {
		return nil, err
	}
	w := &way{Login: login, service: service, info: service.Info(), realm: service.ID() + " " + base + prefix}
	w.session, err = seal.New("session", keysFor("session"))
	return w, err
}

// brought returns by which service the request brings an answer; nil for none. more says
// that it brings another one as well: whoever made that, no service did.
func (q *request) brought() (w *way, more bool) {
	if q.query == "" {
		return nil, false
	}
	for _, each := range q.origin.ways {
		switch brings := each.Brings(q.path, q.query); {
		case brings && w == nil:
			w = each
		case brings:
			first, shares := w.Login.(callbackSharer)
			second, sharesToo := each.Login.(callbackSharer)
			if !shares || !sharesToo {
				return w, true
			}
			if second.Asked(q.query) && !first.Asked(q.query) {
				w = each
			}
		}
	}
	return w, false
}

// callbackSharer is a login whose answers all come to LoginPath, as those of others do.
type callbackSharer interface {
	// Asked reports whether the answer in a query is one to a request of this login.
	Asked(query string) bool
}

// arrival is what the request brings to a login at an origin of the site.
func (q *request) arrival(o *origin) webauth.Arrival {
	return webauth.Arrival{Path: q.path, Query: q.query, Secret: o.cookies.secret(q.r)}
}

// usualAAuth is what a policy accepts that names no authentication types; nil for any.
func (q *request) usualAAuth() []string { return q.origin.ways[0].info.DefaultAAuth }

// strip returns a query without what comes back from a login.
func (o *origin) strip(path, query string) string {
	for _, w := range o.ways {
		query = w.Strip(path, query)
	}
	_, query, _ = cutConfirm(query)
	return query
}

// wayOf returns the service with an ID; nil if it is none of the site's any more.
func (o *origin) wayOf(id string) *way {
	for _, w := range o.ways {
		if w.service.ID() == id {
			return w
		}
	}
	return nil
}

// pageChoose lets a person choose where to log in.
var pageChoose = site.Page{Kind: "choose-login", Status: http.StatusOK, Title: "How would you like to log in?",
	Text: []string{"Choose the account that you use for this site."}}

// choose shows where a person can log in, each by a link that begins that login.
func (x *exchange) choose(secret webauth.BrowserSecret, isNew bool, req webauth.Request) {
	page := pageChoose
	var failed error
	for _, w := range x.origin.ways {
		location, err := x.loginURL(w, secret, req)
		if err != nil {
			failed = err
			x.log(site.Event{Name: EventServiceError, Reason: string(webauth.ReasonOf(err)), Err: err})
			continue
		}
		page.Links = append(page.Links, site.Link{Text: "Log in with " + w.info.Title, Href: location})
	}
	if page.Links == nil {
		x.cannotBegin(failed)
		return
	}
	x.begun(secret, isNew)
	x.cfg.Site.Show(x.w, x.r, page)
}

// send sends the browser to the service for new logins, to come back to the URL that it
// asked for.
func (x *exchange) send(secret webauth.BrowserSecret, isNew bool, req webauth.Request) {
	location, err := x.loginURL(x.origin.ways[0], secret, req)
	if err != nil {
		x.cannotBegin(err)
		return
	}
	x.begun(secret, isNew)
	respond.Redirect(x.w, x.r, location)
}

// begun notes that a login begins, in a browser that has the secret or gets it now.
func (x *exchange) begun(secret webauth.BrowserSecret, isNew bool) {
	if isNew {
		x.origin.cookies.setSecret(x.w, secret)
	}
	x.log(site.Event{Name: EventRedirect})
}

// cannotBegin answers where nobody can be sent to log in.
func (x *exchange) cannotBegin(err error) {
	if reason := webauth.ReasonOf(err); reason != "" {
		x.serviceFails(reason, err, "")
		return
	}
	x.fail(site.Event{Name: EventRefused, Err: err}, pageBadAddress)
}

// serviceFails answers while a service cannot log anybody in, through no fault of theirs. own is
// the URL that was asked for, if that is not where the page is.
func (x *exchange) serviceFails(reason webauth.Reason, err error, own string) {
	page := pageServiceDown
	if reason != webauth.ReasonProvider {
		page = pageServiceRefuses
	}
	page.Links = x.again(own, page.Kind)
	x.w.Header().Set("Retry-After", "30")
	x.fail(site.Event{Name: EventServiceError, Reason: string(reason), Err: err}, page)
}

// isServiceFault reports whether a login failed by a fault of the service, or of the site's
// dealings with it.
func isServiceFault(r webauth.Reason) bool {
	return r == webauth.ReasonProvider || r == webauth.ReasonSetup || r == webauth.ReasonPtags
}

// spend marks the answers that a request brings as used, for whichever of the origins they are.
// The verdict does not matter.
func (q *request) spend() error {
	if q.query == "" {
		return nil
	}
	var errs []error
	for _, o := range *q.a.s.origins.Load() { // the token is of one of them
		for _, w := range o.ways {
			if _, shares := w.Login.(callbackSharer); !shares && w.Brings(q.path, q.query) {
				errs = append(errs, q.spendAt(o, w))
			}
		}
	}
	if o, w := q.shared(); w != nil {
		errs = append(errs, q.spendAt(o, w))
	}
	return errors.Join(errs...)
}

// spendElsewhere spends an answer that came to this origin, and is one to a request of another.
func (q *request) spendElsewhere() error {
	o, w := q.shared()
	if w == nil || o == q.origin || !w.Login.(callbackSharer).Asked(q.query) {
		return nil
	}
	return q.spendAt(o, w)
}

// shared returns, of the logins at all origins that share LoginPath, the one to whose request
// the answer there is; if it is to none, any of them, and nil where the request brings none. No
// other may spend the answer: its mark on the code would keep that one from the state.
func (q *request) shared() (at *origin, w *way) {
	for _, o := range *q.a.s.origins.Load() {
		for _, each := range o.ways {
			sharer, shares := each.Login.(callbackSharer)
			if shares && each.Brings(q.path, q.query) && (w == nil || sharer.Asked(q.query)) {
				at, w = o, each
			}
		}
	}
	return at, w
}

func (q *request) spendAt(o *origin, w *way) error {
	return w.Spend(context.WithoutCancel(q.r.Context()), q.arrival(o))
}
