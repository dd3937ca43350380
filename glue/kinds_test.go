package glue_test

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// kind is a kind of login: a protocol, and a service that speaks it.
type kind struct {
	name  string
	start func(t testing.TB) fakeService
	// answers reports whether a URL of a site brings an answer, or a part of one.
	answers func(u *url.URL) bool
	// Pages that differ: for an answer that comes again an hour later, the same in a browser
	// that was never here, and where the service has no authentication type that was asked for.
	late, stranger, unknownType string
}

var (
	byWLS = kind{
		name: "Ucam-WebAuth", start: func(t testing.TB) fakeService { return fakeWLS{newFake(t)} },
		answers: func(u *url.URL) bool {
			_, found, _ := webauth.ResponseFrom(u.RawQuery)
			return found
		},
		late: "stale", stranger: "stale", unknownType: "declined",
	}
	byOIDC = kind{
		name: "OpenID Connect", start: newFakeProvider,
		answers: func(u *url.URL) bool {
			q := u.Query()
			return strings.HasSuffix(u.Path, "/login") && (q.Has("code") || q.Has("state") || q.Has("error"))
		},
		late: "refused", stranger: "cookies", unknownType: "strength",
	}
	kinds = []kind{byWLS, byOIDC}
)

// eachKind runs a test of what does not depend on the protocol, once for each kind of login.
func eachKind(t *testing.T, test func(t *testing.T, kind kind)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) { test(t, kind) })
	}
}

// fakeService is a login service for tests. What happens there is told in the words of
// webauthtest; a test, or a row of one, that is about something else than the service can do
// is skipped.
type fakeService interface {
	Now() time.Time
	Advance(d time.Duration)
	Client(user string) *http.Client
	StopAtLogin(next *http.Request, via []*http.Request) error
	Respond(location, user string, doing ...webauthtest.Person) (returnURL string, err error)
	Next(outcomes ...webauthtest.Outcome)
	Always(o webauthtest.Outcome)
	SetQuirks(all ...webauthtest.Quirk)
	AddUser(u webauthtest.User)

	service() webauth.LoginService
	// configure gives a site what it needs for such logins and does not have.
	configure(c *config)
	// in makes what goes wrong the failure of a test.
	in(t testing.TB)
	// page is where people log in, without the query.
	page() string
	logoutPage() string
	// iact is what a request asks for.
	iact(t testing.TB, location string) webauth.Interact
	// asked is what all requests asked for.
	asked() []webauth.Interact
	answers(u *url.URL) bool // see kind
	// arrives is where the answer to a request for a path comes to.
	arrives(path string) string
	// secrets are what nobody may read of a request or an answer.
	secrets(u *url.URL) []string
	// subject is the Identity.Subject of a user.
	subject(user string) string
}

type fakeWLS struct{ *webauthtest.WLS }

func (f fakeWLS) service() webauth.LoginService { return f.Service() }
func (f fakeWLS) configure(*config)             {}
func (f fakeWLS) in(testing.TB)                 {}
func (f fakeWLS) page() string                  { return f.Service().AuthURL }
func (f fakeWLS) logoutPage() string            { return f.Service().LogoutURL }
func (f fakeWLS) subject(string) string         { return "" }
func (f fakeWLS) arrives(path string) string    { return path }
func (f fakeWLS) answers(u *url.URL) bool       { return byWLS.answers(u) }

func (f fakeWLS) iact(t testing.TB, location string) webauth.Interact {
	return webauth.Interact(fields(t, location).Get("iact"))
}

func (f fakeWLS) asked() (all []webauth.Interact) {
	for _, e := range f.Requests() {
		all = append(all, webauth.Interact(e.Request.IAct))
	}
	return all
}

func (f fakeWLS) secrets(u *url.URL) []string {
	found := []string{u.Query().Get("params")}
	if value, ok, err := webauth.ResponseFrom(u.RawQuery); ok && err == nil {
		found = append(found, value, value[strings.LastIndexByte(value, '!')+1:]) // the signature alone
	}
	return found
}

// fakeProvider is an OpenID Connect provider whose groups are ptags.
type fakeProvider struct {
	*oidctest.Provider
	t      testing.TB
	secret string // file
}

func newFakeProvider(t testing.TB) fakeService {
	f := &fakeProvider{Provider: oidctest.New(t), t: t}
	f.secret = f.SecretFile(t)
	f.SetNow(testNow)
	return f
}

func (f *fakeProvider) service() webauth.LoginService {
	return &oidclogin.Provider{
		Name: "fake", Issuer: f.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: f.secret,
		PtagsClaim: "groups", Ptags: []string{"current", "staff", "fellow", "a"},
	}
}

func (f *fakeProvider) configure(c *config) {
	if c.LoginPath == "" {
		base, err := url.Parse(c.BaseURL)
		require.NoError(f.t, err)
		c.LoginPath = path.Join(base.Path+"/", "login")
	}
	if p := &c.Policy; p.Ptags == nil && !p.AnyPtags {
		p.Ptags = []string{"current"}
	}
}

func (f *fakeProvider) in(t testing.TB) { f.t = t }
func (f *fakeProvider) page() string    { return f.Issuer() + "/authorize" }
func (f *fakeProvider) logoutPage() string {
	return f.Issuer() + "/logout?client_id=" + oidctest.ClientID
}

func (f *fakeProvider) subject(user string) string { return user }
func (f *fakeProvider) arrives(string) string      { return "/login" }
func (f *fakeProvider) answers(u *url.URL) bool    { return byOIDC.answers(u) }

func (f *fakeProvider) iact(t testing.TB, location string) webauth.Interact {
	return ofPrompt(fields(t, location).Get("prompt"))
}

func ofPrompt(prompt string) webauth.Interact {
	switch prompt {
	case "login":
		return webauth.IActYes
	case "none":
		return webauth.IActNo
	}
	return webauth.IActAsNeeded
}

func (f *fakeProvider) asked() (all []webauth.Interact) {
	for _, e := range f.Requests() {
		if e.Endpoint == oidctest.EndpointAuthorize {
			all = append(all, ofPrompt(e.Params.Get("prompt")))
		}
	}
	return all
}

func (f *fakeProvider) secrets(u *url.URL) []string {
	q := u.Query()
	return []string{q.Get("code"), q.Get("state"), q.Get("nonce"), oidctest.ClientSecret}
}

func (f *fakeProvider) Respond(location, user string, doing ...webauthtest.Person) (string, error) {
	var people []oidctest.Person
	for _, d := range doing {
		people = append(people, oidctest.Person(d)) // they do the same, in the same order
	}
	return f.Provider.Respond(location, user, people...)
}

func (f *fakeProvider) Next(outcomes ...webauthtest.Outcome) {
	for _, o := range outcomes {
		f.Provider.Next(f.outcome(o))
	}
}

func (f *fakeProvider) Always(o webauthtest.Outcome) { f.Provider.Always(f.outcome(o)) }

func (f *fakeProvider) SetQuirks(all ...webauthtest.Quirk) { f.quirks(all) }

func (f *fakeProvider) AddUser(u webauthtest.User) {
	f.Provider.AddUser(oidctest.User{ID: u.ID, Groups: u.Ptags})
}

// quirks skips the test if one of them matters.
func (f *fakeProvider) quirks(all []webauthtest.Quirk) {
	for _, q := range all {
		if q != webauthtest.QuirkV1Cancel { // whatever a provider drops, the state has it all
			f.t.Skipf("no provider does %q", q)
		}
	}
}

// providerFaults are faults that are the same by another name.
var providerFaults = map[webauthtest.Fault]oidctest.Fault{
	webauthtest.FaultNone:             oidctest.FaultNone,
	webauthtest.FaultStale:            oidctest.FaultIatOld,
	webauthtest.FaultFuture:           oidctest.FaultIatFuture,
	webauthtest.FaultWrongKey:         oidctest.FaultForeignKey,
	webauthtest.FaultBadSignature:     oidctest.FaultSignatureAltered,
	webauthtest.FaultAlteredPrincipal: oidctest.FaultPayloadAltered,
	webauthtest.FaultReplay:           oidctest.FaultCodeReplayed,
}

func (f *fakeProvider) outcome(o webauthtest.Outcome) (made oidctest.Outcome) {
	f.quirks(o.Quirks)
	switch {
	case o.Fault == webauthtest.FaultCancel || o.Status == wls.StatusCancelled:
		made.Error = "access_denied"
	case o.Status == wls.StatusInteraction:
		made.Error = "login_required"
	case o.Status != 0 && o.Status != wls.StatusSuccess:
		made.Error = "account_declined"
	default:
		var is bool
		if made.Fault, is = providerFaults[o.Fault]; !is {
			f.t.Skipf("no provider has the fault %q", o.Fault)
		}
	}
	made.Description = o.Msg
	if o.Edit != nil {
		made.Edit = f.edit(o.Edit)
	}
	return made
}

// edit does to claims what is done to a response: to how and when somebody logged in, and
// their groups.
func (f *fakeProvider) edit(change func(*wls.Response)) func(claims map[string]any) {
	probe := wls.Response{Status: wls.StatusSuccess, Auth: "as it is"}
	change(&probe)
	if probe.Life != nil {
		f.t.Skip("no provider says how long a session lasts")
	}
	return func(claims map[string]any) {
		if probe.Ptags != nil {
			claims["groups"] = probe.Ptags
		}
		if probe.Auth == "as it is" {
			return
		}
		delete(claims, "acr")
		typed, types := f.Now().Add(-time.Hour), slices.Clone(probe.SSO)
		if probe.Auth != "" {
			typed, types = f.Now(), append([]string{probe.Auth}, types...)
		}
		claims["auth_time"], claims["amr"] = typed.Unix(), types
	}
}
