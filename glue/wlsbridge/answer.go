package wlsbridge

import (
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// told is what a site is told of a person.
type told struct {
	id    glue.Identity
	ptags []string
	auth  string // of a login for this request
	sso   []string
}

// toldOf returns what the site may be told, of what is known.
func (x *exchange) toldOf(id glue.Identity) told {
	t := told{id: id}
	for _, ptag := range x.site.Ptags {
		if x.b.hasPtag(id, ptag) {
			t.ptags = append(t.ptags, ptag)
		}
	}
	known := append([]string{id.Auth}, id.SSO...)
	if x.loggedInFor(id) {
		if t.auth = x.tell(id.Auth); t.auth == "" && x.ask.IAct == "yes" && x.acceptedHere() != nil {
			// By the rules of the service behind, the policy is met by one beside it.
			if i := slices.IndexFunc(id.SSO, func(kind string) bool { return x.tell(kind) != "" }); i >= 0 {
				t.auth = x.tell(id.SSO[i])
			}
		}
		known = id.SSO
	}
	for _, kind := range known {
		if kind = x.tell(kind); kind != "" && kind != t.auth && !slices.Contains(t.sso, kind) {
			t.sso = append(t.sso, kind)
		}
	}
	return t
}

// tell returns what the site is told of an authentication type; empty for nothing.
func (x *exchange) tell(kind string) string {
	name := kind
	if names := x.b.cfg.AAuth; names != nil && kind != "" {
		name = cmp.Or(names[kind], names[""])
	}
	if !slices.Contains(x.aauth, name) {
		return ""
	}
	return name
}

// acceptedHere returns the types that somebody must have logged in by here, so that the site
// accepts what it is told; nil where that is for the policy of Auth alone to say.
func (x *exchange) acceptedHere() []string {
	names := x.b.cfg.AAuth
	if names == nil {
		return x.aauth
	}
	if slices.Contains(x.aauth, names[""]) {
		return nil
	}
	types := slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(kind string) bool {
		return kind == "" || !slices.Contains(x.aauth, names[kind])
	})
	return types
}

// hasPtag reports whether a person has a ptag of the protocol, whatever the letter case.
func (b *Bridge) hasPtag(id glue.Identity, ptag string) bool {
	if b.cfg.Ptags == nil {
		return id.HasPtag(ptag)
	}
	for from, to := range b.cfg.Ptags {
		if strings.EqualFold(to, ptag) && id.HasPtag(from) {
			return true
		}
	}
	return false
}

// give sends the browser back to the site with a success.
func (x *exchange) give(t told) {
	if t.auth != "" && !x.spendPassword(t.id) {
		return
	}
	r := x.response(wls.StatusSuccess)
	r.Principal, r.Auth, r.SSO = t.id.Principal, t.auth, t.sso
	// Never 0, which mod_ucam_webauth takes for no limit.
	r.Life = new(max(1, int(t.id.Expires.Sub(r.Issue)/time.Second)))
	if r.Ver == 3 {
		r.Ptags = t.ptags
	}
	x.send(r, site.Event{Name: EventAnswered, Principal: t.id.Principal})
}

// fail sends the browser back to the site with a failure, or shows it here where the site wants
// that. An empty msg is the usual one.
func (x *exchange) fail(status int, msg string) {
	r := x.response(status)
	r.Msg = cmp.Or(msg, usualMsg[status])
	e := site.Event{Name: EventFailed}
	if id, ok := glue.IdentityFrom(x.r.Context()); ok {
		e.Principal = id.Principal
	}
	if x.ask.Fail {
		e.More = x.describe(r)
		x.show(e, pageOfFailure(status))
		return
	}
	x.send(r, e)
}

// response begins a response to the request. Each has an id and a time of its own.
func (x *exchange) response(status int) wls.Response {
	r := wls.Response{Ver: x.ask.Ver, Status: status, Issue: x.b.site.Now(), ID: wls.NewID(), URL: x.ask.URL, Params: x.ask.Params}
	if r.Ver == 0 { // which is answered with status 520
		r.Ver = 1 // (WAA2WLS, "Authentication response")
	}
	return r
}

// send signs a response and sends the browser to the site with it.
func (x *exchange) send(r wls.Response, e site.Event) {
	key := x.b.cfg.Keys[0]
	value, err := r.Sign(key.Private, key.Kid)
	if err != nil {
		x.stop("response", err, pageUnfit) // a principal that the protocol cannot write
		return
	}
	target, err := wls.ReturnURL(r.URL, r.Ver, value)
	if err != nil {
		x.stop("response", err, pageUnfit)
		return
	}
	e.More = append(x.describe(r), slog.String("kid", key.Kid))
	x.report(e)
	respond.Redirect(x.w, x.r, target)
}

// describe returns what the log says of a response.
func (x *exchange) describe(r wls.Response) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("site", x.site.origin+x.site.path), slog.Int("status", r.Status), slog.String("response", r.ID), slog.Int("version", r.Ver),
	}
	if off := x.ask.Date.Sub(r.Issue).Truncate(time.Second); !x.ask.Date.IsZero() && off.Abs() > x.b.cfg.Skew {
		attrs = append(attrs, slog.String("site_clock_off", words.Duration(off)))
	}
	if c := x.ask.Complaint(); c != "" {
		attrs = append(attrs, slog.String("complaint", c))
	}
	return attrs
}

// usualMsg is the msg of a failure.
var usualMsg = map[int]string{
	wls.StatusCancelled:   "cancelled by the user",
	wls.StatusNoAuthType:  "no mutually acceptable authentication type",
	wls.StatusInteraction: "interaction with the user would be required",
	wls.StatusDeclined:    "authentication declined",
}

// ptagCurrent is the ptag of everybody who is at the University now (WAA2WLS, "ptags").
const ptagCurrent = "current"

// pageOfFailure is the page for a failure that is shown here.
func pageOfFailure(status int) site.Page {
	p := site.Page{Kind: "bridge-failed", Status: http.StatusForbidden, Title: "You were not logged in", Links: []site.Link{}}
	switch status {
	case wls.StatusCancelled:
		p.Status, p.Title = http.StatusOK, "You cancelled the login"
		p.Text = []string{"You can close this page, or go back to the web site. It was told nothing."}
	case wls.StatusNoAuthType:
		p.Text = []string{"Go back to the web site, and tell whoever runs it. It wants you to log in in a way that this service does not have."}
	case wls.StatusInteraction:
		p.Text = []string{"Go back to the web site, and log in there once more. It asked for you to be logged in without being asked anything, and that was not possible."}
	case wls.StatusDeclined:
		p.Text = []string{"If you think that you should get in, ask whoever runs the web site. This login may not be used for it by you."}
	default: // what the site asked
		p.Status = http.StatusBadRequest
		p.Text = []string{"Please tell whoever runs the web site that sent you here. It did not ask in a way that this service understands."}
	}
	return p
}
