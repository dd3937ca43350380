package oidclogin_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// stage is how far an answer gets before it is refused: which of the provider's endpoints the
// site has asked, once each.
type stage int

const (
	atBegin  stage = iota // the browser is not sent anywhere
	atAnswer              // the answer itself is refused
	atToken               // what the token endpoint says is
	atKeys                // the keys were fetched
)

// kind is one way in which a provider, or somebody in its place, misbehaves.
type kind struct {
	name    string // beside that of the fault
	fault   oidctest.Fault
	outcome oidctest.Outcome

	setup func(*testing.T, *oidctest.Provider, *oidclogin.Provider)
	ask   webauth.Request
	doing oidctest.Person
	// twist changes what the browser brings; it may do other things before.
	twist func(t *testing.T, w *badWorld, query string) string

	// want is the refusal; empty where the login succeeds, with proof what it says.
	want   webauth.Reason
	status int
	until  stage
	proof  func(*webauth.Proof)
}

func (k kind) String() string {
	return strings.Trim(string(k.fault)+" "+k.outcome.Error+" "+k.name, " ")
}

// badWorld is a site, its browser, and a provider that does as it is told.
type badWorld struct {
	fake     *oidctest.Provider
	provider *oidclogin.Provider
	place    webauth.Place
	login    webauth.Login
	secret   webauth.BrowserSecret
}

const (
	badSecret = "a client secret/that:nobody+may see"
	// The site's origins are of this machine, where the provider lets logins lead.
	badOrigin   = "https://localhost:8443"
	otherOrigin = "https://localhost:9443"
	badPage     = badOrigin + "/private/?a=1"
)

// newBadProvider starts a provider, and returns it and what a site makes of it.
func newBadProvider(t *testing.T, setup func(*testing.T, *oidctest.Provider, *oidclogin.Provider)) (*oidctest.Provider, *oidclogin.Provider) {
	t.Helper()
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	provider := &oidclogin.Provider{
		ClientID: clientID, ClientSecretFile: secretFile(t, badSecret), TenantID: oidctest.TenantID,
		PrincipalClaim: "upn", CRSid: true, ObjectClaim: "oid", PtagsClaim: "groups", Ptags: []string{"current", "admins"},
	}
	fake := oidctest.New(t, func(c *oidctest.Config) {
		c.OnExchange = func(oidctest.Exchange) {
			if h, ok := provider.Transport.(*hasty); ok {
				h.heard()
			}
		}
		c.Now = func() time.Time { return start }
		c.SlowFor = time.Hour
		c.Apps = []oidctest.App{{ID: clientID, Secret: badSecret}}
	})
	provider.Issuer = fake.Issuer()
	if setup != nil {
		setup(t, fake, provider)
	}
	return fake, provider
}

func newBadWorld(t *testing.T, setup func(*testing.T, *oidctest.Provider, *oidclogin.Provider)) *badWorld {
	t.Helper()
	w := &badWorld{secret: webauth.NewBrowserSecret()}
	w.fake, w.provider = newBadProvider(t, setup)
	w.place = webauth.Place{
		Origin: badOrigin, Origins: []string{badOrigin, otherOrigin}, Callback: callback, Now: w.fake.Now,
		Keys:   func(purpose string) [][]byte { return [][]byte{siteKey("new", purpose)} },
		OneUse: webauth.NewMemoryOneUse(0, w.fake.Now),
	}
	w.fake.Advance(time.Second) // the memory begins before the states
	w.login = w.at(t, w.provider, w.place)
	return w
}

func (w *badWorld) at(t *testing.T, p *oidclogin.Provider, place webauth.Place) webauth.Login {
	t.Helper()
	l, err := p.At(place)
	require.NoError(t, err)
	return l
}

// begin sends the browser to the provider.
func (w *badWorld) begin(ask webauth.Request) (location string, err error) {
	ask.URL = cmp.Or(ask.URL, badPage)
	return w.login.Begin(context.Background(), w.secret, ask)
}

// comeBack logs user in at the provider, and returns the query that the browser brings.
func (w *badWorld) comeBack(t *testing.T, location, user string, doing oidctest.Person) (query string) {
	t.Helper()
	back, err := w.fake.Respond(location, user, doing)
	require.NoError(t, err)
	u, err := url.Parse(back)
	require.NoError(t, err)
	return u.RawQuery
}

func (w *badWorld) answer(query string) (*webauth.Proof, error) {
	return w.login.Answer(context.Background(), webauth.Arrival{Path: callback, Query: query, Secret: w.secret})
}

// logIn is a whole login of test0001 as it should be.
func (w *badWorld) logIn(t *testing.T, ask webauth.Request) *webauth.Proof {
	t.Helper()
	location, err := w.begin(ask)
	require.NoError(t, err)
	proof, err := w.answer(w.comeBack(t, location, "test0001", oidctest.Types))
	require.NoError(t, err)
	return proof
}

// counts returns how often the site asked the token endpoint, and for the keys.
func (w *badWorld) counts() [2]int {
	return [2]int{len(w.fake.Requests(oidctest.EndpointToken)), len(w.fake.Requests(oidctest.EndpointKeys))}
}

// said returns what a proof says, without what is random.
func said(p *webauth.Proof) webauth.Proof {
	p.Session, p.Token.Nonce, p.Token.Issued = "", "", time.Time{}
	return *p
}

// TestMisbehavingProviders plays each kind against the login at an origin. A login that is
// refused has spent its state, tells nothing that is secret or unprintable, and does not stand
// in the way of the next one, when the provider behaves again.
func TestMisbehavingProviders(t *testing.T) {
	names := map[string]bool{}
	for _, k := range badKinds() {
		require.False(t, names[k.String()], "two rows are called %q", k)
		names[k.String()] = true
		t.Run(k.String(), func(t *testing.T) {
			w := newBadWorld(t, k.setup)
			proof, err := w.play(t, k)
			for _, e := range w.fake.Requests() {
				assert.NotEqual(t, oidctest.EndpointUserinfo, e.Endpoint, "identity is the ID token's")
			}
			if k.want == "" {
				require.NoError(t, err)
				expected := expectedProof(w, k)
				assert.Equal(t, expected, said(proof))
				return
			}
			w.refused(t, k, proof, err)
			w.behaves(t)
		})
	}
	t.Logf("%d kinds", len(names))
	assert.GreaterOrEqual(t, len(names), 60)
}

// play plays a kind to its end.
func (w *badWorld) play(t *testing.T, k kind) (*webauth.Proof, error) {
	t.Helper()
	outcome := k.outcome
	outcome.Fault = k.fault
	w.fake.Always(outcome)
	location, err := w.begin(k.ask)
	if k.until == atBegin && k.want != "" {
		assert.Empty(t, location)
		return nil, err
	}
	require.NoError(t, err)
	query := w.comeBack(t, location, "test0001", k.doing)
	login, secret := w.login, w.secret
	defer func() { w.login, w.secret = login, secret }()
	if k.twist != nil {
		query = k.twist(t, w, query)
	}
	before := w.counts()
	proof, err := w.answer(query)
	after := w.counts()
	until := k.until
	if k.want == "" {
		until = atKeys
	}
	expected := before
	if until >= atToken {
		expected[0]++
	}
	if until >= atKeys && before[1] == 0 {
		expected[1]++
	}
	if k.fault == oidctest.FaultKeysClosed {
		expected[1]++ // net/http tries again on another connection
	}
	assert.Equal(t, expected, after, "requests for a token, and for keys")
	if k.want != "" {
		_, again := w.answer(query)
		require.Error(t, again)
		assert.Equal(t, after, w.counts(), "an answer is good for one request: %v", again)
	}
	return proof, err
}

// refused checks a refusal.
func (w *badWorld) refused(t *testing.T, k kind, proof *webauth.Proof, err error) {
	t.Helper()
	require.Nil(t, proof)
	e, ok := errors.AsType[*webauth.Error](err)
	require.True(t, ok, "%T: %v", err, err)
	assert.Equal(t, k.want, e.Reason, "%v", err)
	assert.Equal(t, k.status, e.Status)
	for _, text := range []string{err.Error(), e.Message()} {
		assert.Less(t, len(text), 1<<10)
		assert.NotRegexp(t, `[^ -~]`, text)
		for _, secret := range w.secrets() {
			assert.NotContains(t, text, secret)
		}
	}
}

// secrets are what went to and fro, and is for nobody else.
func (w *badWorld) secrets() []string {
	secrets := []string{badSecret, string(w.secret)}
	for _, e := range w.fake.Requests(oidctest.EndpointAuthorize, oidctest.EndpointToken) {
		for _, name := range []string{"code", "code_verifier", "nonce", "state"} {
			if v := e.Params.Get(name); len(v) > 8 {
				secrets = append(secrets, v)
			}
		}
		if len(e.Token) > 8 {
			secrets = append(secrets, e.Token)
		}
	}
	return secrets
}

// behaves checks that a login succeeds once the provider behaves.
func (w *badWorld) behaves(t *testing.T) {
	t.Helper()
	w.fake.Always(oidctest.Outcome{})
	w.fake.SetApp(oidctest.App{ID: clientID, Secret: badSecret})
	w.fake.AddUser(oidctest.DefaultUsers()[0])
	w.fake.Advance(time.Minute)
	assert.NotEmpty(t, w.logIn(t, webauth.Request{}).Principal)
}

// expectedProof is what a login says where the kind changes nothing.
func expectedProof(w *badWorld, k kind) webauth.Proof {
	user := oidctest.DefaultUsers()[0]
	now := w.fake.Now()
	p := webauth.Proof{
		Principal: user.ID, Ptags: user.Groups, Auth: "pwd", SSO: []string{}, Issue: now, Password: now,
		URL: badPage, Token: webauth.Token{IAct: k.ask.IAct, AAuth: k.ask.AAuth}, Subject: user.ID, ObjectID: objectID,
	}
	if k.doing == oidctest.SignedOn {
		p.Auth, p.SSO, p.Password = "", []string{"pwd"}, time.Time{}
	}
	if k.proof != nil {
		k.proof(&p)
	}
	return p
}

// objectID is the claim oid of test0001, which is always the same.
const objectID = "c1311b15-b561-46c5-8def-70ebf947ab49"

// hasty is a transport for what is slow: it checks that the site would not wait for ever, and the
// first time that the path is asked for it waits until the provider has heard of it.
type hasty struct {
	t      testing.TB
	path   string
	tried  atomic.Bool
	cancel atomic.Pointer[context.CancelFunc]
}

func (h *hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	deadline, ok := r.Context().Deadline()
	if !ok || time.Until(deadline) > 15*time.Second {
		h.t.Errorf("%s may take until %v", r.URL.Path, deadline)
	}
	if r.URL.Path != h.path || h.tried.Swap(true) {
		return http.DefaultTransport.RoundTrip(r)
	}
	ctx, cancel := context.WithCancel(r.Context())
	h.cancel.Store(&cancel)
	return http.DefaultTransport.RoundTrip(r.WithContext(ctx))
}

// heard is what the provider does when it begins to wait.
func (h *hasty) heard() {
	if cancel := h.cancel.Swap(nil); cancel != nil {
		(*cancel)()
	}
}

// slow is a kind whose fault is slow at a path.
func slow(f oidctest.Fault, path string, until stage) kind {
	return kind{fault: f, want: webauth.ReasonProvider, until: until, setup: func(t *testing.T, _ *oidctest.Provider, p *oidclogin.Provider) {
		p.Transport = &hasty{t: t, path: path}
	}}
}
