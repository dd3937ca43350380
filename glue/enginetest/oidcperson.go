package enginetest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Client returns a browser with cookies of its own that fills in the provider's pages: it
// logs in as a person, confirms that they log out, and presses Cancel if the name is empty. It
// sends what a browser does when a person goes to a page, unless the request has a
// Sec-Fetch-Mode.
func (p *OIDCProvider) Client(name string) *http.Client {
	jar, _ := cookiejar.New(nil) // which has no error
	return &http.Client{Jar: jar, Transport: &person{provider: p, name: name, jar: jar}}
}

// person is the http.RoundTripper of a Client.
type person struct {
	provider *OIDCProvider
	name     string
	jar      http.CookieJar
}

// RoundTrip implements http.RoundTripper.
func (p *person) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	navigate(r)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.String(), p.provider.Issuer+"/") || r.Header.Get("Sec-Fetch-Mode") != "navigate" ||
		!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(strings.NewReader(string(page)))
	post := p.fillIn(r, string(page))
	if post == nil {
		return resp, nil
	}
	p.jar.SetCookies(r.URL, resp.Cookies())
	for _, c := range p.jar.Cookies(post.URL) {
		post.AddCookie(c)
	}
	return http.DefaultTransport.RoundTrip(post)
}

var (
	formTag   = regexp.MustCompile(`<form[^>]* method="post"(?: action="([^"]*)")?>`)
	hiddenTag = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// fillIn returns what the browser sends for the form of a page; nil where there is none.
func (p *person) fillIn(r *http.Request, page string) *http.Request {
	form := formTag.FindStringSubmatch(page)
	if form == nil {
		return nil
	}
	to, err := r.URL.Parse(html.UnescapeString(form[1]))
	if err != nil {
		return nil
	}
	fields := url.Values{}
	for _, m := range hiddenTag.FindAllStringSubmatch(page, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	switch {
	case strings.Contains(page, `name="logout"`):
		fields.Set("logout", "yes")
	case !strings.Contains(page, `name="password"`): // it sends itself
	case p.name == "":
		fields.Set("go", "cancel")
	default:
		fields.Set("go", "login")
		fields.Set("name", p.name)
		fields.Set("password", "test")
	}
	post, err := http.NewRequestWithContext(r.Context(), http.MethodPost, to.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return nil
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("Origin", "http://"+to.Host)
	post.Header.Set("Sec-Fetch-Site", "same-origin")
	navigate(post)
	return post
}

// navigate adds the headers of a navigation (Fetch Metadata Request Headers, W3C).
func navigate(r *http.Request) {
	if r.Response != nil {
		r.Header.Del("Referer") // http.Client's own, of the redirect
	}
	if _, set := r.Header["Sec-Fetch-Mode"]; set {
		return
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	if _, set := r.Header["Sec-Fetch-Site"]; !set {
		r.Header.Set("Sec-Fetch-Site", initiator(r))
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("Origin") == "" {
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
	}
}

// initiator is Sec-Fetch-Site: "none" for an address that a person typed and what it leads
// to, otherwise how the page with the last form that was sent relates to this request.
func initiator(r *http.Request) string {
	for at := r; ; at = at.Response.Request {
		switch {
		case at.Method != http.MethodPost && (at.Response == nil || at.Response.Request == nil):
			return "none"
		case at.Method != http.MethodPost:
		case at.URL.Host == r.URL.Host:
			return "same-origin"
		default:
			return "cross-site"
		}
	}
}
