package wlsbridge

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// exchange is a site's request on its way through, brought by a browser.
type exchange struct {
	b *Bridge
	w http.ResponseWriter
	r *http.Request

	path, query string // as a browser asks for them, without the mark
	browser     string // the browser's cookie; empty where it brought none
	marked      bool   // the URL has a mark, good or not
	asked       *asked // what the mark says; nil if it is not good

	ask     *wls.Request
	refusal *wls.RequestError // why the request is unusable; nil if it is not
	site    *relyingSite
	aauth   []string // the types that the site accepts and may be told
}

// authenticate serves what sites send people to. What the service behind answers is dealt with
// first, whatever else the request is.
func (b *Bridge) authenticate() http.Handler {
	return b.cfg.Auth.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond.NoStore(w.Header())
		x := &exchange{b: b, w: w, r: r}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodPost:
			w.Header().Set("Allow", "GET, POST")
			x.stop("method", errors.New(r.Method), pageMethod)
		case !site.WantsPage(r): // a script, a frame, a prefetch: nobody is looking
			x.stop("not-navigation", nil, pageNavigation)
		case b.limited(r) > 0:
			x.stop("limit", nil, pageLimit)
		case x.read():
			x.judge()
		}
	}))
}

// read reads the request and finds out whose it is. It answers itself where that is not known,
// and never with a redirect.
func (x *exchange) read() bool {
	path, query, err := webauth.CanonicalTarget(x.b.site.Asked(x.r))
	if err != nil {
		x.stop("request", err, pageRequest)
		return false
	}
	x.path, x.query = path, query
	x.readMark()
	x.ask, err = wls.ParseRequest(x.query)
	errors.As(err, &x.refusal)
	if x.ask.URL == "" {
		x.stop("request", err, pageRequest)
		return false
	}
	if x.site, err = x.b.siteOf(x.ask.URL); err != nil {
		x.stop("site", err, pageSite)
		return false
	}
	for _, kind := range x.site.AAuth {
		if x.b.cfg.names(kind) && (x.ask.AAuth == nil || slices.Contains(x.ask.AAuth, kind)) {
			x.aauth = append(x.aauth, kind)
		}
	}
	return true
}

// judge answers the request, or finds out first who asks.
func (x *exchange) judge() {
	switch {
	case x.refusal == nil && len(x.aauth) > 0:
	case x.r.Method == http.MethodPost: // no form of ours
		x.restart()
		return
	case x.refusal != nil:
		x.fail(x.refusal.Status, x.refusal.Msg)
		return
	default:
		x.fail(wls.StatusNoAuthType, "")
		return
	}
	login := x.b.cfg.Auth.With(x.policy)
	d, err := login.Evaluate(x.r)
	if x.asked != nil && d.Allowed && x.asked.isAfter(d.Identity) {
		// That session's cookie did not come with the site's request.
		x.asked = nil
	}
	retype := x.ask.IAct == "yes" && d.Allowed && x.asked == nil
	switch {
	case err != nil:
		d.Refuse(x.w)
	case x.r.Method == http.MethodPost && (!d.Allowed || retype):
		x.restart()
	case x.ask.IAct == "no" && d.Denial.Forbidden(): // the page is for who is asked, and no site's business
		x.fail(wls.StatusInteraction, "")
	case x.ask.IAct == "no" && d.Denial.Login():
		x.trySilently()
	case retype, x.asked == nil && d.Denial.Login():
		x.begin(d.Identity.SessionID)
	default:
		login.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x.w, x.r = w, r
			x.proceed()
		})).ServeHTTP(x.w, x.r)
	}
}

// policy is how somebody must have logged in here for the request.
func (x *exchange) policy(p *glue.Policy) {
	host, _ := x.site.label()
	p.Desc = strings.TrimPrefix(p.Desc+": "+host, ": ")
	p.Fail = false
	if types := x.acceptedHere(); types != nil {
		p.AAuth = types
	}
	if x.ask.IAct != "yes" {
		return
	}
	p.IAct = webauth.IActYes
	if x.asked != nil {
		p.NotSession = x.asked.session
	}
}

// trySilently has the service behind asked without troubling anybody, which only a browser
// gets that has returned a cookie.
func (x *exchange) trySilently() {
	silent := x.b.cfg.Auth.With(func(p *glue.Policy) {
		x.policy(p)
		p.Silent = true
	})
	silent.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.w, x.r = w, r
		if x.browser == "" && !x.marked {
			x.begin("")
			return
		}
		x.fail(wls.StatusInteraction, "")
	})).ServeHTTP(x.w, x.r)
}

// proceed goes on with a person who has logged in as the request wants.
func (x *exchange) proceed() {
	respond.NoStore(x.w.Header())
	id, _ := glue.IdentityFrom(x.r.Context())
	t := x.toldOf(id)
	status, msg := x.problem(t)
	posted := x.r.Method == http.MethodPost
	switch {
	case x.b.limitedPerson(id.Principal) > 0:
		x.stop("limit", nil, pageLimit)
	case posted && status != 0:
		x.restart()
	case posted:
		x.decide(t)
	case x.ask.IAct == "no" && !x.isConfirmed(id.Principal): // before it hears anything of them
		x.fail(wls.StatusInteraction, "")
	case status != 0:
		x.fail(status, msg)
	case x.isConfirmed(id.Principal):
		x.give(t)
	default:
		x.confirm(t)
	}
}

// problem returns why the site cannot be told of a person: the status, 0 for nothing, and what
// it means.
func (x *exchange) problem(t told) (status int, msg string) {
	switch {
	case x.ask.Ver < 3 && !x.site.InsecureImplyCurrent && !x.b.hasPtag(t.id, ptagCurrent):
		return wls.StatusDeclined, "the site takes whoever comes back for a current member, and this person is not known to be one"
	case t.auth == "" && (len(t.sso) == 0 || x.ask.IAct == "yes"):
		return wls.StatusNoAuthType, ""
	}
	return 0, ""
}

// self returns the URL of the request, with a mark or without.
func (x *exchange) self(mark string) string {
	query := x.query
	if mark != "" {
		query += "&" + markField + "=" + mark
	}
	return x.origin() + localpath.WithQuery(x.path, query)
}

// origin returns the one of ours that the browser asked.
func (x *exchange) origin() string {
	origin, _ := x.b.site.OriginOf(x.r.Host) // of which there is one: Optional has seen to it
	return cmp.Or(origin, x.b.site.Origins()[0])
}

// restart sends the browser to the request as the site made it.
func (x *exchange) restart() { respond.Redirect(x.w, x.r, x.self("")) }
