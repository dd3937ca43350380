package fakelogin

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Browser is a browser for tests, with a cookie jar of its own. It sends what a browser
// sends when a person goes to a page, and follows redirects. Clients with the same
// transport share connections, and nothing else. It trusts [LocalhostCertificate].
//
// fill returns what the person does on the page in resp, as the form that they send, or
// nil for nothing. It is asked about the answers to navigations with GET.
func Browser(transport *http.Transport, fill func(r *http.Request, resp *http.Response) url.Values) *http.Client {
	jar, err := cookiejar.New(nil)
	Must(err) // not reached: cookiejar.New has no failure without options
	return &http.Client{Jar: jar, CheckRedirect: FollowAsBrowser, Transport: &browser{transport, fill}}
}

// FollowAsBrowser is a CheckRedirect that gives up on a redirect loop where browsers do,
// not after Go's 10.
func FollowAsBrowser(_ *http.Request, via []*http.Request) error {
	if len(via) >= 20 {
		return errors.New("stopped after 20 redirects")
	}
	return nil
}

// NewTransport returns a transport for [Browser].
func NewTransport() *http.Transport {
	return &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: localhostPool()},
		MaxIdleConnsPerHost: 100, // a soak test's browsers keep a few connections, not one each
	}
}

// browser is the http.RoundTripper of a Browser.
type browser struct {
	transport *http.Transport
	fill      func(*http.Request, *http.Response) url.Values
}

// RoundTrip implements http.RoundTripper.
func (b *browser) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	navigate(r)
	resp, err := b.transport.RoundTrip(r)
	mode := r.Header.Get("Sec-Fetch-Mode")
	if err != nil || r.Method != http.MethodGet || mode != "navigate" && mode != "" {
		return resp, err
	}
	form := b.fill(r, resp)
	if form == nil {
		return resp, nil
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return b.transport.RoundTrip(formOn(r, form.Encode()))
}

// formOn is what the browser sends when the form on the page at r is filled in.
func formOn(r *http.Request, body string) *http.Request {
	post := r.Clone(r.Context())
	post.Method = http.MethodPost
	post.Body = io.NopCloser(strings.NewReader(body))
	post.ContentLength = int64(len(body))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.Header.Get("Sec-Fetch-Mode") != "" {
		post.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	post.Header.Set("Origin", "null") // the form's page has the policy no-referrer
	return post
}

// navigate adds the headers of a navigation (Fetch Metadata Request Headers, W3C).
func navigate(r *http.Request) {
	if r.Response != nil {
		r.Header.Del("Referer") // http.Client's own, of the redirect; browsers send none
	}
	if _, set := r.Header["Sec-Fetch-Mode"]; set {
		return
	}
	form := r.Method != http.MethodGet && r.Method != http.MethodHead
	setDefault(r.Header, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	setDefault(r.Header, "Sec-Fetch-Mode", "navigate")
	setDefault(r.Header, "Sec-Fetch-Dest", "document")
	setDefault(r.Header, "Sec-Fetch-Site", initiator(r))
	if form {
		setDefault(r.Header, "Origin", Origin(r.URL))
	}
}

// initiator is Sec-Fetch-Site: "none" for an address that a person typed, as every
// GET counts, and for the redirects that follow; "same-origin" for a form. After the
// service's login form it is the service that sends the browser on.
func initiator(r *http.Request) string {
	for at := r; at.Response != nil && at.Response.Request != nil; {
		at = at.Response.Request
		if at.Method == http.MethodGet || at.Method == http.MethodHead {
			continue
		}
		return relation(at.URL, r.URL)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "same-origin"
	}
	return "none"
}

// relation is how a page at from relates to a page at to. Like browsers it takes an IP
// address and a name for different sites, and all ports of a host for the same site.
func relation(from, to *url.URL) string {
	switch {
	case Origin(from) == Origin(to):
		return "same-origin"
	case from.Scheme == to.Scheme && from.Hostname() == to.Hostname():
		return "same-site"
	}
	return "cross-site"
}

func setDefault(h http.Header, name, value string) {
	if _, set := h[name]; !set {
		h.Set(name, value)
	}
}
