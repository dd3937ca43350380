package wlsbridge_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// noon is when every test begins. The clock stands still until a test moves it.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// socURL is a page of the site that asks in most tests. Nobody serves it.
const socURL = "https://soc.example/private/?a=b"

// signingKey makes a key once for all tests.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the system's random source never fails
	}
	return key
})

// setup is what a test wants of its bridge.
type setup struct {
	config func(c *wlsbridge.Config)
	login  func(c *glue.Config)
	site   func(c *site.Config)
	tls    bool
}

// world is a bridge on a real listener, and the fake WLS that it has people log in by.
type world struct {
	t      *testing.T
	fake   *webauthtest.WLS
	bridge *wlsbridge.Bridge
	url    string
	now    func() time.Time

	mu     sync.Mutex
	log    bytes.Buffer
	events []site.Event
}

func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func start(t *testing.T, su setup) *world {
	t.Helper()
	w := &world{t: t, fake: webauthtest.New(t)}
	w.fake.SetNow(noon)
	w.now = w.fake.Now
	serve := webauthtest.Site
	if su.tls {
		serve = webauthtest.SiteTLS
	}
	w.url = serve(t, func(baseURL string) http.Handler {
		sc := site.Config{
			BaseURL: baseURL, Secret: rand.Text() + rand.Text(), Now: w.fake.Now,
			Logger: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})),
			OnEvent: func(_ context.Context, e site.Event) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.events = append(w.events, e)
			},
		}
		if su.site != nil {
			su.site(&sc)
		}
		home, err := site.New(sc)
		require.NoError(t, err)
		gc := glue.Config{Site: home, Service: w.fake.Service(), LoginPath: "/login", LogoutPath: "/auth/logout.html", Policy: glue.Policy{AnyPtags: true}}
		if su.login != nil {
			su.login(&gc)
		}
		auth, err := glue.New(gc)
		require.NoError(t, err)
		bc := wlsbridge.Config{
			Auth: auth, Keys: []wlsbridge.Key{{Kid: "700", Private: signingKey()}},
			Sites: []wlsbridge.Site{
				{URLPrefix: "https://soc.example/", Ptags: []string{"current"}},
				{URLPrefix: "https://other.example:8443/app/"},
			},
			Confirm: wlsbridge.ConfirmNever,
		}
		if su.config != nil {
			su.config(&bc)
		}
		w.bridge, err = wlsbridge.New(bc)
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.HandleFunc("/auth/", func(rw http.ResponseWriter, r *http.Request) { w.bridge.Handler().ServeHTTP(rw, r) })
		mux.HandleFunc("/login", auth.Login)
		return home.Handler(mux)
	}).URL
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		assert.NotContains(t, w.log.String(), "WLS-Response", "a response in the log")
	})
	return w
}

// reasons lists the reasons of the events of a name.
func (w *world) reasons(name string) (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Name == name {
			list = append(list, e.Reason)
		}
	}
	return list
}

// asks is a request of the site at socURL.
func asks(edit ...func(r *wls.Request)) wls.Request {
	r := wls.Request{Ver: 3, URL: socURL, Params: "p-1", Date: noon}
	for _, f := range edit {
		f(&r)
	}
	return r
}

func (w *world) urlOf(r wls.Request) string { return w.url + "/auth/authenticate.html?" + r.Encode() }

// person is somebody at a browser. It stops before it leaves the bridge and what that has
// people log in by.
type person struct {
	*world
	client *http.Client
}

func (w *world) person(user string) *person {
	c := w.fake.Client(user)
	follow := c.CheckRedirect
	service, err := url.Parse(w.fake.Service().AuthURL)
	require.NoError(w.t, err)
	c.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if to := next.URL.Scheme + "://" + next.URL.Host; to != w.url && next.URL.Host != service.Host {
			return http.ErrUseLastResponse
		}
		return follow(next, via)
	}
	return &person{w, c}
}

// in returns the person for a subtest.
func (p *person) in(t *testing.T) *person {
	w := &world{t: t, fake: p.fake, bridge: p.bridge, url: p.url, now: p.now}
	return &person{w, p.client}
}

// answer is what came back, read whole.
type answer struct {
	*http.Response
	body string
}

func (p *person) do(r *http.Request) answer {
	p.t.Helper()
	resp, err := p.client.Do(r)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return answer{resp, string(b)}
}

func (p *person) open(target string) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, target, http.NoBody)
	require.NoError(p.t, err)
	return p.do(r)
}

// visit has the person sent to the bridge by a site.
func (p *person) visit(r wls.Request) answer {
	p.t.Helper()
	return p.open(p.urlOf(r))
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	pageKind   = regexp.MustCompile(`data-page="([^"]*)"`)
)

// kind returns which page came back; empty for none.
func (a answer) kind() string {
	if m := pageKind.FindStringSubmatch(a.body); m != nil {
		return m[1]
	}
	return ""
}

// form returns what the page's form would send, with a button pressed.
func (p *person) form(page answer, decision string) *http.Request {
	p.t.Helper()
	m := formAction.FindStringSubmatch(page.body)
	require.NotNil(p.t, m, "no form on %s: %s", page.Request.URL, page.kind())
	v := url.Values{"decision": {decision}}
	for _, h := range hidden.FindAllStringSubmatch(page.body, -1) {
		v.Set(html.UnescapeString(h[1]), html.UnescapeString(h[2]))
	}
	r, err := http.NewRequest(http.MethodPost, html.UnescapeString(m[1]), strings.NewReader(v.Encode()))
	require.NoError(p.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (p *person) press(page answer, decision string) answer {
	p.t.Helper()
	return p.do(p.form(page, decision))
}

// response returns the response that a site would get, verified as package webauth does it, and
// where the browser goes with it.
func (p *person) response(a answer) (*webauth.Unverified, string) {
	p.t.Helper()
	require.Contains(p.t, []int{http.StatusSeeOther, http.StatusFound}, a.StatusCode, "%s at %s", a.kind(), a.Request.URL)
	location := a.Header.Get("Location")
	u, err := url.Parse(location)
	require.NoError(p.t, err)
	value, found, err := webauth.ResponseFrom(u.RawQuery)
	require.NoError(p.t, err)
	require.True(p.t, found, "no response in %s", location)
	resp, err := webauth.ParseResponse(value)
	require.NoError(p.t, err)
	assert.True(p.t, resp.Signed())
	assert.Equal(p.t, "700", resp.Kid())
	assert.Equal(p.t, "no-store", a.Header.Get("Cache-Control"))
	assert.Equal(p.t, "no-referrer", a.Header.Get("Referrer-Policy"))
	return resp, location
}

// fields checks the signature of a response by other means than package webauth, and returns its
// fields as they are on the wire but for escapes. Its url may be one that no site of ours sends.
func (p *person) fields(a answer) []string {
	p.t.Helper()
	u, err := url.Parse(a.Header.Get("Location"))
	require.NoError(p.t, err)
	value := u.Query().Get("WLS-Response")
	signed, signature, found := strings.Cut(value, "!700!")
	require.True(p.t, found, "no response in %q: %s", a.Header.Get("Location"), a.kind())
	sig, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", ".", "/", "_", "=").Replace(signature))
	require.NoError(p.t, err)
	digest := sha1.Sum([]byte(signed))
	require.NoError(p.t, rsa.VerifyPKCS1v15(&signingKey().PublicKey, crypto.SHA1, digest[:], sig))
	fields := strings.Split(signed, "!")
	for i, f := range fields {
		fields[i] = strings.NewReplacer("%21", "!", "%25", "%").Replace(f)
	}
	return fields
}

// success verifies a success.
func (p *person) success(a answer, iact webauth.Interact) *webauth.Response {
	p.t.Helper()
	u, location := p.response(a)
	require.Equal(p.t, 200, u.Status(), "%s", u.Msg())
	v, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service: p.bridge.Service("bridge"), Versions: []int{1, 2, 3}, Now: p.now, InsecureNoToken: true, InsecureNoReplayCheck: true,
	})
	require.NoError(p.t, err)
	to, err := url.Parse(location)
	require.NoError(p.t, err)
	value, _, err := webauth.ResponseFrom(to.RawQuery)
	require.NoError(p.t, err)
	r, err := v.Verify(context.Background(), value, webauth.Expect{URL: u.URL(), IAct: iact, AAuth: []string{"pwd", "x-card"}})
	require.NoError(p.t, err)
	return r
}

func yes(r *wls.Request) { r.IAct = "yes" }
func no(r *wls.Request)  { r.IAct = "no" }

// typed counts the passwords that were typed at the fake.
func (w *world) typed() int {
	return len(slices.DeleteFunc(w.fake.Requests(), func(e webauthtest.Exchange) bool { return !e.Submitted || e.BadLogin }))
}

// line returns the last line of the log with a message.
func (w *world) line(msg string) (last string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, `"msg":"`+msg+`"`) {
			last = line
		}
	}
	require.NotEmpty(w.t, last, "no %q in the log", msg)
	return last
}

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u
}

// cookieOf returns the bridge's cookie of a browser whose name holds part.
func cookieOf(t *testing.T, p *person, part string) *http.Cookie {
	t.Helper()
	return cookieAt(t, p, p.url, part)
}

func cookieAt(t *testing.T, p *person, at, part string) *http.Cookie {
	t.Helper()
	for _, c := range p.client.Jar.Cookies(mustParse(t, at)) {
		if strings.Contains(c.Name, part) {
			return c
		}
	}
	require.Fail(t, "no such cookie", "%s", part)
	return nil
}

func userNamed(id string) webauthtest.User {
	return webauthtest.User{ID: id, Password: "test", Ptags: []string{"current"}}
}

// failingOneUse fails for items of a kind.
type failingOneUse struct {
	webauth.OneUse
	fail string
}

func (o *failingOneUse) Once(ctx context.Context, item webauth.Item) error {
	if o.fail != "" && strings.HasPrefix(item.ID, o.fail) {
		return errors.New("the store is away")
	}
	return o.OneUse.Once(ctx, item)
}

// serve has a handler answer somebody who opens a path at login.example, behind TLS.
func serve(h http.Handler, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	r.Host, r.TLS = "login.example", &tls.ConnectionState{}
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}
