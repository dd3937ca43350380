package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// apiError is an answer of the API that was not wanted; status 0 is none.
type apiError struct {
	what   string
	status int
}

func (e apiError) Error() string {
	if e.status == 0 {
		return e.what + ": no answer"
	}
	return fmt.Sprintf("%s: status %d", e.what, e.status)
}

func problem(what string, answer reply, err error) error {
	if err != nil {
		return apiError{what: what}
	}
	return apiError{what, answer.status}
}

// browser returns a browser that stops in front of the application.
func (a *api) browser(i int) *http.Client {
	c := a.soak.fake.Client(userName(i))
	follow := c.CheckRedirect
	c.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if strings.HasPrefix(next.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return follow(next, via)
	}
	return c
}

// reply is an answer that was read.
type reply struct {
	status         int
	atSite         bool
	body, location string
}

func (a *api) open(ctx context.Context, c *http.Client, method, at string, form url.Values) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return read(c.Do(r))
}

func read(resp *http.Response, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return reply{resp.StatusCode, strings.HasPrefix(resp.Request.URL.Path, "/oauth/"), string(body), resp.Header.Get("Location")}, err
}

// match returns the first group of the first match.
func match(expr, text string) string {
	if m := regexp.MustCompile(expr).FindStringSubmatch(text); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

// hidden returns the hidden fields of a page.
func hidden(page string) url.Values {
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return form
}

// call calls the API at one of the machines.
func (a *api) call(ctx context.Context, token string, random *mathrand.Rand) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.machines[random.IntN(len(a.machines))]+"/api/who", nil)
	if err != nil {
		return reply{}, err
	}
	r.Host = strings.TrimPrefix(a.soak.baseURL, "http://")
	r.Header.Set("Authorization", "Bearer "+token)
	return read(a.client.Do(r))
}

// post calls an endpoint as the application.
func (a *api) post(ctx context.Context, to, path string, form url.Values) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to+path, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, err
	}
	r.Host = strings.TrimPrefix(a.soak.baseURL, "http://")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(a.id, a.secret)
	return read(a.client.Do(r))
}

// pair is what a code or a refresh token gives.
type pair struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func readPair(answer reply) *pair {
	p := &pair{}
	if answer.status != http.StatusOK || json.Unmarshal([]byte(answer.body), p) != nil {
		return nil
	}
	return p
}
