package model

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// stage is what a model is held against: a site with a real glue.Auth, the keys of its
// login service, the victim's browser and the attacker's.
type stage struct {
	t        *testing.T
	service  webauth.Service
	provider *provider           // nil where people log in by the WLS alone
	sites    []http.Handler      // machines of the same site; of one that moves, each with another kind of login
	machine  int                 // that the next request is for
	auths    [guarded]*glue.Auth // of the routes, on one of the machines
	other    http.Handler        // the other service's site, which has the same secret
	now      time.Time
	oneUse   *oneUse
	requests int      // so far
	told     []told   // events of the last request
	ran      []served // what the last request made the application do

	victim, attacker *browser
	held             string // the attacker's session cookie
	tabs             [maxTabs]stageTab
	tokens           [maxTokens + 1]asked
	answers          [maxAnswers + 1]reply
	form             keptForm
	failed           map[string][]string // tokens that failed, by the browser's login cookie
}

const origin = "https://soc.example"

var addresses = [...]string{
	Lax: origin + "/lax", Strict: origin + "/strict", Quiet: origin + "/quiet",
	Dotted: origin + "/lax/%2e%2e/open", Open: origin + "/open", Elsewhere: "https://evil.example/",
	Callback: origin + "/login",
}

func path(r Route) string { return strings.TrimPrefix(addresses[r], origin) }

// told is an event, served what the application saw.
type (
	told   struct{ name, reason string }
	served struct{ path, principal, form string }
)

// asked is a request to the login service: where to, and what comes back from there with it.
type asked struct {
	at          Service
	url, params string
	query       url.Values // of a request to the provider, all of it
}

// reply is a response of the login service, or what claims to be one.
type reply struct {
	value  string     // of WLS-Response
	signed string     // what its signature covers
	answer url.Values // of the provider, without state
	button string     // of the page that asked whether to log in with it
}

// at is the address to which a reply is brought, and the state that comes with one of a
// provider.
func (r reply) at(route Route, state string) string {
	if r.answer == nil {
		return addresses[route] + "?" + webauth.ResponseParam + "=" + url.QueryEscape(r.value)
	}
	query := r.answer.Encode()
	if state != "" {
		query += "&state=" + url.QueryEscape(state)
	}
	return addresses[Callback] + "?" + query
}

// keptForm is what a page that keeps a form sends.
type keptForm struct{ query, body string }

// stageTab is what a real tab is up to.
type stageTab struct {
	asked   asked          // at the login service
	open    string         // address that it was redirected to
	arrives []*http.Cookie // with a reply on its way
}

var ownKey, otherKey = sync.OnceValue(newKey), sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err) // the system's random source never fails
	}
	return key
}

const kid = "7"

func newService(t *testing.T, name string, key *rsa.PrivateKey) webauth.Service {
	trusted, err := keys.New(kid, &key.PublicKey)
	require.NoError(t, err)
	set, err := keys.NewSet(trusted)
	require.NoError(t, err)
	return webauth.Service{Name: name, AuthURL: "https://" + name + ".example/auth", Keys: set}
}

func newStage(t *testing.T, m *Model) *stage {
	st := &stage{
		t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), failed: map[string][]string{},
		service: newService(t, "wls", ownKey()),
		victim:  &browser{agent: "victim", cookies: map[string]string{}}, attacker: &browser{agent: "attacker", cookies: map[string]string{}},
	}
	secret := rand.Text() + rand.Text()
	st.oneUse = &oneUse{used: map[string]bool{}}
	st.forget()
	for _, services := range st.services(m) {
		st.sites = append(st.sites, st.routes(m, st.newAuth(m, secret, services...)))
	}
	st.other = st.newAuth(m, secret, newService(t, "other", otherKey())).Require(st.app())
	st.attacker.take(st.ask(st.attacker, http.MethodGet, addresses[Lax], "", direct))
	for name := range st.attacker.cookies {
		if strings.Contains(name, "wls-loop") || strings.Contains(name, "wls-session") {
			delete(st.attacker.cookies, name)
		}
	}
	if m.can(Nested) {
		st.attacker.cookies["__Host-wls-tried"] = "1"
	}
	return st
}

func (st *stage) clock() time.Time { return st.now }

func (st *stage) advance(d time.Duration) { st.now = st.now.Add(d) }

// services are those of each machine.
func (st *stage) services(m *Model) [][]webauth.LoginService {
	if !m.can(OpenID) {
		return [][]webauth.LoginService{{st.service}, {st.service}}
	}
	st.provider = newProvider(st)
	if !m.can(Moves) {
		return [][]webauth.LoginService{{st.provider.login}, {st.provider.login}}
	}
	return [][]webauth.LoginService{{st.provider.login, st.service}, {st.service, st.provider.login}}
}

func (st *stage) newAuth(m *Model, secret string, services ...webauth.LoginService) *glue.Auth {
	soc, err := site.New(site.Config{
		BaseURL: origin, Secret: secret, OneUse: st.oneUse, Now: st.clock,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnEvent: func(_ context.Context, e site.Event) {
			if e.Name != glue.EventPerson {
				st.told = append(st.told, told{e.Name, e.Reason})
			}
		},
	})
	require.NoError(st.t, err)
	auth, err := glue.New(glue.Config{
		Site: soc, Service: services[0], Also: services[1:], LogoutPath: "/logout", LoginPath: path(Callback),
		Policy: glue.Policy{Allow: allowForm, Ptags: []string{"current"}},
		// Nothing here is about time.
		MaxAge: 10 * time.Minute, Skew: 10 * time.Minute,
		Session: glue.Session{BindBrowser: m.can(SendsForms)},
	})
	require.NoError(st.t, err)
	return auth
}

// oneUse notes the IDs of what is used, by the last request and ever.
type oneUse struct {
	webauth.OneUse
	used map[string]bool
	last []string
}

func (o *oneUse) Once(ctx context.Context, item webauth.Item) error {
	o.used[item.ID] = true
	o.last = append(o.last, item.ID)
	return o.OneUse.Once(ctx, item)
}

// forget begins a memory, which is older than all that will be made.
func (st *stage) forget() {
	st.advance(time.Second)
	st.oneUse.OneUse = webauth.NewMemoryOneUse(0, st.clock)
	st.advance(time.Second)
}

// routes are the handlers that the model's routes stand for.
func (st *stage) routes(m *Model, auth *glue.Auth) http.Handler {
	st.auths[Lax] = auth
	st.auths[Strict] = auth.With(func(p *glue.Policy) { p.IAct = webauth.IActYes })
	st.auths[Quiet] = auth.With(func(p *glue.Policy) { p.IAct = webauth.IActNo })
	guarded := func(route Route) http.Handler {
		inner := st.auths[route].Require(st.app())
		if m.can(Between) {
			return st.auths[route].Optional(maintenance(inner))
		}
		return inner
	}
	handlers := map[string]http.Handler{
		"/lax": guarded(Lax), "/lax/%2e%2e/open": guarded(Lax), "/strict": guarded(Strict), "/quiet": guarded(Quiet),
		"/open": st.app(), path(Callback): http.HandlerFunc(auth.Login),
	}
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers[r.URL.EscapedPath()].ServeHTTP(w, r)
	})
	if m.can(Nested) {
		handler = auth.With(func(p *glue.Policy) { p.Silent = true }).Optional(handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/logout" {
			auth.Logout(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

const (
	formKind = "application/x-www-form-urlencoded"
	badForm  = "what=bad"
)

// allowForm refuses a form that says that it is bad.
func allowForm(r *http.Request, _ glue.Identity) bool {
	return r.Method != http.MethodPost || r.FormValue("what") != "bad"
}

// maintenance stands between two handlers, and answers what carries a response.
func maintenance(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, webauth.ResponseParam) {
			http.Error(w, "back soon", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// app is the application behind all routes.
func (st *stage) app() http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		st.ran = append(st.ran, served{r.URL.EscapedPath(), id.Principal, r.PostFormValue("what")})
	})
}

// saw is what the application was last given, if it was.
func (st *stage) saw() served {
	if len(st.ran) != 1 {
		return served{}
	}
	return st.ran[0]
}

// browser is a cookie jar for the site, with a name that it sends.
type browser struct {
	agent   string
	cookies map[string]string
}

// take stores the cookies of an answer.
func (b *browser) take(a *http.Response) { b.store(a.Cookies()) }

func (b *browser) store(set []*http.Cookie) {
	for _, c := range set {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
}

// with is the browser with another session cookie; "" is none.
func (b *browser) with(session string) *browser {
	c := &browser{b.agent, map[string]string{}}
	for name, value := range b.cookies {
		c.cookies[name] = value
	}
	delete(c.cookies, sessionCookie)
	if session != "" {
		c.cookies[sessionCookie] = session
	}
	return c
}

const (
	loginCookie   = "__Host-wls-login"
	sessionCookie = "__Host-wls-session"
)

// sender is how a request comes about, as browsers tell the site.
type sender map[string]string

var (
	direct    = sender{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	ownPage   = sender{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	elsewhere = sender{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	nearby    = sender{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	untold    = sender{"Accept": "text/html"}
	script    = sender{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
)

// passedOn is a navigation as it is, or as a service worker of the site passes it on:
// Chromium's, or Firefox's, which says of all that its own origin asks for it.
func (st *stage) passedOn(from sender) sender {
	worker := sender{"Accept": "text/html", "Upgrade-Insecure-Requests": "1", "Sec-Fetch-Dest": "empty"}
	switch st.requests % 3 {
	case 0:
		return from
	case 1:
		worker["Sec-Fetch-Mode"], worker["Sec-Fetch-Site"] = "navigate", cmp.Or(from["Sec-Fetch-Site"], "same-origin")
	default:
		worker["Sec-Fetch-Mode"], worker["Sec-Fetch-Site"] = "same-origin", "same-origin"
	}
	return worker
}

// backgrounds are requests that another site has a browser make, none of them a navigation.
var backgrounds = []struct {
	method string
	from   sender
}{
	{http.MethodGet, sender{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}},
	{http.MethodGet, sender{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}},
	{http.MethodGet, sender{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Accept": "text/html", "Upgrade-Insecure-Requests": "1"}},
	{http.MethodGet, sender{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty", "Accept": "text/html"}},
	{http.MethodGet, sender{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty", "Accept": "text/html"}},
	{http.MethodGet, sender{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}},
	{http.MethodGet, sender{"Accept": "text/html", "Purpose": "prefetch"}},
	{http.MethodGet, sender{"Accept": "*/*"}},
	{http.MethodHead, elsewhere},
	{http.MethodPost, elsewhere},
}

// ask sends a request to the site; the cookies that come are the caller's to take.
func (st *stage) ask(b *browser, method, target, body string, from sender) *http.Response {
	st.requests++
	return st.askAt(st.sites[(st.requests+st.machine)%len(st.sites)], b, method, target, body, from)
}

func (st *stage) askAt(h http.Handler, b *browser, method, target, body string, from sender) *http.Response {
	st.told, st.ran, st.oneUse.last = nil, nil, nil
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, b.request(method, target, body, from))
	if st.provider != nil {
		st.provider.learns(target)
	}
	return rec.Result()
}

func (b *browser) request(method, target, body string, from sender) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", formKind)
	}
	for name, value := range from {
		r.Header.Set(name, value)
	}
	r.Header.Set("User-Agent", b.agent)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// failures are statuses of responses that let nobody in, one of them unknown. Status 520 is
// left out: it is of version 1.
var failures = [...]int{wls.StatusCancelled, 510, 530, 540, 560, 570, 599}

// sign is the login service's answer to a request.
func (st *stage) sign(a Answer, to asked) reply {
	if to.at.openID() {
		return st.provider.answers(a, to)
	}
	resp := wls.Response{Ver: 3, Status: wls.StatusSuccess, Issue: st.now, ID: wls.NewID(), URL: to.url, Params: to.params}
	switch a.Who {
	case Nobody:
		resp.Status = failures[st.requests%len(failures)]
	case Victim:
		resp.Principal, resp.Ptags = "vic1", []string{"current"}
	case Attacker:
		resp.Principal = "mal1"
	}
	switch {
	case a.Typed:
		resp.Auth = "pwd"
	case a.Who != Nobody:
		resp.SSO = []string{"pwd"}
	}
	if a.Old {
		resp.Ver, resp.Ptags = 1, nil
	}
	if a.MadeUp {
		return reply{value: resp.Fields().Unsigned()}
	}
	key := ownKey()
	if a.Other {
		key = otherKey()
	}
	value, err := resp.Fields().Sign(key, kid)
	require.NoError(st.t, err)
	return reply{value: value, signed: strings.TrimSuffix(resp.Fields().Unsigned(), "!!")}
}

// itemOf, tokenItem and againItem are the IDs under which the code marks things as used, empty
// for what it never does (webauth/spend.go, responseItem; webauth/token.go, TokenItem and
// Again; glue/oidclogin/attempt.go, mark).
func (st *stage) itemOf(r reply) string {
	switch code := r.answer.Get("code"); {
	case code != "":
		return hashed("response:", "code\x00"+code)
	case r.answer != nil:
		return ""
	}
	return hashed("response:", st.service.ID()+"\x00"+r.signed)
}

func (st *stage) tokenItem(t asked) string {
	if t.at.openID() {
		return st.provider.items[t.params]
	}
	return hashed("token:", st.service.ID()+" "+origin+" "+strings.Split(t.params, ".")[3])
}

func (st *stage) tokenUsed(t asked) bool {
	return st.oneUse.used[st.tokenItem(t)] || st.provider != nil && st.provider.lost[t.params]
}

// loses has a token count as used.
func (st *stage) loses(t asked) {
	if t.at.openID() {
		st.provider.lost[t.params] = true
	} else {
		st.oneUse.used[st.tokenItem(t)] = true
	}
}

func (st *stage) againItem(t asked) string {
	return hashed("token:", st.tokenItem(t)+" again")
}

func hashed(kind, text string) string {
	h := sha256.Sum256([]byte(text))
	return kind + base64.RawURLEncoding.EncodeToString(h[:])
}
