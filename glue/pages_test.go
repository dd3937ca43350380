package glue_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// everyPage says how to get to each of our pages. before comes in front of the site's
// configuration.
func everyPage() []pageCase {
	status := func(n int) func(s *testSite) answer {
		return func(s *testSite) answer {
			s.fake.Next(webauthtest.Outcome{Status: n})
			return s.browser("test0001").get("/private/")
		}
	}
	fault := func(f webauthtest.Fault) func(s *testSite) answer {
		return func(s *testSite) answer {
			s.fake.Next(webauthtest.Outcome{Fault: f})
			return s.browser("test0001").get("/private/")
		}
	}
	return []pageCase{
		{"misdirected", 421, func(s *testSite) answer {
			return s.browser("").do(http.MethodGet, "/private/", nil, func(r *http.Request) { r.Host = "evil.example" })
		}},
		{"misconfigured", 500, func(s *testSite) answer { return s.browser("").get("/wrong") }},
		{"unavailable", 503, func(s *testSite) answer { return s.browser("test0001").get("/private/down") }},
		{"forbidden", 403, func(s *testSite) answer { return s.browser("test0010").get("/private/") }},
		{"loop", 403, func(s *testSite) answer { return s.browser("test0001").forgetting("wls-session").get("/private/") }},
		{"address", 400, func(s *testSite) answer { return s.browser("").get("/private/?" + strings.Repeat("x", 10<<10)) }},
		{"target-lost", 200, func(s *testSite) answer {
			return s.browser("test0001").forgetting("wls-target").get("/private/?" + strings.Repeat("x", 2000))
		}},
		{"next", 400, func(s *testSite) answer { return s.browser("").get("/login?next=//evil.example") }},
		{"cookies", 403, func(s *testSite) answer { return s.browser("test0001").forgetting("wls-").get("/private/") }},
		{"malformed", 400, func(s *testSite) answer { return s.browser("").get("/private/?WLS-Response=x") }},
		{"refused", 403, fault(webauthtest.FaultWrongKey)},
		{"stale", 403, fault(webauthtest.FaultStale)},
		{"forgotten", 403, func(s *testSite) answer { return s.browser("test0001").get("/private/forgotten") }},
		{"strength", 403, func(s *testSite) answer {
			s.fake.Next(proof("x-otp", nil))
			b := s.browser("test0001")
			return b.get(s.respond(b.begin("/private/"), "test0001"))
		}},
		{"cancelled", 200, status(410)},
		{"declined", 403, status(570)},
		{"logout", 200, func(s *testSite) answer { return s.loggedIn("test0001").get("/logout") }},
		{"logged-out", 200, func(s *testSite) answer { return s.loggedIn("test0001").post("/logout", nil) }},
		{"not-logged-in", 200, func(s *testSite) answer { return s.browser("").get("/logout") }},
		{"login-again", 401, func(s *testSite) answer { return s.browser("").post("/private/", nil) }},
		{"form-kept", 401, func(s *testSite) answer { _, page := kept(s); return page }},
		{"go-back", 200, func(s *testSite) answer { return s.loggedIn("test0001").get("/private/?wls-kept=1") }},
		{"not-yours", 403, func(s *testSite) answer {
			b, page := kept(s)
			b.get(s.respond(b.begin("/private/"), "test0002")).requireEcho("test0002")
			return b.continues(page)
		}},
		{"form-forgotten", 403, func(s *testSite) answer {
			b := s.loggedIn("test0001")
			s.advance(3 * time.Hour)
			page := b.send("/private/forgotten", urlType, formBody)
			b.get("/private/").requireEcho("test0001")
			return b.press(page)
		}},
		{"form-gone", 403, func(s *testSite) answer {
			return s.loggedIn("test0001").post("/private/?wls-kept=1", url.Values{"wls-kept": {"x"}})
		}},
	}
}

// downAt is a OneUse that cannot say, or has lost its memory, for requests to one path.
type downAt struct{ webauth.OneUse }

type downKey struct{}

var downPaths = map[string]error{"/private/down": errors.New("down"), "/private/forgotten": webauth.ErrForgotten}

func (d downAt) Once(ctx context.Context, item webauth.Item) error {
	if err, _ := ctx.Value(downKey{}).(error); err != nil {
		return err
	}
	return d.OneUse.Once(ctx, item)
}

func markDown(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), downKey{}, downPaths[r.URL.Path])))
	})
}

type pageCase struct {
	kind   string
	status int
	get    func(s *testSite) answer
}

// pagesSite has what everyPage needs.
func pagesSite(t *testing.T, kind kind, edit func(c *config)) *testSite {
	return startSite(t, setup{kind: kind, config: func(c *config) {
		c.OneUse = downAt{webauth.NewMemoryOneUse(0, c.Now)}
		if edit != nil {
			edit(c)
		}
	}, wrap: markDown, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/wrong", auth.With(func(p *glue.Policy) { p.Ptags = []string{} }).Require(echo))
	}})
}

var (
	styleElement = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	anyElement   = regexp.MustCompile(`<([a-z0-9]+)`)
)

func TestEveryPage(t *testing.T) {
	for _, p := range everyPage() {
		t.Run(p.kind, func(t *testing.T) {
			s := pagesSite(t, byWLS, nil)
			a := p.get(s).requirePage(p.status, p.kind)
			h := a.Header
			assert.Equal(t, "text/html; charset=utf-8", h.Get("Content-Type"))
			assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			assert.Equal(t, "DENY", h.Get("X-Frame-Options"))
			assert.Equal(t, p.status == 401, h.Get("WWW-Authenticate") != "")
			assert.Equal(t, p.status == 503, h.Get("Retry-After") != "")

			// Nothing but text and the style that the policy names by its hash.
			style := styleElement.FindStringSubmatch(a.Body)
			require.Len(t, style, 2)
			sum := sha256.Sum256([]byte(style[1]))
			csp := h.Get("Content-Security-Policy")
			assert.Contains(t, csp, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';")
			assert.Contains(t, csp, "default-src 'none'")
			assert.Contains(t, csp, "base-uri 'none'")
			assert.Contains(t, csp, "frame-ancestors 'none'")
			assert.NotContains(t, csp, "unsafe")
			for _, m := range anyElement.FindAllStringSubmatch(a.Body, -1) {
				assert.NotContains(t, []string{"script", "link", "img", "iframe", "object", "base"}, m[1])
			}
			assert.NotContains(t, a.Body, "style=")
			assert.NotRegexp(t, `\bon[a-z]+=`, a.Body)

			_, text, _ := strings.Cut(a.Body, "</style>")
			assert.Empty(t, strangeWords("", markup.ReplaceAllString(strings.ReplaceAll(text, s.url, ""), " ")))

			// What a person and a screen reader need.
			assert.Contains(t, a.Body, `<html lang="en">`)
			assert.Contains(t, a.Body, `<meta name="viewport"`)
			assert.Equal(t, 1, strings.Count(a.Body, "<h1>"))
			assert.Equal(t, 1, strings.Count(a.Body, "<main"))
			action, _ := a.form()
			assert.True(t, len(a.links()) > 0 || action != "" || p.kind == "go-back", "a next step")
			switch action {
			case "":
				assert.Contains(t, csp, "form-action 'none'")
			default:
				assert.NotContains(t, csp, "form-action 'none'")
			}
			for _, link := range a.links() {
				u, err := url.Parse(link)
				require.NoError(t, err)
				assert.True(t, u.IsAbs(), link)
				assert.True(t, strings.HasPrefix(link, s.url) || link == s.fake.logoutPage(), link)
			}

			// The reference on the page is the last one in the log.
			if a.ref() == "" {
				assert.Equal(t, 200, p.status, "what went wrong has a reference")
				return
			}
			var logged []any
			for _, line := range s.logLines() {
				if line["ref"] != nil {
					logged = append(logged, line["ref"])
				}
			}
			require.NotEmpty(t, logged)
			assert.Equal(t, a.ref(), logged[len(logged)-1])
		})
	}
}

func TestPagesInTheSitesOwnDress(t *testing.T) {
	for _, p := range everyPage() {
		t.Run(p.kind, func(t *testing.T) {
			var shown []site.Page
			s := pagesSite(t, byWLS, func(c *config) {
				c.Page = func(w http.ResponseWriter, r *http.Request, page site.Page) {
					shown = append(shown, page)
					w.WriteHeader(page.Status)
					// With this the rest of the test finds what it looks for.
					fmt.Fprintf(w, `<main data-page=%q>`, page.Kind)
					if page.Form != nil {
						fmt.Fprintf(w, `<form method="post" action="%s">`, page.Form.Action)
						for name, value := range page.Form.Hidden {
							fmt.Fprintf(w, `<input type="hidden" name="%s" value="%s">`, name, value)
						}
					}
				}
			})
			a := p.get(s).requirePage(p.status, p.kind)
			page := shown[len(shown)-1]
			assert.Equal(t, p.kind, page.Kind)
			assert.Equal(t, p.status, page.Status)
			assert.NotEmpty(t, page.Title)
			assert.NotEmpty(t, page.Text)
			assert.NotContains(t, a.Body, "<style>")
			assert.NotContains(t, fmt.Sprint(page.Title, page.Text), "evil.example")
			if page.Ref != "" {
				assert.Contains(t, s.log.String(), page.Ref)
			}
		})
	}
}

// What comes from outside is text on our pages.
func TestPagesEscape(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	s := startSite(t, setup{config: func(c *config) { c.LogoutPath = `/logout?x="><script>` }, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/ptags", func(p *glue.Policy) { p.Ptags = []string{evil} })
	}})
	s.fake.AddUser(webauthtest.User{ID: `<b>"x'&`, Password: "x", Ptags: []string{"current"}})
	b := s.browser(`<b>"x'&`)
	a := b.get("/ptags?"+url.QueryEscape(evil)).requirePage(http.StatusForbidden, "forbidden")
	assert.NotContains(t, a.Body, "<script")
	assert.NotContains(t, a.Body, "<b>")
	assert.Contains(t, a.Body, "&lt;b&gt;&#34;x&#39;&amp;")
	assert.Equal(t, s.url+`/logout?x=%22%3e%3cscript%3e`, a.links()[1])

	b = s.browser("test0001")
	a = b.do(http.MethodGet, `/private/"'<x>?"'<script>&WLS-Response=x`, nil, nil).requirePage(http.StatusBadRequest, "malformed")
	assert.NotContains(t, a.Body, "<script")
	assert.NotContains(t, a.Body, "<x>")
}

func TestPagesToHEAD(t *testing.T) { eachKind(t, testPagesToHEAD) }

func testPagesToHEAD(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0010")
	b.get("/private/").requirePage(http.StatusForbidden, "forbidden")
	a := b.do(http.MethodHead, "/private/", nil, nil)
	assert.Equal(t, http.StatusForbidden, a.StatusCode)
	assert.Empty(t, a.Body)
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
}

// The link of a page leads to what the person wanted, which may be a login away.
func TestPagesTryAgain(t *testing.T) { eachKind(t, testPagesTryAgain) }

func testPagesTryAgain(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	s.fake.Next(webauthtest.Outcome{Status: 410})
	b := s.browser("test0001")
	a := b.get("/private/a%2Fb?x=1&y=%20").requirePage(http.StatusOK, "cancelled")
	require.Equal(t, []string{s.url + "/private/a%2Fb?x=1&y=%20", s.url + "/"}, a.links())
	b.get(a.links()[0]).requireEcho("test0001")
	s.advance(time.Hour)
}

func TestForbiddenWithoutALogoutPath(t *testing.T) { eachKind(t, testForbiddenWithoutALogoutPath) }

func testForbiddenWithoutALogoutPath(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.LogoutPath = "" }})
	a := s.browser("test0010").get("/private/").requirePage(http.StatusForbidden, "forbidden")
	assert.Equal(t, []string{s.url + "/"}, a.links())
}
