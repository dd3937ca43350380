package wlsbridge_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// stop has the person's browser follow no redirect.
func (p *person) stop() *person {
	c := *p.client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{p.world, &c}
}

// begun opens a request and returns the URL with its mark, at which a login is about to begin.
func (p *person) begun(r wls.Request) string {
	p.t.Helper()
	a := p.stop().visit(r)
	require.Equal(p.t, http.StatusSeeOther, a.StatusCode)
	require.Contains(p.t, a.Header.Get("Location"), "&wls-asked=")
	return a.Header.Get("Location")
}

// TestPasswordsTypedBefore: none proves anything to a request that wants one typed for it.
func TestPasswordsTypedBefore(t *testing.T) {
	rows := []struct {
		name string
		run  func(t *testing.T, w *world, p *person) answer
	}{
		{"in this very second", func(_ *testing.T, _ *world, p *person) answer {
			p.visit(asks())
			return p.visit(asks(yes))
		}},
		{"for another request of the site", func(_ *testing.T, _ *world, p *person) answer {
			p.visit(asks(yes))
			return p.visit(asks(yes))
		}},
		{"for the same request, reloaded", func(_ *testing.T, _ *world, p *person) answer {
			a := p.visit(asks(yes))
			return p.open(a.Request.URL.String())
		}},
		{"for the same request, by the back button", func(_ *testing.T, _ *world, p *person) answer {
			marked := p.begun(asks(yes))
			p.success(p.open(marked), webauth.IActYes)
			return p.open(marked)
		}},
		{"for another site, whose request came later", func(_ *testing.T, _ *world, p *person) answer {
			marked := p.begun(asks(yes))
			p.success(p.visit(asks(yes, other)), webauth.IActYes)
			return p.open(marked)
		}},
		{"with the mark of another request", func(t *testing.T, _ *world, p *person) answer {
			marked := p.begun(asks(other))
			p.visit(asks())
			_, mark, _ := strings.Cut(marked, "&wls-asked=")
			return p.open(p.urlOf(asks(yes)) + "&wls-asked=" + mark)
		}},
		{"with the mark of another browser", func(t *testing.T, w *world, p *person) answer {
			marked := w.person("test0002").begun(asks(yes))
			p.visit(asks())
			return p.open(marked)
		}},
		{"with a mark and another browser's name", func(t *testing.T, w *world, p *person) answer {
			marked := w.person("test0002").begun(asks(yes))
			p.visit(asks())
			c := cookieOf(t, p, "wls-bridge")
			p.client.Jar.SetCookies(mustParse(t, w.url), []*http.Cookie{{Name: c.Name, Value: "somebody", Path: "/"}})
			return p.open(marked)
		}},
		{"with a mark that is too old", func(_ *testing.T, w *world, p *person) answer {
			marked := p.begun(asks(yes))
			p.visit(asks())
			w.fake.Advance(15 * time.Minute)
			return p.open(marked)
		}},
		{"with an altered mark", func(_ *testing.T, _ *world, p *person) answer {
			marked := p.begun(asks(yes))
			p.visit(asks())
			i := len(marked) - 10
			letter := "A"
			if marked[i] == 'A' {
				letter = "B"
			}
			return p.open(marked[:i] + letter + marked[i+1:])
		}},
		{"with a mark of a request whose cookies did not come", func(t *testing.T, w *world, p *person) answer {
			p.open(w.url + "/login?next=/auth/pubkey700")
			w.fake.Advance(time.Second)
			c := cookieOf(t, p, "wls-session")
			p.dropCookie("wls-session")
			marked := p.begun(asks(yes))
			p.client.Jar.SetCookies(mustParse(t, w.url), []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
			return p.open(marked)
		}},
		{"with a mark twice", func(_ *testing.T, _ *world, p *person) answer {
			marked := p.begun(asks(yes))
			p.visit(asks())
			_, mark, _ := strings.Cut(marked, "&wls-asked=")
			return p.stop().open(marked + "&wls-asked=" + mark)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setup{})
			p := w.person("test0001")
			before := w.typed()
			a := row.run(t, w, p)
			typed := w.typed() - before
			if r, _ := p.response(a); r.Status() == 200 {
				assert.Equal(t, 2, typed, "typed once more")
			} else {
				assert.Equal(t, 530, r.Status(), "there is no such parameter")
			}
		})
	}
}

// TestOnePasswordForManyRequests that all came before it, and are opened at once.
func TestOnePasswordForManyRequests(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	var marked []string
	for i := range 8 {
		marked = append(marked, p.begun(asks(yes, func(r *wls.Request) { r.Params = fmt.Sprint("p-", i) })))
	}
	p.open(w.url + "/login?next=/auth/pubkey700")
	require.Equal(t, 1, w.typed())
	var answered atomic.Int32
	var all sync.WaitGroup
	for _, target := range marked {
		all.Go(func() {
			if a := p.stop().open(target); strings.HasPrefix(a.Header.Get("Location"), socURL) {
				answered.Add(1)
			}
		})
	}
	all.Wait()
	assert.Equal(t, int32(1), answered.Load())
}

// TestSilentRequestAfterAPassword: a request that wanted nobody to be asked is not answered as if
// somebody had been, whatever happened meanwhile.
func TestSilentRequestAfterAPassword(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	marked := p.begun(asks(no)) // of a browser that is new
	p.open(w.url + "/login?next=/auth/pubkey700")
	r := p.success(p.open(marked), webauth.IActNo)
	assert.Empty(t, r.Auth())
}

// TestOldSessionThatWasAway: a session whose cookie did not come with the request, and then
// does, began before it.
func TestOldSessionThatWasAway(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	p.open(w.url + "/login?next=/auth/pubkey700")
	w.fake.Advance(time.Second)
	c := cookieOf(t, p, "wls-session")
	p.dropCookie("wls-session")
	marked := p.begun(asks())
	p.client.Jar.SetCookies(mustParse(t, w.url), []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
	r := p.success(p.open(marked), "")
	assert.Empty(t, r.Auth())
}

// TestSingleSignOnBehindIsNoPassword: where the service behind does not have one typed, it is
// asked to, and what it says then is what counts.
func TestSingleSignOnBehindIsNoPassword(t *testing.T) {
	w := start(t, setup{})
	w.fake.Always(proof("", []string{"pwd"}))
	w.fake.AddUser(userNamed("spqr1"))
	p := w.person("spqr1")
	a := p.visit(asks(yes))
	assert.Equal(t, "strength", a.kind())
	assert.Empty(t, a.Header.Get("Location"))
}

// TestOnlyPeopleWhoOpenThePage: what anything else asks is neither answered nor redirected.
func TestOnlyPeopleWhoOpenThePage(t *testing.T) {
	rows := []struct {
		name, method string
		headers      map[string]string
		status       int
	}{
		{"HEAD", http.MethodHead, nil, 405},
		{"PUT", http.MethodPut, nil, 405},
		{"OPTIONS", http.MethodOptions, nil, 405},
		{"a fetch", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, 403},
		{"a fetch of the service's own page", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}, 403},
		{"a frame", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		{"an object", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"}, 403},
		{"an image", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403},
		{"a script element", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403},
		{"a prefetch", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"}, 403},
		{"a prerender", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"}, 403},
		{"curl", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "-", "Accept": "*/*"}, 403},
		{"XMLHttpRequest", http.MethodGet, map[string]string{"Sec-Fetch-Mode": "-", "Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, 403},
	}
	for _, row := range rows {
		for _, q := range []wls.Request{asks(), asks(func(r *wls.Request) { r.Ver = 9 })} {
			t.Run(row.name, func(t *testing.T) {
				w := start(t, setup{})
				p := w.person("test0001")
				p.visit(asks())
				answered := len(w.reasons("answered"))
				r, err := http.NewRequest(row.method, w.urlOf(q), http.NoBody)
				require.NoError(t, err)
				for name, value := range row.headers {
					if value == "-" { // a client that sends none
						r.Header[name] = nil
					} else {
						r.Header.Set(name, value)
					}
				}
				a := p.stop().do(r)
				assert.Equal(t, row.status, a.StatusCode)
				assert.Empty(t, a.Header.Get("Location"))
				assert.Empty(t, a.kind(), "a line of text will do")
				assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
				assert.Len(t, w.reasons("answered"), answered)
				assert.Empty(t, w.reasons("failed"))
			})
		}
	}
}

// TestFormsOfOtherSites: a request that a form brings begins as any link's would.
func TestFormsOfOtherSites(t *testing.T) {
	for name, q := range map[string]wls.Request{"good": asks(), "bad": asks(func(r *wls.Request) { r.Ver = 9 }), "no type": asks(func(r *wls.Request) { r.AAuth = []string{"x-none"} })} {
		t.Run(name, func(t *testing.T) {
			w := start(t, setup{})
			p := w.person("test0001")
			p.visit(asks())
			answered := len(w.reasons("answered"))
			r, err := http.NewRequest(http.MethodPost, w.urlOf(q), strings.NewReader("decision=continue"))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			a := p.stop().do(r)
			assert.False(t, strings.HasPrefix(a.Header.Get("Location"), "https://"), a.Header.Get("Location"))
			assert.Len(t, w.reasons("answered"), answered)
			assert.Empty(t, w.reasons("failed"))
		})
	}
}

// TestParametersInTheBody count for nothing.
func TestParametersInTheBody(t *testing.T) {
	w := start(t, setup{config: eachSite})
	p := w.person("test0001")
	p.open(w.url + "/login?next=/auth/pubkey700")
	page := p.visit(asks())
	r := p.form(page, "continue")
	form := url.Values{"decision": {"continue"}, "xsrf-token": {p.token(page)}, "url": {"https://evil.example/"}, "ver": {"1"}, "params": {"x"}}
	post, err := http.NewRequest(http.MethodPost, r.URL.String(), strings.NewReader(form.Encode()))
	require.NoError(t, err)
	post.Header = r.Header
	got := p.success(p.do(post), "")
	assert.Equal(t, socURL, got.URL())
	assert.Equal(t, "p-1", got.Params())
}

// TestHeadersThatSaySomethingElse: origin, path and query come from nowhere but the request line
// and the configuration.
func TestHeadersThatSaySomethingElse(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	for _, h := range [][2]string{
		{"X-Forwarded-Host", "evil.example"}, {"Forwarded", "host=evil.example;proto=https"}, {"X-Forwarded-Prefix", "/evil"},
		{"X-Original-Url", "/auth/authenticate.html?ver=3&url=https://evil.example/"}, {"X-Rewrite-Url", "/evil"}, {"X-Http-Method-Override", "HEAD"},
		{"X-Forwarded-Proto", "https"}, {"Referer", "https://evil.example/"},
	} {
		r, err := http.NewRequest(http.MethodGet, w.urlOf(asks(yes)), http.NoBody)
		require.NoError(t, err)
		r.Header.Set(h[0], h[1])
		a := p.stop().do(r)
		assert.True(t, strings.HasPrefix(a.Header.Get("Location"), w.url+"/auth/authenticate.html?ver=3&url=https%3A%2F%2Fsoc.example"), "%s: %s", h[0], a.Header.Get("Location"))
	}
	r, err := http.NewRequest(http.MethodGet, w.urlOf(asks()), http.NoBody)
	require.NoError(t, err)
	r.Host = "evil.example"
	a := p.stop().do(r)
	assert.Equal(t, http.StatusMisdirectedRequest, a.StatusCode)
	assert.Empty(t, a.Header.Get("Location"))
}

// TestSessionOfSomebodyElse: neither a session nor a memory that another browser had works here.
func TestSessionOfSomebodyElse(t *testing.T) {
	w := start(t, setup{config: eachSite})
	attacker := w.person("test0002")
	attacker.press(attacker.visit(asks()), "continue")
	for _, part := range []string{"wls-session", "wls-bridge-sites"} {
		c := cookieOf(t, attacker, part)
		victim := w.person("test0001")
		victim.client.Jar.SetCookies(mustParse(t, w.url), []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
		a := victim.visit(asks())
		require.Equal(t, "bridge-confirm", a.kind(), part)
		assert.Contains(t, a.body, "test0001")
		assert.NotContains(t, a.body, "test0002")
	}
}

// TestResponseOfALoginThatIsNotThisBrowsers: the login behind is glue's, with all that it checks.
func TestResponseOfALoginThatIsNotThisBrowsers(t *testing.T) {
	w := start(t, setup{})
	attacker := w.person("test0002")
	back := ""
	follow := attacker.client.CheckRedirect
	attacker.client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if strings.Contains(next.URL.RawQuery, "WLS-Response=") {
			back = next.URL.String()
			return http.ErrUseLastResponse
		}
		return follow(next, via)
	}
	attacker.visit(asks())
	require.NotEmpty(t, back)
	victim := w.person("test0001")
	a := victim.stop().open(back)
	assert.Empty(t, a.Header.Get("Location"))
	assert.Equal(t, "cookies", a.kind())
	r := victim.success(victim.visit(asks()), "")
	assert.Equal(t, "test0001", r.Principal())
}

// TestBrowserWithoutCookies is told so, and goes round in no circle.
func TestBrowserWithoutCookies(t *testing.T) {
	for name, q := range map[string]wls.Request{"as needed": asks(), "password": asks(yes)} {
		t.Run(name, func(t *testing.T) {
			w := start(t, setup{})
			p := w.person("test0001")
			p.client.Jar = nil
			a := p.visit(q)
			assert.Equal(t, "bridge-cookies", a.kind())
			assert.Equal(t, []string{"cookies"}, w.reasons("refused"))
		})
	}
	w := start(t, setup{})
	p := w.person("test0001")
	p.client.Jar = nil
	r, _ := p.response(p.visit(asks(no)))
	assert.Equal(t, 540, r.Status())
}

// TestSiteThatAsksInCircles is stopped, for the person and for nobody else.
func TestSiteThatAsksInCircles(t *testing.T) {
	w := start(t, setup{})
	p, q := w.person("test0001"), w.person("test0002")
	p.success(p.visit(asks()), "")
	q.success(q.visit(asks()), "")
	answered := 0
	for range 100 {
		if a := p.visit(asks()); a.kind() == "bridge-limit" {
			assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
			assert.Empty(t, a.Header.Get("Location"))
		} else {
			p.success(a, "")
			answered++
		}
	}
	assert.Equal(t, 29, answered)
	q.success(q.visit(asks()), "")
	w.fake.Advance(2 * time.Second)
	p.success(p.visit(asks()), "")
	assert.Equal(t, "bridge-limit", p.visit(asks()).kind())
}

// TestManyWhoAreNobody: requests of one network are bounded, too.
func TestManyWhoAreNobody(t *testing.T) {
	w := start(t, setup{})
	p := w.person("")
	limited := 0
	for range 700 {
		if p.stop().visit(asks(func(r *wls.Request) { r.Ver = 9 })).kind() == "bridge-limit" {
			limited++
		}
	}
	assert.Equal(t, 100, limited)
	w.fake.Advance(time.Minute)
	r, _ := p.response(p.stop().visit(asks(func(r *wls.Request) { r.Ver = 9 })))
	assert.Equal(t, 520, r.Status())
}

// TestStoreThatFails tells nobody anything that it cannot be sure of.
func TestStoreThatFails(t *testing.T) {
	store := &failingOneUse{OneUse: webauth.NewMemoryOneUse(0, func() time.Time { return noon })}
	w := start(t, setup{site: func(c *site.Config) { c.OneUse = store }})
	p := w.person("test0001")
	marked := p.begun(asks(yes))
	store.fail = "typed:"
	a := p.open(marked)
	assert.Equal(t, "unavailable", a.kind())
	assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	assert.Equal(t, "5", a.Header.Get("Retry-After"))
	store.fail = ""
	p.success(p.open(marked), webauth.IActYes)
	assert.Equal(t, 1, w.typed())
}
