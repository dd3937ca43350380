package glue_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

func TestLoginGoesThereAndBack(t *testing.T) {
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", tls), func(t *testing.T) {
			s := startSite(t, setup{tls: tls})
			b := s.browser("test0001")

			there := b.once("/private/page?n=1")
			require.Equal(t, http.StatusSeeOther, there.StatusCode)
			assert.Empty(t, there.Body)
			q := fields(t, there.location())
			assert.Equal(t, s.url+"/private/page?n=1", q.Get("url"))
			assert.Equal(t, "3", q.Get("ver"))
			assert.NotEmpty(t, q.Get("params"))
			assert.Empty(t, q.Get("iact")+q.Get("aauth")+q.Get("fail"))

			a := b.get("/private/page?n=1")
			e := a.requireEcho("test0001")
			assert.Equal(t, s.url+"/private/page?n=1", a.Request.URL.String(), "a clean address bar")
			assert.Equal(t, "/private/page?n=1", e.RequestURI)
			assert.Equal(t, glue.Identity{
				Principal: "test0001", Ptags: []string{"current"}, Auth: "pwd", Issue: testNow, Accepted: testNow, Password: testNow,
				Expires: testNow.Add(2 * 3600e9), Service: "fake", SessionID: e.Identity.SessionID, ResponseID: e.Identity.ResponseID,
			}, e.Identity)
			assert.Len(t, e.Identity.SessionID, 22)

			before := s.served.Load()
			b.get("/private/other").requireEcho("test0001")
			assert.Equal(t, before+1, s.served.Load(), "no more logins")
			assert.Equal(t, []string{glue.EventLogin}, s.eventNames())
		})
	}
}

// A session keeps what the WLS's log calls the response, and when it was accepted.
func TestLoginIsFoundInTheLog(t *testing.T) {
	for _, quirk := range []webauthtest.Quirk{"", webauthtest.QuirkShortID, webauthtest.QuirkOldID} {
		t.Run(string(quirk), func(t *testing.T) {
			s := startSite(t, setup{})
			if quirk != "" {
				s.fake.SetQuirks(quirk)
			}
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/"), "test0001")
			_, query, _ := strings.Cut(back, "?")
			value, found, err := webauth.ResponseFrom(query)
			require.NoError(t, err)
			require.True(t, found)
			resp, err := webauth.ParseResponse(value)
			require.NoError(t, err)
			require.NotEmpty(t, resp.ID())

			s.advance(3 * time.Second)
			id := b.get(back).requireEcho("test0001").Identity
			assert.Equal(t, resp.ID(), id.ResponseID)
			assert.Equal(t, testNow, id.Issue)
			assert.Equal(t, testNow.Add(3*time.Second), id.Accepted)
			s.advance(time.Hour)
			assert.Equal(t, id, b.get("/private/").requireEcho("test0001").Identity)
		})
	}
}

func TestLoginKeepsTheQuery(t *testing.T) { eachKind(t, testLoginKeepsTheQuery) }

func testLoginKeepsTheQuery(t *testing.T, kind kind) {
	const query = "a=&b=%41+b%20c&%61=x&&c&d=1;2&n=%2F&tail="
	for _, tt := range []struct {
		name   string
		quirks []webauthtest.Quirk
	}{
		{"untouched", nil},
		{"rewritten by the WLS", []webauthtest.Quirk{webauthtest.QuirkRewriteQuery}},
		{"rewritten, with plus for a blank", []webauthtest.Quirk{webauthtest.QuirkRewriteQuery, webauthtest.QuirkPlus}},
		{"the response in front", []webauthtest.Quirk{webauthtest.QuirkResponseFirst}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			s.fake.SetQuirks(tt.quirks...)
			e := s.browser("test0001").get("/private/p%2fq/%41?" + query).requireEcho("test0001")
			assert.Equal(t, "/private/p%2fq/%41?"+query, e.RequestURI)
		})
	}
}

func TestLoginCancelledInVersion1(t *testing.T) {
	s := startSite(t, setup{})
	s.fake.Always(webauthtest.Outcome{Status: 410, Quirks: []webauthtest.Quirk{webauthtest.QuirkV1Cancel}})
	b := s.browser("test0001")
	a := b.get("/private/page?n=1").requirePage(http.StatusOK, "cancelled")
	assert.Equal(t, "/private/page", a.Request.URL.Path)
	assert.Nil(t, b.cookie("session"))
	e := s.lastEvent(glue.EventRefused)
	assert.EqualValues(t, "status", e.Reason)

	s.fake.Always(webauthtest.Outcome{})
	require.NotEmpty(t, a.links())
	b.get(a.links()[0]).requireEcho("test0001")
}

func TestLoginFailuresArePages(t *testing.T) { eachKind(t, testLoginFailuresArePages) }

func testLoginFailuresArePages(t *testing.T, kind kind) {
	for _, tt := range []struct {
		outcome webauthtest.Outcome
		status  int
		kind    string
		reason  string
	}{
		{webauthtest.Outcome{Status: 410}, 200, "cancelled", "status"},
		{webauthtest.Outcome{Status: 510}, 403, "declined", "status"},
		{webauthtest.Outcome{Status: 520}, 403, "declined", "status"},
		{webauthtest.Outcome{Status: 530}, 403, "declined", "status"},
		{webauthtest.Outcome{Status: 540}, 403, "declined", "status"},
		{webauthtest.Outcome{Status: 560}, 403, "declined", "status"},
		{webauthtest.Outcome{Status: 570}, 403, "declined", "status"},
		{webauthtest.Outcome{Status: 599}, 403, "declined", "status"},
		{webauthtest.Outcome{Status: 410, Quirks: []webauthtest.Quirk{webauthtest.QuirkUnsignedFailure}}, 200, "cancelled", "status"},
		{webauthtest.Outcome{Fault: webauthtest.FaultCancel}, 200, "cancelled", "status"},
		{webauthtest.Outcome{Fault: webauthtest.FaultWrongKey}, 403, "refused", "signature"},
		{webauthtest.Outcome{Fault: webauthtest.FaultBadSignature}, 403, "refused", "signature"},
		{webauthtest.Outcome{Fault: webauthtest.FaultUnknownKid}, 403, "refused", "unknown-key"},
		{webauthtest.Outcome{Fault: webauthtest.FaultUnsigned}, 403, "refused", "unsigned"},
		{webauthtest.Outcome{Fault: webauthtest.FaultAlteredPrincipal}, 403, "refused", "signature"},
		{webauthtest.Outcome{Fault: webauthtest.FaultStale}, 403, "stale", "stale"},
		{webauthtest.Outcome{Fault: webauthtest.FaultFuture}, 403, "stale", "future"},
		{webauthtest.Outcome{Fault: webauthtest.FaultAlteredURL}, 403, "refused", "url"},
		{webauthtest.Outcome{Fault: webauthtest.FaultVersion1}, 403, "refused", "version"},
		{webauthtest.Outcome{Fault: webauthtest.FaultVersion2}, 403, "refused", "version"},
		{webauthtest.Outcome{Fault: webauthtest.FaultWrongParams}, 403, "refused", "token"},
	} {
		t.Run(fmt.Sprintf("%d%s", tt.outcome.Status, tt.outcome.Fault), func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			s.fake.Always(tt.outcome)
			b := s.browser("test0001")
			a := b.get("/private/page?n=1").requirePage(tt.status, tt.kind)
			assert.EqualValues(t, 2, s.served.Load(), "there and back, never again by itself")
			assert.Nil(t, b.cookie("session"))
			assert.EqualValues(t, tt.reason, s.lastEvent(glue.EventRefused).Reason)
			require.NotEmpty(t, a.links(), "a way to try again")
			s.fake.Always(webauthtest.Outcome{})
			b.get(a.links()[0]).requireEcho("test0001")
		})
	}
}

func TestLoginMalformedResponses(t *testing.T) {
	for _, tt := range []struct{ name, query string }{
		{"empty", "WLS-Response="},
		{"no value", "WLS-Response"},
		{"nonsense", "WLS-Response=nonsense"},
		{"twice", "WLS-Response=a&WLS-Response=b"},
		{"bad escape", "WLS-Response=%zz"},
		{"its name escaped", "WLS%2DResponse=nonsense"},
		{"too long", "WLS-Response=" + strings.Repeat("x", 8<<10+1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{})
			b := s.browser("test0001")
			a := b.get("/private/page?n=1&"+tt.query).requirePage(http.StatusBadRequest, "malformed")
			assert.Equal(t, []string{s.url + "/private/page?n=1", s.url + "/"}, a.links())
			assert.Empty(t, b.cookies())
			b.get(a.links()[0]).requireEcho("test0001")
			b.get("/private/page?"+tt.query).requirePage(http.StatusBadRequest, "malformed")
		})
	}
}

func TestLoginUnderHTTP10(t *testing.T) { eachKind(t, testLoginUnderHTTP10) }

func testLoginUnderHTTP10(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /private/ HTTP/1.0\r\nHost: %s\r\nAccept: text/html\r\n\r\n", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusFound, resp.StatusCode, "HTTP/1.0 does not know 303")
	assert.True(t, strings.HasPrefix(resp.Header.Get("Location"), s.fake.page()))
}

func TestLoginSendsWhatThePolicySays(t *testing.T) {
	s := startSite(t, setup{config: func(c *config) {
		c.Policy = glue.Policy{Desc: "Möwe & Söhne", Msg: "because", AAuth: []string{"pwd", "x-otp"}, IAct: "yes", Fail: true}
	}})
	q := fields(t, s.browser("test0001").begin("/private/"))
	assert.Equal(t, "M&#246;we &#38; S&#246;hne", q.Get("desc"))
	assert.Equal(t, "because", q.Get("msg"))
	assert.Equal(t, "pwd,x-otp", q.Get("aauth"))
	assert.Equal(t, "yes", q.Get("iact"))
	assert.Equal(t, "yes", q.Get("fail"))
	assert.Equal(t, testNow.Format("20060102T150405Z"), q.Get("date"))
}

func TestLoginForAnAddressThatIsTooLong(t *testing.T) {
	eachKind(t, testLoginForAnAddressThatIsTooLong)
}

func testLoginForAnAddressThatIsTooLong(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	b.get("/private/?"+strings.Repeat("x", 10<<10)).requirePage(http.StatusBadRequest, "address")
	assert.Empty(t, b.cookies())
}

func TestLoginHandler(t *testing.T) { eachKind(t, testLoginHandler) }

func testLoginHandler(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	t.Run("goes on to next", func(t *testing.T) {
		s.in(t)
		a := s.browser("test0001").get("/login?next=" + url.QueryEscape("/private/x?y=1&z=%20"))
		a.requireEcho("test0001")
		assert.Equal(t, s.url+"/private/x?y=1&z=%20", a.Request.URL.String())
	})
	t.Run("or to the front page", func(t *testing.T) {
		s.in(t)
		a := s.browser("test0001").get("/login")
		a.requireEcho("")
		assert.Equal(t, s.url+"/", a.Request.URL.String())
	})
	t.Run("at once for somebody who is logged in", func(t *testing.T) {
		s.in(t)
		b := s.loggedIn("test0001")
		a := b.once("/login?next=/private/x")
		assert.Equal(t, s.url+"/private/x", a.location())
	})
	t.Run("not for a script", func(t *testing.T) {
		s.in(t)
		a := s.browser("test0001").fetch("/login?next=/private/x")
		assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
	})
	t.Run("not for somebody who may not come in", func(t *testing.T) {
		s.in(t)
		a := s.browser("test0010").get("/login?next=/private/x").requirePage(http.StatusForbidden, "forbidden")
		assert.Equal(t, "/login", a.Request.URL.Path, "before the page that it leads to says so")
		assert.Equal(t, []string{s.url + "/", s.url + "/logout"}, a.links())
	})
}

func TestLoginHandlerKeepsPeopleHere(t *testing.T) { eachKind(t, testLoginHandlerKeepsPeopleHere) }

func testLoginHandlerKeepsPeopleHere(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	for _, next := range []string{
		"https://evil.example/", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example",
		"http:evil.example", "javascript:alert(1)", "private", " /private", "/private\x00", "/pri\r\nvate", "/é", "/x#y", "/%zz",
		"@evil.example", ".evil.example", ":80/", "/" + strings.Repeat("x", 1024),
	} {
		a := s.browser("test0001").once("/login?next=" + url.QueryEscape(next))
		a.requirePage(http.StatusBadRequest, "next")
		assert.Equal(t, []string{s.url + "/"}, a.links())
	}
	for _, query := range []string{"next=/a&next=/b", "next=%zz", "next=/a;b"} {
		s.browser("test0001").once("/login?"+query).requirePage(http.StatusBadRequest, "next")
	}
	for _, next := range []string{"/", "/a//evil.example", "/@evil.example", "/..//evil.example", "/.evil.example:80/?a=//b"} {
		a := s.loggedIn("test0001").once("/login?next=" + url.QueryEscape(next))
		assert.Equal(t, s.url+next, a.Header.Get("Location"), "an absolute URL of this origin")
	}
}
