package model

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// provider is the OpenID provider that the victim, the attacker and the site use.
type provider struct {
	*oidctest.Provider
	st    *stage
	login *oidclogin.Provider
	items map[string]string // IDs under which states are marked as used, by state
	lost  map[string]bool   // states of before a loss of memory
}

const (
	issuer      = "https://provider.example"
	evilClient  = "evil"
	anyProof    = "x" // a nonce or a challenge that is nobody's
	challengeOf = "code_challenge"
)

func newProvider(st *stage) *provider {
	ours := oidctest.DefaultApp()
	ours.RedirectURIs = []string{addresses[Callback]}
	begin := st.now // codes last a minute there, and nothing here is about time
	fake, err := oidctest.NewProvider(oidctest.Config{
		BaseURL: issuer, Now: func() time.Time { return begin },
		Users: []oidctest.User{{ID: names[Victim], Groups: []string{"current"}}, {ID: names[Attacker]}},
		Apps:  []oidctest.App{ours, {ID: evilClient, RedirectURIs: []string{addresses[Elsewhere]}}},
	})
	require.NoError(st.t, err)
	p := &provider{Provider: fake, st: st, items: map[string]string{}, lost: map[string]bool{}}
	p.login = &oidclogin.Provider{
		Issuer: issuer, ClientID: oidctest.ClientID, ClientSecretFile: fake.SecretFile(st.t),
		PtagsClaim: "groups", Ptags: []string{"current"}, Transport: p,
	}
	return p
}

// RoundTrip has the provider answer a request of the site's.
func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, r)
	return rec.Result(), nil
}

func (p *provider) parseAsk(location string) (ask asked, iact string, ok bool) {
	u, err := url.Parse(location)
	if err != nil {
		return asked{}, "", false
	}
	q := u.Query()
	iact = map[string]string{"login": "yes", "none": "no"}[q.Get("prompt")]
	return asked{at: Provider, url: q.Get("redirect_uri"), params: q.Get("state"), query: q}, iact, q.Get("state") != ""
}

// asks is a request of the attacker's making: with a state, and nonce and challenge of another
// request.
func (p *provider) asks(step Step, state string, bound asked) asked {
	q := url.Values{
		"client_id": {oidctest.ClientID}, "redirect_uri": {addresses[step.Route]}, "response_type": {"code"}, "scope": {"openid"},
		"state": {state}, challengeOf: {strings.Repeat(anyProof, 43)}, challengeOf + "_method": {"S256"},
	}
	if step.Route == Elsewhere {
		q.Set("client_id", evilClient)
	}
	switch {
	case step.Bound == NoChallenge: // see answers
	case bound.query == nil:
		q.Set("nonce", anyProof)
	default:
		q.Set("nonce", bound.query.Get("nonce"))
		q.Set(challengeOf, bound.query.Get(challengeOf))
	}
	if step.IAct == Yes {
		q.Set("prompt", "login")
	}
	return asked{at: Provider, url: addresses[step.Route], params: state, query: q}
}

// bound is the token whose nonce and challenge a step asks with, 0 for none.
func (s Step) bound() TokenRef {
	if s.Bound < NoChallenge {
		return s.Bound
	}
	return 0
}

// errors are those by which a provider says that nobody logged in.
var providerErrors = [...]string{"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required", "unheard_of"}

// answers is the provider's answer to a request.
func (p *provider) answers(a Answer, to asked) reply {
	if a.Who == Nobody {
		return reply{answer: url.Values{"error": {providerErrors[p.st.requests%len(providerErrors)]}, "iss": {issuer}}}
	}
	q := maps.Clone(to.query)
	doing := oidctest.Types
	if !a.Typed { // although it was asked for, maybe
		doing = oidctest.SignedOn
		q.Del("max_age")
		if q.Get("prompt") == "login" {
			q.Del("prompt")
		}
	}
	if a.Other {
		q.Set("client_id", evilClient)
		q.Set("redirect_uri", addresses[Elsewhere])
	}
	if a.Bound == NoChallenge {
		p.Next(oidctest.Outcome{Fault: oidctest.FaultNoPKCE})
	}
	back, err := p.Respond(issuer+"/authorize?"+q.Encode(), names[a.Who], doing)
	require.NoError(p.st.t, err)
	u, err := url.Parse(back)
	require.NoError(p.st.t, err)
	require.NotEmpty(p.st.t, u.Query().Get("code"), back)
	return reply{answer: url.Values{"code": {u.Query().Get("code")}, "iss": {issuer}}}
}

// learns notes under which ID the state was marked that a request brought, if it was. The state
// is sealed, so that nobody else can tell.
func (p *provider) learns(target string) {
	u, err := url.Parse(target)
	require.NoError(p.st.t, err)
	state := u.Query().Get("state")
	for _, id := range p.st.oneUse.last {
		if strings.HasPrefix(id, "token:") && state != "" {
			known, is := p.items[state]
			require.True(p.st.t, !is || known == id, "a state has two marks")
			p.items[state] = id
			return
		}
	}
}
