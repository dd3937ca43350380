package glue

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

const fuzzOrigin = "https://soc.example"

// formExchange is a form that a person sends from a page of the site.
func formExchange(t testing.TB, a *Auth, secret webauth.BrowserSecret, path, query, contentType, body string) *exchange {
	r := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: path, RawQuery: query}, Host: "soc.example",
		Header: http.Header{"Origin": {fuzzOrigin}, "Content-Type": {contentType}}, Body: http.NoBody,
	}
	if body != "" {
		r.Body = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).Body
	}
	p := (*a.s.origins.Load())[fuzzOrigin]
	require.NotNil(t, p)
	return &exchange{w: httptest.NewRecorder(), request: request{
		a: a, cfg: &a.s.cfg, r: r, origin: p, now: inSeconds(time.Now()), secret: secret, path: path, query: query,
	}}
}

const urlencoded = "application/x-www-form-urlencoded"

// FuzzKeptForm: a form comes back byte for byte, to the URL that it was sent to, in the
// browser that sent it, for an hour, and in no other way.
func FuzzKeptForm(f *testing.F) {
	soc, err := site.New(site.Config{BaseURL: fuzzOrigin, Secret: rand.Text() + rand.Text()})
	require.NoError(f, err)
	a, err := New(Config{Site: soc, Service: webauth.Raven()})
	require.NoError(f, err)
	secret := webauth.NewBrowserSecret()
	f.Add("/private/form", "", urlencoded, "a=1&b=%41+%20")
	f.Add("/private/form", "n=1&m=", urlencoded+"; charset=utf-8", "")
	f.Add("/", "wls-kept", urlencoded, "\n\n\x00\xff\n")
	f.Add("/private/\n/form", "a\nb", urlencoded, "x")
	f.Add("/private/form", "", "multipart/form-data; boundary=x", "--x--")
	f.Add("/private/form", strings.Repeat("q", 5000), urlencoded, "x")
	f.Add("/private/form", "", urlencoded, strings.Repeat("x", maxKeptForm))
	f.Add("/private/form", "", urlencoded, strings.Repeat("x", maxKeptForm+1))
	f.Fuzz(func(t *testing.T, path, query, contentType, body string) {
		if strings.ContainsAny(path+query, "?\n") || hasKeptMark(query) || strings.ContainsAny(contentType, "\r\n") {
			return // not of a request as net/http reads it, or no first request
		}
		s := &session{Identity: Identity{Principal: "spqr1"}, binding: secret.Binding()}
		sealed, err := formExchange(t, a, secret, path, query, contentType, body).sealForm(s)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(body), maxKeptForm)
		open := func(secret webauth.BrowserSecret, path, query string, after time.Duration, sealed string) (*keptForm, error) {
			v := formExchange(t, a, secret, path, withKeptMark(query), urlencoded, url.Values{keptField: {sealed}}.Encode())
			v.now = v.now.Add(after)
			form, err := v.openForm()
			if err == nil {
				require.Equal(t, sealed, form.sealed)
			}
			return form, err
		}
		form, err := open(secret, path, query, 0, sealed)
		require.NoError(t, err)
		require.Equal(t, body, form.body)
		require.Equal(t, "spqr1", form.Principal)
		require.Equal(t, contentType, form.kind)

		for name, refuse := range map[string]func() (*keptForm, error){
			"another browser": func() (*keptForm, error) { return open(webauth.NewBrowserSecret(), path, query, 0, sealed) },
			"no browser":      func() (*keptForm, error) { return open("", path, query, 0, sealed) },
			"another path":    func() (*keptForm, error) { return open(secret, path+"x", query, 0, sealed) },
			"another query":   func() (*keptForm, error) { return open(secret, path, "x"+query, 0, sealed) },
			"an hour later":   func() (*keptForm, error) { return open(secret, path, query, KeptFormLife+time.Second, sealed) },
			"altered":         func() (*keptForm, error) { return open(secret, path, query, 0, sealed+"A") },
			"the form itself": func() (*keptForm, error) { return open(secret, path, query, 0, body) },
		} {
			form, err := refuse()
			require.Error(t, err, name)
			require.Nil(t, form, name)
		}
	})
}

// FuzzMark: a mark says what it was made of, and a query is the same after it was marked.
func FuzzMark(f *testing.F) {
	f.Add("y", "pwd x-card", 300, "a=b")
	f.Add("a", "", 0, "")
	f.Add("n", "x", 0, "wls-kept=1&wls-kept=")
	f.Add("", "A_z-9", 1<<40, "&")
	f.Fuzz(func(t *testing.T, iact, types string, seconds int, query string) {
		p := Policy{AAuth: strings.Fields(types), Fresh: time.Duration(seconds%(1<<30)) * time.Second}
		switch iact {
		case "y":
			p.IAct = webauth.IActYes
		case "n":
			p.IAct = webauth.IActNo
		}
		if len(p.AAuth) == 0 {
			p.AAuth = nil
		}
		var found site.Findings
		if p.check([]webauth.LoginService{webauth.Raven()}, "Policy", &found); found != nil {
			return // no policy that there can be
		}
		value := markOf(p.strength(), &Policy{})
		back, ok := parseMark(value, &Policy{})
		require.True(t, ok, value)
		require.Equal(t, p.strength(), back)
		both, ok := p.strength().and(back, []string{"pwd"})
		require.True(t, ok)
		require.Equal(t, p.strength().Fresh, both.Fresh)

		marked := withMark(query, value)
		require.True(t, hasKeptMark(marked))
		require.Equal(t, withoutKeptMark(query), withoutKeptMark(marked))
		require.False(t, hasKeptMark(withoutKeptMark(marked)))
	})
}
