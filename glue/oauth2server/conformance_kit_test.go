package oauth2server

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// party is a person at a browser and two applications, all new, of a world.
type party struct {
	*world
	t       *testing.T
	person  string
	browser *http.Client
	app     app // confidential
	public  app
	other   app // confidential, somebody else's
}

func (w *world) party(t *testing.T) *party {
	t.Helper()
	p := &party{world: w, t: t, person: fmt.Sprintf("p%d", w.people.Add(1))}
	w.fake.AddUser(webauthtest.User{ID: p.person, Password: "test", Ptags: []string{"current"}})
	p.browser = p.newBrowser()
	p.app, p.public, p.other = w.register(t, true), w.register(t, false), w.register(t, true)
	return p
}

// newBrowser has the person open another browser. It stops before it leaves site and
// WLS: what is there belongs to applications.
func (p *party) newBrowser() *http.Client {
	b := p.fake.Client(p.person)
	follow := b.CheckRedirect
	b.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		wls, _ := url.Parse(p.fake.Service().AuthURL)
		if to := next.URL.Scheme + "://" + next.URL.Host; to != p.url && next.URL.Host != wls.Host {
			return http.ErrUseLastResponse
		}
		return follow(next, via)
	}
	return b
}

// answer is what came back, read whole.
type answer struct {
	*http.Response
	body string
}

func (p *party) do(c *http.Client, r *http.Request) answer {
	p.t.Helper()
	resp, err := c.Do(r)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return answer{resp, string(b)}
}

func (p *party) open(target string) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, target, http.NoBody)
	require.NoError(p.t, err)
	return p.do(p.browser, r)
}

// ask is an authorization request with its PKCE verifier.
type ask struct {
	app      app
	query    url.Values
	verifier string
}

func (p *party) ask(a app, edit ...func(url.Values)) ask {
	q := ask{app: a, verifier: rand.Text() + rand.Text()}
	p.hide(q.verifier)
	q.query = url.Values{
		"client_id": {a.id}, "redirect_uri": {a.redirect}, "response_type": {"code"}, "scope": {"records:read"},
		"state": {"st-" + rand.Text()}, "code_challenge": {challengeOf(q.verifier)}, "code_challenge_method": {"S256"},
	}
	for _, f := range edit {
		f(q.query)
	}
	return q
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// set gives a parameter another value; none takes it away, several repeat it.
func set(name string, values ...string) func(url.Values) {
	return func(v url.Values) {
		v.Del(name)
		if len(values) > 0 {
			v[name] = values
		}
	}
}

func (p *party) urlOf(q ask) string { return p.url + "/oauth/authorize?" + q.query.Encode() }

// visit has the person follow an application's link, and log in where that is needed.
func (p *party) visit(q ask) answer {
	p.t.Helper()
	return p.open(p.urlOf(q))
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	formToken  = regexp.MustCompile(`<input[^>]* name="xsrf-token"[^>]* value="([^"]*)"`)
)

// consentForm is the form of a consent page.
func (p *party) consentForm(a answer) (action string, form url.Values) {
	p.t.Helper()
	require.Equal(p.t, http.StatusOK, a.StatusCode, a.body)
	require.Contains(p.t, a.body, `data-page="consent"`)
	found, token := formAction.FindStringSubmatch(a.body), formToken.FindStringSubmatch(a.body)
	require.NotNil(p.t, found, a.body)
	require.NotNil(p.t, token, a.body)
	to, err := a.Request.URL.Parse(html.UnescapeString(found[1]))
	require.NoError(p.t, err)
	return to.String(), url.Values{"xsrf-token": {html.UnescapeString(token[1])}}
}

// press presses one of the buttons.
func (p *party) press(a answer, decision string) answer {
	p.t.Helper()
	action, form := p.consentForm(a)
	form.Set("decision", decision)
	return p.submit(action, form)
}

func (p *party) submit(action string, form url.Values, edit ...func(*http.Request)) answer {
	p.t.Helper()
	r := formRequest(p.t, action, form)
	for _, f := range edit {
		f(r)
	}
	return p.do(p.browser, r)
}

func formRequest(t testing.TB, to string, form url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// isConsent reports whether the person is being asked.
func (a answer) isConsent() bool {
	return a.StatusCode == http.StatusOK && strings.Contains(a.body, `data-page="consent"`)
}

// back is what the application gets by way of the browser.
func (p *party) back(a answer, q ask) url.Values {
	p.t.Helper()
	require.Equal(p.t, http.StatusSeeOther, a.StatusCode, a.body)
	location := a.Header.Get("Location")
	want := q.query.Get("redirect_uri")
	require.True(p.t, strings.HasPrefix(location, want), location)
	u, err := url.Parse(location)
	require.NoError(p.t, err)
	v, err := url.ParseQuery(u.RawQuery)
	require.NoError(p.t, err)
	p.hide(v.Get("code"))
	return v
}

// requireError wants an error by way of the browser, and no code.
func (p *party) requireError(a answer, q ask, code string) {
	p.t.Helper()
	v := p.back(a, q)
	require.Equal(p.t, code, v.Get("error"), v)
	require.Empty(p.t, v.Get("code"))
}

// requirePage wants a page that leads nowhere.
func (p *party) requirePage(a answer, status int) {
	p.t.Helper()
	require.Equal(p.t, status, a.StatusCode, a.body)
	require.Empty(p.t, a.Header.Get("Location"))
	require.NotContains(p.t, a.body, "http-equiv")
	require.NotContains(p.t, a.body, `data-page="consent"`)
}

// code goes the whole way to a code: the person allows what is asked.
func (p *party) code(q ask) string {
	p.t.Helper()
	a := p.visit(q)
	if a.isConsent() {
		a = p.press(a, "allow")
	}
	code := p.back(a, q).Get("code")
	require.NotEmpty(p.t, code, a.Header.Get("Location"))
	return code
}

// reply is an answer to a program.
type reply struct {
	answer
	Error   string `json:"error"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`

	Active   bool   `json:"active"`
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
}

// call sends a form to an endpoint as an application, authenticated in the header where
// it has a secret, and by its name where it has none.
func (p *party) call(path string, a app, form url.Values, edit ...func(*http.Request, url.Values)) reply {
	p.t.Helper()
	got, err := p.tryCall(path, a, form, edit...)
	require.NoError(p.t, err)
	return got
}

// tryCall is call for goroutines of their own.
func (p *party) tryCall(path string, a app, form url.Values, edit ...func(*http.Request, url.Values)) (got reply, err error) {
	r, err := http.NewRequest(http.MethodPost, p.url+"/oauth"+path, http.NoBody)
	if err != nil {
		return got, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	switch {
	case a.id == "":
	case a.secret != "":
		r.SetBasicAuth(url.QueryEscape(a.id), url.QueryEscape(a.secret))
	default:
		form.Set("client_id", a.id)
	}
	for _, f := range edit {
		f(r, form)
	}
	if r.Body == http.NoBody {
		r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return got, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	got.answer = answer{resp, string(b)}
	if err == nil && len(b) > 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		err = json.Unmarshal(b, &got)
	}
	p.hide(got.Access)
	p.hide(got.Refresh)
	return got, err
}

// codeForm redeems a code.
func codeForm(q ask, code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {q.query.Get("redirect_uri")}, "code_verifier": {q.verifier},
	}
}

func refreshForm(refresh string, scope ...string) url.Values {
	v := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	if len(scope) > 0 {
		v.Set("scope", strings.Join(scope, " "))
	}
	return v
}

// tokens goes the whole way to tokens.
func (p *party) tokens(a app, edit ...func(url.Values)) reply {
	p.t.Helper()
	q := p.ask(a, edit...)
	got := p.call("/token", a, codeForm(q, p.code(q)))
	require.Equal(p.t, http.StatusOK, got.StatusCode, got.body)
	require.NotEmpty(p.t, got.Access)
	return got
}

// requireRefused wants an error in JSON and nothing given.
func (p *party) requireRefused(got reply, status int, code string) {
	p.t.Helper()
	require.Equal(p.t, status, got.StatusCode, got.body)
	require.Equal(p.t, code, got.Error, got.body)
	require.Empty(p.t, got.Access)
	require.Empty(p.t, got.Refresh)
	require.Equal(p.t, "no-store", got.Header.Get("Cache-Control"))
	require.Equal(p.t, status == http.StatusUnauthorized, got.Header.Get("WWW-Authenticate") != "")
}

// api calls the API with a bearer token.
func (p *party) api(path, token string) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.url+path, http.NoBody)
	require.NoError(p.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return p.do(http.DefaultClient, r)
}

// works reports whether the API takes an access token.
func (p *party) works(token string) bool {
	p.t.Helper()
	a := p.api("/api/records", token)
	require.Contains(p.t, []int{http.StatusOK, http.StatusUnauthorized}, a.StatusCode, a.body)
	return a.StatusCode == http.StatusOK
}
