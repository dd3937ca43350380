package glue_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// formBody is not as url.Values would write it.
const formBody = "b=2&a=%c3%a9+x&a=&=y&empty&n=1%0D%0A2"

const (
	formPath = "/private/form%2Fx?n=1&m=%41"
	urlType  = "application/x-www-form-urlencoded"
)

// send posts a body as a form on a page of the site does.
func (b *browser) send(path, kind, body string, headers ...string) answer {
	b.site.t.Helper()
	return b.do(http.MethodPost, path, strings.NewReader(body), func(r *http.Request) {
		r.Header.Set("Content-Type", kind)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
	})
}

// kept gives a browser whose form was kept because its session has ended, and the page.
func kept(s *testSite) (*browser, answer) {
	s.t.Helper()
	b := s.loggedIn("test0001")
	s.advance(3 * time.Hour)
	return b, b.send(formPath, urlType, formBody).requirePage(http.StatusUnauthorized, "form-kept")
}

// continues presses the page's button.
func (b *browser) continues(page answer) answer {
	b.site.t.Helper()
	action, hidden := page.form()
	require.Equal(b.site.t, b.site.url+formPath+"&wls-kept=1", action)
	require.Len(b.site.t, hidden, 1)
	return b.post(action, hidden)
}

// assertSent holds what the handler saw against the form.
func assertSent(s *testSite, e echoed) {
	t := s.t
	assert.Equal(t, http.MethodPost, e.Method)
	assert.Equal(t, formBody, e.Body)
	assert.EqualValues(t, len(formBody), e.Length)
	assert.Equal(t, formPath, e.RequestURI)
	assert.Equal(t, formPath, e.URL)
	assert.Equal(t, urlType, e.Type)
	want, err := url.ParseQuery(formBody + "&n=1&m=A")
	require.NoError(t, err)
	assert.Equal(t, want, e.Form)
}

func TestKeptForm(t *testing.T) { eachKind(t, testKeptForm) }

func testKeptForm(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name   string
		reason string
		config func(c *config)
		later  time.Duration
	}{
		{"expired", "expired", nil, 3 * time.Hour},
		{"idle", "idle", func(c *config) { c.Session.Inactivity = 5 * time.Minute }, 6 * time.Minute},
		{"stale", "fresh", func(c *config) { c.Policy.Fresh = 5 * time.Minute }, 6 * time.Minute},
	} {
		for _, tls := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: " on https"}[tls], func(t *testing.T) {
				s := startSite(t, setup{kind: kind, config: tt.config, tls: tls})
				b := s.loggedIn("test0001")
				s.advance(tt.later)
				page := b.send(formPath, urlType, formBody).requirePage(http.StatusUnauthorized, "form-kept")
				assert.Empty(t, page.Cookies())
				assert.Equal(t, s.fake.service().Info().Challenge, page.Header.Get("WWW-Authenticate"))
				assert.EqualValues(t, tt.reason, s.lastEvent(glue.EventFormKept).Reason)
				assert.Equal(t, "test0001", s.lastEvent(glue.EventFormKept).Principal)
				_, shown, _ := strings.Cut(page.Body, "</style>")
				assert.NotContains(t, shown, "empty", "sealed, not shown")
				assert.Contains(t, page.Body, `target="_blank"`)

				require.Equal(t, []string{s.url + s.loginForForm(formPath)}, page.links())
				back := b.get(page.links()[0]).requirePage(http.StatusOK, "go-back")
				assert.NotContains(t, back.Body, formBody)
				assertSent(s, b.continues(page).requireEcho("test0001"))
				assert.Equal(t, "test0001", s.lastEvent(glue.EventFormResumed).Principal)

				b.continues(page).requirePage(http.StatusForbidden, "form-gone") // sent once
			})
		}
	}
}

func TestKeptFormIsSentByThePersonOnly(t *testing.T) { eachKind(t, testKeptFormIsSentByThePersonOnly) }

func testKeptFormIsSentByThePersonOnly(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b, page := kept(s)
	action, _ := page.form()
	b.get("/private/").requireEcho("test0001")
	b.get(action).requirePage(http.StatusOK, "go-back")
	assert.NotContains(t, s.eventNames(), glue.EventFormResumed)
	assert.NotContains(t, page.Body, "<script")
	assertSent(s, b.continues(page).requireEcho("test0001"))
}

// Continue before the login gives the same form back, for after it.
func TestKeptFormContinuedTooEarly(t *testing.T) { eachKind(t, testKeptFormContinuedTooEarly) }

func testKeptFormContinuedTooEarly(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b, page := kept(s)
	_, first := page.form()
	again := b.continues(page).requirePage(http.StatusUnauthorized, "form-kept")
	action, second := again.form()
	assert.Equal(t, first, second)
	assert.Equal(t, s.url+formPath+"&wls-kept=1", action, "marked once")
	assert.Equal(t, []string{s.url + s.loginForForm(formPath)}, again.links())
	b.get("/private/").requireEcho("test0001")
	assertSent(s, b.continues(again).requireEcho("test0001"))

	t.Run("without a session's cookie", func(t *testing.T) {
		s.in(t)
		b, page := kept(s)
		b.dropCookies("session")
		again := b.continues(page).requirePage(http.StatusUnauthorized, "form-kept")
		assert.Equal(t, "test0001", s.lastEvent(glue.EventFormKept).Principal)
		b.get("/private/").requireEcho("test0001")
		assertSent(s, b.continues(again).requireEcho("test0001"))
	})
	t.Run("with nonsense", func(t *testing.T) {
		s.in(t)
		b, page := kept(s)
		action, _ := page.form()
		a := b.send(action, urlType, "wls-kept=nonsense").requirePage(http.StatusUnauthorized, "login-again")
		assert.Equal(t, []string{s.url + formPath}, a.links())
	})
}

func TestKeptFormOfSomebodyElse(t *testing.T) { eachKind(t, testKeptFormOfSomebodyElse) }

func testKeptFormOfSomebodyElse(t *testing.T, kind kind) {
	t.Run("another person in the same browser", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b, page := kept(s)
		b.get(s.respond(b.begin("/private/"), "test0002")).requireEcho("test0002")
		a := b.continues(page).requirePage(http.StatusForbidden, "not-yours")
		assert.NotContains(t, a.Body, "test0001")
		assert.NotContains(t, s.eventNames(), glue.EventFormResumed)
	})
	t.Run("the person it belongs to, after another", func(t *testing.T) {
		s := startSite(t, setup{kind: kind, routes: adminRoute})
		b, page := kept(s)
		b.get(s.respond(b.begin("/private/"), "test0002")).requireEcho("test0002")
		b.continues(page).requirePage(http.StatusForbidden, "not-yours")
		s.advance(6 * time.Minute)
		b.get(s.respond(b.begin("/admin"), "test0001")).requireEcho("test0001")
		assertSent(s, b.continues(page).requireEcho("test0001"))
	})
	t.Run("another browser", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		_, page := kept(s)
		s.loggedIn("test0001").continues(page).requirePage(http.StatusForbidden, "form-gone")
	})
	t.Run("after logging out", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b, page := kept(s)
		b.post("/logout", nil).requirePage(http.StatusOK, "not-logged-in")
		b.continues(page).requirePage(http.StatusUnauthorized, "login-again")
		b.get("/private/").requireEcho("test0001")
		b.continues(page).requirePage(http.StatusForbidden, "form-gone")
	})
}

func TestKeptFormThatIsRefused(t *testing.T) { eachKind(t, testKeptFormThatIsRefused) }

func testKeptFormThatIsRefused(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	refused := func(b *browser, a answer) {
		t.Helper()
		a.requirePage(http.StatusForbidden, "form-gone")
		assert.Equal(t, glue.EventRefused, s.lastEvent(glue.EventRefused).Name)
		assert.EqualValues(t, "kept-form", s.lastEvent(glue.EventRefused).Reason)
	}
	for _, tt := range []struct {
		name string
		try  func(b *browser, action string, sealed string) answer
	}{
		{"another path", func(b *browser, _, sealed string) answer {
			return b.post("/private/other?wls-kept=1", url.Values{"wls-kept": {sealed}})
		}},
		{"another query", func(b *browser, _, sealed string) answer {
			return b.post("/private/form%2Fx?n=2&wls-kept=1", url.Values{"wls-kept": {sealed}})
		}},
		{"altered", func(b *browser, action, sealed string) answer {
			return b.post(action, url.Values{"wls-kept": {sealed[:50] + flip(sealed[50:51]) + sealed[51:]}})
		}},
		{"cut short", func(b *browser, action, sealed string) answer {
			return b.post(action, url.Values{"wls-kept": {sealed[:len(sealed)-4]}})
		}},
		{"the seal of something else", func(b *browser, action, _ string) answer {
			return b.post(action, url.Values{"wls-kept": {b.cookie("session").Value}})
		}},
		{"in the query as well", func(b *browser, action, sealed string) answer {
			return b.post(strings.Replace(action, "wls-kept=1", "wls-kept="+sealed+"&wls-kept=1", 1), url.Values{"wls-kept": {"x"}})
		}},
		{"from another site", func(b *browser, action, sealed string) answer {
			return b.send(action, urlType, "wls-kept="+sealed, "Sec-Fetch-Site", "cross-site")
		}},
		{"from a subdomain", func(b *browser, action, sealed string) answer {
			return b.send(action, urlType, "wls-kept="+sealed, "Sec-Fetch-Site", "same-site")
		}},
		{"from another origin, says an old browser", func(b *browser, action, sealed string) answer {
			return b.send(action, urlType, "wls-kept="+sealed, "Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Origin", "https://evil.example")
		}},
		{"too long", func(b *browser, action, sealed string) answer {
			return b.send(action, urlType, "wls-kept="+sealed+"&x="+strings.Repeat("y", 150<<10))
		}},
		{"after an hour", func(b *browser, action, sealed string) answer {
			s.advance(time.Hour)
			return b.post(action, url.Values{"wls-kept": {sealed}})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b, page := kept(s)
			action, hidden := page.form()
			b.get("/private/").requireEcho("test0001")
			refused(b, tt.try(b, action, hidden.Get("wls-kept")))
			if tt.name != "after an hour" {
				assertSent(s, b.continues(page).requireEcho("test0001")) // it was no fault of the form
			}
		})
	}
}

// After Continue the browser is at the marked address. A form on the page that it sees
// there, without an action of its own, is sent there too, and is nobody's kept form.
func TestAFormSentFromAMarkedAddressIsItsOwn(t *testing.T) {
	eachKind(t, testAFormSentFromAMarkedAddressIsItsOwn)
}

func testAFormSentFromAMarkedAddressIsItsOwn(t *testing.T, kind kind) {
	const body = "a=1&wls-kept=x"
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	e := b.send("/private/form?n=1&wls-kept=1", urlType, body).requireEcho("test0001")
	assert.Equal(t, body, e.Body)
	assert.Equal(t, "/private/form?n=1", e.RequestURI)
	assert.Equal(t, "/private/form?n=1", e.URL)
	assert.NotContains(t, s.eventNames(), glue.EventFormResumed)

	// It is kept like any other, at the address without the mark.
	s.advance(3 * time.Hour)
	page := b.send("/private/form?n=1&wls-kept=1", urlType, body).requirePage(http.StatusUnauthorized, "form-kept")
	b.get("/private/").requireEcho("test0001")
	action, hidden := page.form()
	e = b.send(action, urlType, hidden.Encode()).requireEcho("test0001")
	assert.Equal(t, body, e.Body)
	assert.Equal(t, "/private/form?n=1", e.RequestURI)
}

// A kept form is never sent by another method, and an address says nothing about who
// made it: without the mark these are requests like any other.
func TestOtherMethodsAtAMarkedAddress(t *testing.T) { eachKind(t, testOtherMethodsAtAMarkedAddress) }

func testOtherMethodsAtAMarkedAddress(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		for _, query := range []string{"?wls-kept=1", "?n=1&wls-kept=1", "?n=1&wls-kept=1&wls-kept=1"} {
			t.Run(method+" "+query, func(t *testing.T) {
				e := b.do(method, "/private/form"+query, strings.NewReader("wls-kept=x"), func(*http.Request) {}).requireEcho("test0001")
				want := "/private/form" + strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(query, "&wls-kept=1", ""), "wls-kept=1", ""), "?")
				assert.Equal(t, method, e.Method)
				assert.Equal(t, "wls-kept=x", e.Body)
				assert.Equal(t, want, e.RequestURI)
				assert.Equal(t, want, e.URL)
			})
		}
	}
}

func TestUnmarked(t *testing.T) {
	for target, want := range map[string]string{
		"/a": "/a", "/a?wls-kept=1": "/a", "/a?b&wls-kept=1": "/a?b", "/a?b&wls-kept=1&wls-kept=1": "/a?b",
		"/a?wls-kept=1&b": "/a?wls-kept=1&b", "/a?xwls-kept=1": "/a?xwls-kept=1",
	} {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		got := glue.Unmarked(r)
		assert.Equal(t, want, got.RequestURI)
		assert.Equal(t, want, got.URL.String())
		assert.Equal(t, target, r.RequestURI, "the request itself stays")
		assert.Equal(t, target == want, got == r)
	}
}

func flip(letter string) string {
	if letter == "A" {
		return "B"
	}
	return "A"
}

// Old browsers, and all of them on plain http, do not tell where the button was: our
// pages ask for no referrer, so the Origin is "null".
func TestKeptFormFromABrowserThatTellsNothing(t *testing.T) {
	eachKind(t, testKeptFormFromABrowserThatTellsNothing)
}

func testKeptFormFromABrowserThatTellsNothing(t *testing.T, kind kind) {
	for _, origin := range []string{"", "null"} {
		s := startSite(t, setup{kind: kind})
		b, page := kept(s)
		action, hidden := page.form()
		b.get("/private/").requireEcho("test0001")
		a := b.send(action, urlType, hidden.Encode(), "Sec-Fetch-Mode", "", "Sec-Fetch-Site", "", "Origin", origin)
		assertSent(s, a.requireEcho("test0001"))
	}
}

func TestFormThatIsNotKept(t *testing.T) { eachKind(t, testFormThatIsNotKept) }

func testFormThatIsNotKept(t *testing.T, kind kind) {
	big := "x=" + strings.Repeat("y", 64<<10-2)
	off := func(c *config) { c.KeepForms = -1 }
	small := func(c *config) { c.KeepForms = 10 }
	for _, tt := range []struct {
		name    string
		config  func(c *config)
		prepare func(b *browser)
		send    func(b *browser) answer
		says    string
	}{
		{name: "multipart", says: "files cannot be kept", send: func(b *browser) answer {
			return b.send(formPath, "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n")
		}},
		{name: "text", says: "files cannot be kept", send: func(b *browser) answer { return b.send(formPath, "text/plain", "a=b") }},
		{name: "no type", says: "files cannot be kept", send: func(b *browser) answer { return b.send(formPath, "", "a=b") }},
		{name: "too big", says: "it is too long", send: func(b *browser) answer { return b.send(formPath, urlType, big+"y") }},
		{name: "too big for the site", config: small, says: "it is too long", send: func(b *browser) answer {
			return b.send(formPath, urlType, "a=123456789")
		}},
		{name: "long address", says: "its address is too long", send: func(b *browser) answer {
			return b.send("/private/?x="+strings.Repeat("y", 4<<10), urlType, formBody)
		}},
		{name: "cross-site", says: "it did not come from a page of this site", send: func(b *browser) answer {
			return b.send(formPath, urlType, formBody, "Sec-Fetch-Site", "cross-site")
		}},
		{name: "typed by nobody", says: "it did not come from a page of this site", send: func(b *browser) answer {
			return b.send(formPath, urlType, formBody, "Sec-Fetch-Site", "none")
		}},
		{name: "of another origin, says an old browser", says: "it did not come from a page of this site", send: func(b *browser) answer {
			return b.send(formPath, urlType, formBody, "Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Accept", "text/html", "Origin", "http://localhost")
		}},
		{name: "of unknown origin", says: "it did not come from a page of this site", send: func(b *browser) answer {
			return b.send(formPath, urlType, formBody, "Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Accept", "text/html", "Origin", "null")
		}},
		{name: "of nobody", says: "it is not known who you were logged in as", prepare: func(b *browser) { b.dropCookies("session") },
			send: func(b *browser) answer { return b.send(formPath, urlType, formBody) }},
		{name: "where forms are not kept", config: off, says: "this site does not keep forms", send: func(b *browser) answer {
			return b.send(formPath, urlType, formBody)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, config: tt.config})
			b := s.loggedIn("test0001")
			s.advance(3 * time.Hour)
			if tt.prepare != nil {
				tt.prepare(b)
			}
			a := tt.send(b).requirePage(http.StatusUnauthorized, "login-again")
			assert.Contains(t, a.Body, "It was not stored: "+tt.says)
			require.Len(t, a.links(), 1)
			action, _ := a.form()
			assert.Empty(t, action)
			if tt.name != "long address" {
				b.get(a.links()[0]).requireEcho("test0001")
			}
		})
	}
	t.Run("just small enough", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.loggedIn("test0001")
		s.advance(3 * time.Hour)
		page := b.send(formPath, urlType+"; charset=UTF-8", big).requirePage(http.StatusUnauthorized, "form-kept")
		b.get("/private/").requireEcho("test0001")
		e := b.continues(page).requireEcho("test0001")
		assert.Equal(t, big, e.Body)
		assert.Equal(t, urlType+"; charset=UTF-8", e.Type)
	})
	t.Run("of a script", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.loggedIn("test0001")
		s.advance(3 * time.Hour)
		a := b.send(formPath, urlType, formBody, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin")
		assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
		assert.Empty(t, a.kind())
	})
	t.Run("of a person who may not come in", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0010")
		b.get("/private/").requirePage(http.StatusForbidden, "forbidden")
		b.send(formPath, urlType, formBody).requirePage(http.StatusForbidden, "forbidden")
	})
}

// The mark means nothing where forms are not kept.
func TestKeptFormWhereItIsOff(t *testing.T) { eachKind(t, testKeptFormWhereItIsOff) }

func testKeptFormWhereItIsOff(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.KeepForms = -1 }})
	b := s.loggedIn("test0001")
	for _, path := range []string{formPath, formPath + "&wls-kept=1"} {
		e := b.send(path, urlType, formBody).requireEcho("test0001")
		assert.Equal(t, path, e.RequestURI)
		assert.Equal(t, formBody, e.Body)
	}
	b.get(formPath + "&wls-kept=1").requireEcho("test0001")
}
