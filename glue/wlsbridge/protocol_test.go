package wlsbridge_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

func TestLogsInAndAnswers(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	r := p.success(p.visit(asks()), "")
	assert.Equal(t, "test0001", r.Principal())
	assert.Equal(t, []string{"current"}, r.Ptags())
	assert.Equal(t, "pwd", r.Auth(), "typed for this request")
	assert.Equal(t, "p-1", r.Params())
	life, ok := r.Life()
	assert.True(t, ok)
	assert.Equal(t, 2*time.Hour, life)

	w.fake.Advance(10 * time.Minute)
	r = p.success(p.visit(asks()), "")
	assert.Empty(t, r.Auth())
	assert.Equal(t, []string{"pwd"}, r.SSO())
	life, _ = r.Life()
	assert.Equal(t, 110*time.Minute, life, "what is left of the session here")
	assert.Equal(t, 1, w.typed())

	r = p.success(p.visit(asks(no)), webauth.IActNo)
	assert.Equal(t, "test0001", r.Principal())

	r = p.success(p.visit(asks(yes)), webauth.IActYes)
	assert.Equal(t, "pwd", r.Auth())
	assert.Equal(t, 2, w.typed())
}

// TestStatuses: every status, as the site gets it, and as the person sees it with fail=yes.
func TestStatuses(t *testing.T) {
	rows := []struct {
		name     string
		edit     func(r *wls.Request)
		loggedIn string // who is, before
		config   func(c *wlsbridge.Config)
		login    func(c *glue.Config)
		status   int
		version  int
		page     int // the HTTP status of the page with fail=yes
	}{
		{"410 cancelled", nil, "test0001", func(c *wlsbridge.Config) { c.Confirm = wlsbridge.ConfirmEachSite }, nil, 410, 3, 200},
		{"510 none that the site may be told", func(r *wls.Request) { r.AAuth = []string{"x-none"} }, "", nil, nil, 510, 3, 403},
		{"510 in version 2", func(r *wls.Request) { r.Ver, r.AAuth = 2, []string{"x-none", "x-other"} }, "", nil, nil, 510, 2, 403},
		{"510 logged in by a type that has no name", nil, "test0001", func(c *wlsbridge.Config) { c.AAuth = map[string]string{"pwd": "x-pin", "": "pwd"} }, nil, 510, 3, 403},
		{"510 a type that nobody has", func(r *wls.Request) { r.AAuth = []string{"x-card"} }, "", func(c *wlsbridge.Config) {
			c.AAuth, c.Sites[0].AAuth = map[string]string{"pwd": "pwd"}, []string{"pwd", "x-card"}
		}, nil, 510, 3, 403},
		{"520", func(r *wls.Request) { r.Ver = 4 }, "", nil, nil, 520, 1, 400},
		{"520 above all", func(r *wls.Request) { r.Ver, r.IAct, r.AAuth = 10, "maybe", []string{"x-none"} }, "", nil, nil, 520, 1, 400},
		{"530", func(r *wls.Request) { r.IAct = "maybe" }, "", nil, nil, 530, 3, 400},
		{"530 in version 1", func(r *wls.Request) { r.Ver, r.Params = 1, "a\nb" }, "", nil, nil, 530, 1, 400},
		{"540 nobody is logged in", no, "", nil, nil, 540, 3, 403},
		{"540 somebody would be asked about the site", no, "test0001", func(c *wlsbridge.Config) { c.Confirm = wlsbridge.ConfirmEachSite }, nil, 540, 3, 403},
		{"540 who may not log in here", no, "test0002", nil, func(c *glue.Config) { c.Policy = glue.Policy{Principals: []string{"test0001"}} }, 540, 3, 403},
		{"570 no member for an old site", func(r *wls.Request) { r.Ver = 2 }, "test0010", nil, nil, 570, 2, 403},
		{"570 no member for an older site", func(r *wls.Request) { r.Ver = 1 }, "test0010", nil, nil, 570, 1, 403},
	}
	for _, row := range rows {
		for _, fail := range []bool{false, true} {
			t.Run(row.name+map[bool]string{true: ", shown here"}[fail], func(t *testing.T) {
				w := start(t, setup{config: row.config, login: row.login})
				p := w.person(row.loggedIn)
				if row.loggedIn != "" {
					p.open(w.url + "/login?next=/auth/pubkey700")
				}
				q := asks(func(r *wls.Request) { r.Fail = fail })
				if row.edit != nil {
					row.edit(&q)
				}
				a := p.visit(q)
				if row.status == 410 {
					a = p.press(a, "cancel")
				}
				if fail {
					assert.Empty(t, a.Header.Get("Location"))
					assert.Equal(t, "bridge-failed", a.kind())
					assert.Equal(t, row.page, a.StatusCode)
					return
				}
				r, location := p.response(a)
				assert.Equal(t, row.status, r.Status())
				assert.Equal(t, row.version, r.Version())
				assert.Equal(t, socURL, r.URL())
				assert.NotEmpty(t, r.Msg())
				assert.Equal(t, row.version != 1, strings.HasPrefix(location, socURL+"&"), "version 1 drops the query: %s", location)
				fields := p.fields(a)
				if q.Params == "p-1" {
					assert.Equal(t, "p-1", fields[len(fields)-1], "params come back")
				}
			})
		}
	}
}

// TestEachVersionHasItsForm: a response is never of a higher version than the request.
func TestEachVersionHasItsForm(t *testing.T) {
	w := start(t, setup{})
	for ver, fields := range map[int]string{
		1: "1!200!!ISSUE!ID!" + socURL + "!test0001!pwd!!7200!p-1",
		2: "2!200!!ISSUE!ID!" + socURL + "!test0001!pwd!!7200!p-1",
		3: "3!200!!ISSUE!ID!" + socURL + "!test0001!current!pwd!!7200!p-1",
	} {
		p := w.person("test0001")
		a := p.visit(asks(func(r *wls.Request) { r.Ver = ver }))
		p.success(a, "")
		got := p.fields(a)
		assert.Equal(t, "20260301T120000Z", got[3])
		assert.Regexp(t, `^[A-Z2-7]{24}$`, got[4])
		got[3], got[4] = "ISSUE", "ID"
		assert.Equal(t, fields, strings.Join(got, "!"))
	}
}

func TestNoTwoResponsesAreAlike(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	ids := map[string]bool{}
	for range 5 {
		ids[p.success(p.visit(asks()), "").ID()] = true
	}
	for range 5 {
		r, _ := p.response(p.visit(asks(func(r *wls.Request) { r.Ver = 9 })))
		ids[r.ID()] = true
	}
	assert.Len(t, ids, 10)
}

// proof makes the fake vouch for spqr1 by these types, whatever was asked.
func proof(auth string, sso []string) webauthtest.Outcome {
	return webauthtest.Outcome{Edit: func(r *wls.Response) {
		life := 36000
		r.Status, r.Msg, r.Principal, r.Life = 200, "", "spqr1", &life
		r.Auth, r.SSO = auth, sso
	}}
}

func TestWhatASiteIsTold(t *testing.T) {
	user := webauthtest.User{ID: "spqr1", Password: "test", Ptags: []string{"Current", "x-staff", "x-secret"}}
	rows := []struct {
		name      string
		ptags     map[string]string
		aauth     map[string]string
		site      wlsbridge.Site
		fake      webauthtest.Outcome
		edit      func(r *wls.Request)
		wantPtags []string
		wantAuth  string
		wantSSO   []string
		refused   int
	}{
		{name: "nothing by default", wantAuth: "pwd"},
		{name: "what it may be told", site: wlsbridge.Site{Ptags: []string{"x-staff", "x-none", "current"}}, wantPtags: []string{"x-staff", "current"}, wantAuth: "pwd"},
		{
			name: "by the names that they have here", ptags: map[string]string{"x-STAFF": "current", "x-none": "x-rich"},
			site: wlsbridge.Site{Ptags: []string{"current", "x-rich", "x-secret"}}, wantPtags: []string{"current"}, wantAuth: "pwd",
		},
		{
			name: "no status that nobody gave a name", ptags: map[string]string{"x-none": "current"},
			site: wlsbridge.Site{Ptags: []string{"current"}}, wantAuth: "pwd",
		},
		{
			name: "nor by a name of the protocol", ptags: map[string]string{"x-staff": "x-staff"},
			site: wlsbridge.Site{Ptags: []string{"current"}}, wantAuth: "pwd",
		},
		{name: "no status in version 2", edit: func(r *wls.Request) { r.Ver = 2 }, site: wlsbridge.Site{Ptags: []string{"x-staff"}}, wantAuth: "pwd"},
		{name: "version 2 without the status", ptags: map[string]string{"x-staff": "x-staff"}, edit: func(r *wls.Request) { r.Ver = 2 }, refused: 570},
		{
			name: "version 2 by a name that is given here", ptags: map[string]string{"x-staff": "current"},
			edit: func(r *wls.Request) { r.Ver = 2 }, wantAuth: "pwd",
		},
		{
			name: "version 1 where that is allowed", ptags: map[string]string{"x-staff": "x-staff"},
			site: wlsbridge.Site{InsecureImplyCurrent: true}, edit: func(r *wls.Request) { r.Ver = 1 }, wantAuth: "pwd",
		},
		{
			name: "a type by its name here", aauth: map[string]string{"x-mfa": "pwd"}, wantAuth: "pwd",
			fake: proof("x-mfa", nil),
		},
		{name: "any other type", aauth: map[string]string{"": "pwd"}, fake: proof("x-mfa", nil), wantAuth: "pwd"},
		{name: "two types of one name", aauth: map[string]string{"": "pwd"}, fake: proof("x-mfa", []string{"pwd"}), wantAuth: "pwd"},
		{
			name: "a password that was typed, and not of a type that is accepted", aauth: map[string]string{"": "pwd", "x-mfa": "x-card"}, edit: yes,
			fake: proof("x-mfa", []string{"pwd"}), refused: 510,
		},
		{
			name: "types it may not be told", site: wlsbridge.Site{AAuth: []string{"x-card"}}, edit: func(r *wls.Request) { r.AAuth = nil },
			fake: proof("x-card", []string{"pwd"}), wantAuth: "x-card",
		},
		{
			name: "types beside it", site: wlsbridge.Site{AAuth: []string{"x-card", "pwd"}},
			fake: proof("x-card", []string{"pwd", "x-other"}), wantAuth: "x-card", wantSSO: []string{"pwd"},
		},
		{
			name: "types it did not ask for", site: wlsbridge.Site{AAuth: []string{"x-card", "pwd"}}, edit: func(r *wls.Request) { r.AAuth = []string{"pwd"} },
			fake: proof("x-card", []string{"pwd"}), wantSSO: []string{"pwd"},
		},
		{
			name: "single sign-on behind", wantSSO: []string{"pwd"},
			fake: proof("", []string{"pwd"}),
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setup{config: func(c *wlsbridge.Config) {
				row.site.URLPrefix = "https://soc.example/"
				c.Sites, c.Ptags, c.AAuth = []wlsbridge.Site{row.site}, row.ptags, row.aauth
			}, login: func(c *glue.Config) { c.Policy.AAuth = []string{"pwd", "x-mfa", "x-card"} }})
			w.fake.AddUser(user)
			w.fake.Always(row.fake)
			p := w.person("spqr1")
			q := asks()
			if row.edit != nil {
				row.edit(&q)
			}
			a := p.visit(q)
			if row.refused != 0 {
				r, _ := p.response(a)
				assert.Equal(t, row.refused, r.Status())
				return
			}
			r := p.success(a, "")
			assert.Equal(t, row.wantPtags, r.Ptags())
			assert.Equal(t, row.wantAuth, r.Auth())
			assert.Equal(t, row.wantSSO, r.SSO())
		})
	}
}

// TestAsksBehindForWhatTheSiteWants: by iact and aauth, and says who asks.
func TestAsksBehindForWhatTheSiteWants(t *testing.T) {
	w := start(t, setup{config: func(c *wlsbridge.Config) {
		c.Sites = []wlsbridge.Site{{URLPrefix: "https://soc.example/", AAuth: []string{"x-card", "pwd"}}}
		c.AAuth = map[string]string{"x-chip": "x-card", "pwd": "pwd"}
	}, login: func(c *glue.Config) { c.Policy.Desc, c.Policy.Fail = "Our login", true }})
	p := w.person("")
	p.visit(asks(yes, func(r *wls.Request) { r.AAuth = []string{"x-card"}; r.Desc = "<b>ours</b>" }))
	p.visit(asks(no))
	requests := w.fake.Requests()
	require.Len(t, requests, 2)
	assert.Equal(t, "yes", requests[0].Request.IAct)
	assert.Equal(t, []string{"x-chip"}, requests[0].Request.AAuth)
	assert.Equal(t, "Our login: soc.example", requests[0].Request.Desc, "what the site says of itself is not ours to repeat")
	assert.False(t, requests[0].Request.Fail, "people come back here, whatever happens")
	assert.Equal(t, "no", requests[1].Request.IAct)
	assert.Equal(t, []string{"pwd", "x-chip"}, requests[1].Request.AAuth)
}

func TestSilentLoginBehind(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	// Logged in at the service behind, and not here.
	p.success(p.visit(asks()), "")
	p.client.Jar.SetCookies(mustParse(t, w.url), []*http.Cookie{{Name: cookieOf(t, p, "wls-session").Name, MaxAge: -1, Path: "/"}})
	r := p.success(p.visit(asks(no)), webauth.IActNo)
	assert.Equal(t, []string{"pwd"}, r.SSO())
	assert.Equal(t, 1, w.typed())
}

func TestSilentLoginOfABrowserThatIsNew(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	// A login at the service behind, which this browser has not been to from here.
	p.open(w.fake.Service().AuthURL + "?" + wls.Request{Ver: 3, URL: w.url + "/"}.Encode())
	w.fake.Advance(time.Minute)
	r := p.success(p.visit(asks(no)), webauth.IActNo)
	assert.Equal(t, "test0001", r.Principal())
}

func TestClockOfASite(t *testing.T) {
	rows := []struct {
		name string
		date time.Time
		says string // as the log has it; empty for nothing
	}{
		{"right", noon, ""},
		{"not told", time.Time{}, ""},
		{"within the skew", noon.Add(30 * time.Second), ""},
		{"ahead", noon.Add(31 * time.Second), `"site_clock_off":"31 seconds"`},
		{"behind", noon.Add(-time.Hour), `"site_clock_off":"minus 1 hour"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setup{})
			p := w.person("test0001")
			p.success(p.visit(asks(func(r *wls.Request) { r.Date = row.date })), "") // a complaint, no refusal
			line := w.line("bridge answered")
			if row.says == "" {
				assert.NotContains(t, line, "site_clock_off")
			} else {
				assert.Contains(t, line, row.says)
			}
		})
	}
}

func TestLogOfARefusal(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	p.visit(asks(func(r *wls.Request) { r.URL, r.Params = "https://Evil.example:8443/x?secret", "secret-params" }))
	line := w.line("bridge refused")
	assert.Contains(t, line, `"reason":"site"`)
	assert.Contains(t, line, `"site":"https://Evil.example:8443"`)
	assert.NotContains(t, line, "secret")
}

func TestLogOfAnAnswer(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	a := p.visit(asks(func(r *wls.Request) { r.URL, r.Params = "https://soc.example/café", "secret-params" }))
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(w.line("bridge answered")), &line))
	delete(line, "time")
	assert.Equal(t, map[string]any{
		"level": "INFO", "msg": "bridge answered", "event": "answered", "principal": "test0001", "path": "/auth/authenticate.html", "client": "127.0.0.1",
		"site": "https://soc.example/", "status": 200.0, "response": p.fields(a)[4], "version": 3.0, "kid": "700",
		"complaint": "parameter 'url' has characters outside ASCII: the site should percent-encode them",
	}, line)
	assert.NotContains(t, w.log.String(), "secret-params")
}

// TestLifeInTheLastSecond: a life of 0 would be read as none.
func TestLifeInTheLastSecond(t *testing.T) {
	w := start(t, setup{login: func(c *glue.Config) { c.Session.MaxLife = time.Minute }})
	p := w.person("test0001")
	p.visit(asks())
	w.fake.Advance(59*time.Second + 500*time.Millisecond)
	assert.Equal(t, "1", p.fields(p.visit(asks()))[10])
}
