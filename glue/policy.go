package glue

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Policy says who may come in and how they must have logged in. It is checked on
// every request, against what the session recorded.
type Policy struct {
	// Principals may come in, each as the service writes it, letter by letter: at Cambridge
	// in small letters, without a domain. Nil means anybody who passes the rest. A list matches if
	// the person is any of its entries; an empty list that is not nil is an error. Use
	// Only for a list that is read from somewhere: should it come out empty, nobody gets
	// in, not everybody.
	Principals []string
	// Ptags the person must have one of, whatever the letter case; see [Identity.HasPtag]. Nil
	// means "current" where the service has ptags and no condition where it has none.
	Ptags []string
	// AnyPtags drops the default condition on ptags: former members come in too.
	AnyPtags bool
	// Allow decides in addition; nil allows. It runs on every request.
	Allow func(r *http.Request, id Identity) bool
	// AllowDenial is what the log and the page say where Allow says no: DeniedGroup, where it
	// looks at groups, or DeniedAllow, which is the default.
	AllowDenial Denial

	// IAct "yes" wants a session that began with a typed password, however long ago
	// (see Fresh); "no" one that began without; "" either.
	IAct webauth.Interact
	// AAuth lists the acceptable authentication types; nil means "pwd".
	AAuth []string
	// Fresh wants a password typed no longer ago than this, counted from when we accepted the
	// login, or, where the service tells when it was typed, from then; zero is off, else at
	// least 1 minute. It is as strong as the service's word that the password was typed.
	Fresh time.Duration
	// NotSession wants a password typed in another session than the one with this
	// [Identity.SessionID], however recent that is: for a program that must know that it was
	// typed after a request came, such as a login service. Empty is off.
	NotSession string

	// Silent lets Optional ask the WLS, once in a browser session, whether the person
	// is logged in there already, without troubling them.
	Silent bool

	// Desc is what the WLS says is asking, Msg why; plain Unicode text.
	Desc, Msg string
	// Fail lets the WLS show failures itself instead of sending people back.
	Fail bool
}

// Only returns entries as a list for a Policy that is never nil and so never means "anybody":
// an empty one is an error of New, or of With, whose policy then lets nobody in.
func Only(entries ...string) []string { return append([]string{}, entries...) }

// check finds every mistake; key is the policy's.
func (p *Policy) check(services []webauth.LoginService, key string, found *site.Findings) {
	for _, f := range []struct {
		name string
		list []string
	}{{"Principals", p.Principals}, {"Ptags", p.Ptags}, {"AAuth", p.AAuth}} {
		if f.list != nil && len(f.list) == 0 {
			found.Errorf(key+"."+f.name, "an empty list lets nobody in; leave it nil for the default")
		}
		if slices.Contains(f.list, "") {
			found.Errorf(key+"."+f.name, "holds an empty entry")
		}
	}
	if p.Ptags != nil && p.AnyPtags {
		found.Errorf(key+".AnyPtags", "contradicts Ptags")
	}
	if p.AllowDenial != "" && (p.Allow == nil || p.AllowDenial != DeniedGroup && p.AllowDenial != DeniedAllow) {
		found.Errorf(key+".AllowDenial", "is %q, want DeniedGroup or DeniedAllow, for a policy with Allow", p.AllowDenial)
	}
	if p.Fresh != 0 && p.Fresh < time.Minute {
		found.Errorf(key+".Fresh", "is %s, want at least 1 minute, or 0 for none", words.Duration(p.Fresh))
	}
	if p.Fresh != 0 && p.IAct == webauth.IActNo {
		found.Errorf(key+".Fresh", `contradicts IAct "no"`)
	}
	if p.NotSession != "" && p.IAct == webauth.IActNo {
		found.Errorf(key+".NotSession", `contradicts IAct "no"`)
	}
	for _, s := range services {
		p.checkFor(s, key, found)
	}
}

// checkFor finds the mistakes about one of the services.
func (p *Policy) checkFor(s webauth.LoginService, key string, found *site.Findings) {
	info := s.Info()
	if p.Ptags != nil && info.NoPtags {
		found.Errorf(key+".Ptags", "service %q sets no ptags, nobody would get in", info.Name)
	}
	if info.Open && p.Principals == nil && p.Ptags == nil && p.Allow == nil && !p.AnyPtags {
		found.Errorf(key+".AnyPtags", "service %q knows former members and guests too, and does not say who is one: name Principals, Ptags or Allow, or set AnyPtags to let all of them in", info.Name)
	}
	if s.Check() != nil {
		return
	}
	// A request of this policy must be one that can be made.
	for _, f := range []struct {
		name string
		req  webauth.Request
	}{
		{"IAct", webauth.Request{IAct: p.IAct, Fresh: p.Fresh}},
		{"AAuth", webauth.Request{AAuth: p.AAuth}},
		{"Desc", webauth.Request{Desc: p.Desc}},
		{"Msg", webauth.Request{IAct: p.IAct, AAuth: p.AAuth, Desc: p.Desc, Msg: p.Msg}},
	} {
		if err := s.CheckRequest(f.req); err != nil {
			found.Errorf(key+"."+f.name, "%v", err)
			return
		}
	}
}

// nobodies returns what is wrong with principals that no service reports. Empty entries are
// an error already.
func (p *Policy) nobodies(services []webauth.LoginService) (errs []error) {
	for _, principal := range p.Principals {
		if principal != "" {
			errs = append(errs, ofNone(services, func(s webauth.LoginService) error { return s.CheckPrincipal(principal) })...)
		}
	}
	return errs
}

// ofNone returns the first service's error where each has one: what none of them reports.
func ofNone(services []webauth.LoginService, check func(webauth.LoginService) error) []error {
	var first error
	for _, s := range services {
		err := check(s)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return []error{first}
}

// nearly returns the error of a list that names a person in other letters than the service;
// nil if it does not.
func (p *Policy) nearly(principal string) error {
	for _, entry := range p.Principals {
		if name, _, _ := strings.Cut(strings.TrimSpace(entry), "@"); strings.EqualFold(name, principal) {
			return fmt.Errorf("the list has %q, and the service writes %q: names are compared letter by letter", entry, principal)
		}
	}
	return nil
}

// clone returns a copy that shares nothing with the caller's.
func (p *Policy) clone() Policy {
	c := *p
	c.Principals, c.Ptags, c.AAuth = slices.Clone(p.Principals), slices.Clone(p.Ptags), slices.Clone(p.AAuth)
	return c
}

// hasPtag reports whether a person whom a service logged in has a ptag that the policy wants.
func (p *Policy) hasPtag(id *Identity, info *webauth.ServiceInfo) bool {
	switch {
	case p.Ptags != nil:
		return slices.ContainsFunc(p.Ptags, func(t string) bool { return hasPtag(id.Ptags, t) })
	case p.AnyPtags || info.DefaultPtag == "":
		return true
	}
	return hasPtag(id.Ptags, info.DefaultPtag)
}

// authorize checks whether the person may come in.
func (p *Policy) authorize(r *http.Request, s *session) Denial {
	id := &s.Identity
	switch {
	case p.Principals != nil && !slices.Contains(p.Principals, id.Principal):
		return DeniedPrincipal
	case !p.hasPtag(id, &s.way.info):
		return DeniedPtag
	case p.Allow != nil && !p.Allow(r, *id):
		return cmp.Or(p.AllowDenial, DeniedAllow)
	}
	return ""
}

// checkStrength checks whether the way they logged in is good enough.
func (p *Policy) checkStrength(s *session, now time.Time) Denial {
	id := &s.Identity
	switch s.way.service.CheckStrength(p.IAct, p.AAuth, id.Auth, id.SSO) {
	case "":
	case webauth.ReasonInteract:
		return DeniedInteract
	default:
		return DeniedAuthType
	}
	if p.Fresh == 0 && p.NotSession == "" {
		return ""
	}
	// What was typed must be of an accepted type itself: an earlier one beside it will do
	// for the login, but says nothing of when.
	typed := s.way.service.CheckStrength(webauth.IActYes, p.AAuth, id.Auth, id.SSO) == ""
	switch {
	case !typed || id.Password.IsZero():
		return DeniedFresh
	case p.Fresh != 0 && now.Sub(id.Password) > p.Fresh, p.NotSession != "" && p.NotSession == id.SessionID:
		return DeniedFresh
	}
	return ""
}

// missing says what to do and what the person lacks, for the page, where other people's names
// and those of ptags are nobody's business.
func (p *Policy) missing(denial Denial, info *webauth.ServiceInfo) []string {
	ask := "If you think that you should see it, ask the site’s webmaster, and quote the reference below."
	switch denial {
	case DeniedPtag:
		return []string{ask, "It is for " + p.audience(info) + ", and the login service does not say that you are one of them."}
	case DeniedPrincipal:
		return []string{ask, "It is for particular people, and you are not among them."}
	case DeniedGroup:
		return []string{ask, "It is for members of certain groups, and you are in none of them."}
	default:
		return []string{ask, "The site’s own rules do not let you in."}
	}
}

// ptagCurrent is the ptag of everybody who is at the University now (WAA2WLS, "ptags").
const ptagCurrent = "current"

// audience says in words for people whom the policy's ptags let in.
func (p *Policy) audience(info *webauth.ServiceInfo) string {
	wanted := p.Ptags
	if wanted == nil {
		wanted = []string{info.DefaultPtag}
	}
	switch current := hasPtag(wanted, ptagCurrent); {
	case current && len(wanted) == 1:
		return "current students and staff"
	case current:
		return "current students and staff and certain others"
	}
	return "certain groups of people"
}
