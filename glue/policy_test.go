package glue_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// with mounts echo at a path under a policy.
func with(mux *http.ServeMux, auth *glue.Auth, path string, edit func(p *glue.Policy)) {
	mux.Handle(path, auth.With(edit).Require(echo))
}

// proof makes the fake vouch for test0001 by these types, whatever was asked.
func proof(auth string, sso []string) webauthtest.Outcome {
	return webauthtest.Outcome{Edit: func(r *wls.Response) {
		life := 36000
		r.Ver, r.Status, r.Msg, r.Principal, r.Ptags, r.Life = 3, 200, "", "test0001", []string{"current"}, &life
		r.Auth, r.SSO = auth, sso
	}}
}

// person does whatever makes the fake answer a request of that strength at all.
func person(iact webauth.Interact) webauthtest.Person {
	if iact == webauth.IActNo {
		return webauthtest.SignedOn
	}
	return webauthtest.Types
}

type strengthRow struct {
	About  string
	IAct   webauth.Interact
	AAuth  []string
	Auth   string
	SSO    []string
	Reason webauth.Reason
}

func strengthRows(t *testing.T) []strengthRow {
	t.Helper()
	text, err := os.ReadFile("../testdata/strength.json")
	require.NoError(t, err)
	var file struct{ Rows []strengthRow }
	require.NoError(t, json.Unmarshal(text, &file))
	// With refuses a policy with an empty list or an unknown iact before anybody logs in.
	rows := slices.DeleteFunc(file.Rows, func(r strengthRow) bool {
		return r.AAuth != nil && len(r.AAuth) == 0 || r.IAct != "" && r.IAct != "yes" && r.IAct != "no"
	})
	require.Greater(t, len(rows), 60)
	return rows
}

// strengthSite has a route for each row, and /lax, where every type will do.
func strengthSite(t *testing.T, kind kind, rows []strengthRow) *testSite {
	return startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		for i, row := range rows {
			with(mux, auth, fmt.Sprintf("/row/%d", i), func(p *glue.Policy) { p.IAct, p.AAuth = row.IAct, row.AAuth })
		}
		with(mux, auth, "/lax", func(p *glue.Policy) { p.AAuth = []string{"pwd", "PWD", "pw", "pwd2", "x-otp", "x-new"} })
	}})
}

func TestPolicyStrengthAtLogin(t *testing.T) { eachKind(t, testPolicyStrengthAtLogin) }

func testPolicyStrengthAtLogin(t *testing.T, kind kind) {
	rows := strengthRows(t)
	s := strengthSite(t, kind, rows)
	for i, row := range rows {
		t.Run(row.About, func(t *testing.T) {
			s.in(t)
			b := s.browser("test0001")
			location := b.begin(fmt.Sprintf("/row/%d", i))
			assert.EqualValues(t, row.IAct, s.fake.iact(t, location))
			if kind.name == byWLS.name {
				assert.Equal(t, strings.Join(row.AAuth, ","), fields(t, location).Get("aauth"))
			}
			s.fake.Next(proof(row.Auth, row.SSO))
			a := b.get(s.respond(location, "test0001", person(row.IAct)))
			switch {
			case row.Auth == "" && len(row.SSO) == 0:
				a.requirePage(http.StatusBadRequest, "malformed")
			case row.Reason == "":
				e := a.requireEcho("test0001")
				assert.Equal(t, row.Auth, e.Identity.Auth)
			default:
				a.requirePage(http.StatusForbidden, "strength")
				assert.EqualValues(t, row.Reason, s.lastEvent(glue.EventRefused).Reason)
				assert.Nil(t, b.cookie("session"))
			}
		})
	}
}

func TestPolicyStrengthOnALiveSession(t *testing.T) { eachKind(t, testPolicyStrengthOnALiveSession) }

func testPolicyStrengthOnALiveSession(t *testing.T, kind kind) {
	rows := strengthRows(t)
	s := strengthSite(t, kind, rows)
	tried := 0
	for i, row := range rows {
		if row.Auth == "" && len(row.SSO) == 0 {
			continue // no session can be like that
		}
		tried++
		t.Run(row.About, func(t *testing.T) {
			s.in(t)
			b := s.browser("test0001")
			location := b.begin("/lax")
			s.fake.Next(proof(row.Auth, row.SSO))
			b.get(s.respond(location, "test0001")).requireEcho("test0001")

			path := fmt.Sprintf("/row/%d", i)
			if row.Reason == "" {
				b.get(path).requireEcho("test0001")
				b.fetch(path).requireEcho("test0001")
				return
			}
			q := fields(t, b.begin(path))
			assert.EqualValues(t, row.IAct, q.Get("iact"))
			assert.Equal(t, strings.Join(row.AAuth, ","), q.Get("aauth"))
			a := b.fetch(path)
			assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
			assert.JSONEq(t, fmt.Sprintf(`{"error":"login_required","reason":%q}`, row.Reason), a.Body)
			b.get("/lax").requireEcho("test0001")
		})
	}
	assert.Greater(t, tried, 50)
}

func TestPolicyFresh(t *testing.T) { eachKind(t, testPolicyFresh) }

func testPolicyFresh(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/fresh", func(p *glue.Policy) { p.Fresh = 5 * time.Minute })
	}})
	b := s.browser("test0001")
	first := b.get("/private/").requireEcho("test0001").Identity
	assert.Equal(t, testNow, first.Password)

	s.advance(5 * time.Minute)
	b.get("/fresh").requireEcho("test0001")
	s.advance(time.Second)
	assert.EqualValues(t, "yes", s.fake.iact(t, b.begin("/fresh")))
	assert.Equal(t, http.StatusUnauthorized, b.fetch("/fresh").StatusCode)
	b.get("/private/").requireEcho("test0001")

	second := b.get("/fresh").requireEcho("test0001").Identity
	assert.Equal(t, testNow.Add(5*time.Minute+time.Second), second.Password)
	assert.NotEqual(t, first.SessionID, second.SessionID)
	b.get("/fresh").requireEcho("test0001")
}

func TestPolicyNotSessionWantsAPasswordTypedInAnotherSession(t *testing.T) {
	eachKind(t, testPolicyNotSessionWantsAPasswordTypedInAnotherSession)
}

func testPolicyNotSessionWantsAPasswordTypedInAnotherSession(t *testing.T, kind kind) {
	var before string
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.HandleFunc("/anew", func(w http.ResponseWriter, r *http.Request) {
			auth.With(func(p *glue.Policy) { p.NotSession = before }).Require(echo).ServeHTTP(w, r)
		})
	}})
	b := s.browser("test0001")
	before = b.get("/private/").requireEcho("test0001").Identity.SessionID
	assert.EqualValues(t, "yes", s.fake.iact(t, b.begin("/anew")), "in this very second")
	b.get("/private/").requireEcho("test0001")
	b.get(s.respond(b.begin("/anew"), "test0001")).requireEcho("test0001")
	b.get("/anew").requireEcho("test0001")

	silent := s.browser("test0001")
	id := silent.get(s.respond(silent.begin("/private/"), "test0001", webauthtest.SignedOn)).requireEcho("test0001").Identity
	assert.NotEqual(t, before, id.SessionID)
	assert.EqualValues(t, "yes", s.fake.iact(t, silent.begin("/anew")), "no password was typed")
}

func TestPolicyFreshCountsFromWhenWeAccepted(t *testing.T) {
	s := startSite(t, setup{routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/fresh", func(p *glue.Policy) { p.Fresh = time.Minute })
	}})
	b := s.browser("test0001")
	back := s.respond(b.begin("/fresh"), "test0001")
	s.advance(30 * time.Second) // on its way
	id := b.get(back).requireEcho("test0001").Identity
	assert.Equal(t, testNow, id.Issue)
	assert.Equal(t, testNow.Add(30*time.Second), id.Password)
	s.advance(time.Minute)
	b.get("/fresh").requireEcho("test0001")
	s.advance(time.Second)
	b.begin("/fresh")
}

func TestPolicyFreshIsNotSatisfiedBySingleSignOn(t *testing.T) {
	eachKind(t, testPolicyFreshIsNotSatisfiedBySingleSignOn)
}

func testPolicyFreshIsNotSatisfiedBySingleSignOn(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/fresh", func(p *glue.Policy) { p.Fresh = time.Hour })
		with(mux, auth, "/typed", func(p *glue.Policy) { p.IAct = webauth.IActYes })
	}})
	b := s.browser("test0001")
	id := b.get(s.respond(b.begin("/private/"), "test0001", webauthtest.SignedOn)).requireEcho("test0001").Identity
	assert.Zero(t, id.Password)
	assert.Equal(t, []string{"pwd"}, id.SSO)
	for _, path := range []string{"/fresh", "/typed"} {
		assert.EqualValues(t, "yes", s.fake.iact(t, b.begin(path)), path)
	}
}

func TestPolicyIActYesIsAboutTheSessionsBeginning(t *testing.T) {
	eachKind(t, testPolicyIActYesIsAboutTheSessionsBeginning)
}

func testPolicyIActYesIsAboutTheSessionsBeginning(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/typed", func(p *glue.Policy) { p.IAct = webauth.IActYes })
		with(mux, auth, "/silent", func(p *glue.Policy) { p.IAct = webauth.IActNo })
	}})
	b := s.loggedIn("test0001")
	s.advance(time.Hour + 59*time.Minute)
	b.get("/typed").requireEcho("test0001")
	assert.EqualValues(t, "no", s.fake.iact(t, b.begin("/silent")))
}

func TestPolicyWho(t *testing.T) { eachKind(t, testPolicyWho) }

func testPolicyWho(t *testing.T, kind kind) {
	var asked []string
	odd := func(r *http.Request, id glue.Identity) bool {
		asked = append(asked, r.URL.Path+" "+id.Principal)
		return id.Principal != "test0003"
	}
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/people", func(p *glue.Policy) { p.Principals = []string{"spqr1", "test0002", "test0003"} })
		with(mux, auth, "/ptags", func(p *glue.Policy) { p.Ptags = []string{"fellow", "emeritus"} })
		with(mux, auth, "/anyone", func(p *glue.Policy) { p.Ptags, p.AnyPtags = nil, true })
		with(mux, auth, "/allow", func(p *glue.Policy) { p.Allow = odd })
		with(mux, auth, "/group", func(p *glue.Policy) { p.Allow, p.AllowDenial = odd, glue.DeniedGroup })
		with(mux, auth, "/all", func(p *glue.Policy) {
			p.Principals, p.Ptags, p.Allow = []string{"test0002", "test0003", "test0004"}, []string{"fellow"}, odd
		})
	}})
	s.fake.AddUser(webauthtest.User{ID: "test0002", Password: "test", Ptags: []string{"staff", "fellow"}})
	s.fake.AddUser(webauthtest.User{ID: "test0003", Password: "test", Ptags: []string{"current", "fellow"}})
	const (
		in      = ""
		names   = "particular people"
		current = "current students and staff, and"
		tags    = "certain groups of people, and"
		fellow  = tags
		rules   = "own rules"
	)
	for _, tt := range []struct {
		path, user, refused string
		reason              webauth.Reason
	}{
		{"/private/", "test0001", in, ""},
		{"/private/", "test0002", current, "ptag"},
		{"/private/", "test0010", current, "ptag"},
		{"/people", "test0003", in, ""},
		{"/people", "test0001", names, "principal"},
		{"/people", "test0002", current, "ptag"}, // the default stays
		{"/ptags", "test0002", in, ""},
		{"/ptags", "test0001", tags, "ptag"},
		{"/anyone", "test0001", in, ""},
		{"/anyone", "test0010", in, ""},
		{"/allow", "test0001", in, ""},
		{"/allow", "test0003", rules, "allow"},
		{"/group", "test0001", in, ""},
		{"/group", "test0003", "members of certain groups", "group"},
		{"/all", "test0002", in, ""},
		{"/all", "test0003", rules, "allow"},
		{"/all", "test0004", fellow, "ptag"},
		{"/all", "test0001", names, "principal"},
	} {
		t.Run(tt.path+" "+tt.user, func(t *testing.T) {
			s.in(t)
			b := s.browser(tt.user)
			a := b.get(tt.path)
			if tt.refused == in {
				a.requireEcho(tt.user)
				return
			}
			a.requirePage(http.StatusForbidden, "forbidden")
			assert.Contains(t, a.Body, tt.refused)
			assert.Contains(t, a.Body, "<strong>"+tt.user+"</strong>")
			assert.NotContains(t, a.Body, "spqr1", "other people's names")
			assert.Equal(t, []string{s.url + "/", s.url + "/logout"}, a.links())
			assert.EqualValues(t, tt.reason, s.lastEvent(glue.EventForbidden).Reason)
			assert.Equal(t, tt.user, s.lastEvent(glue.EventForbidden).Principal)
			b.once(tt.path).requirePage(http.StatusForbidden, "forbidden") // no new login
			assert.Equal(t, http.StatusForbidden, b.fetch(tt.path).StatusCode)
			b.get("/anyone").requireEcho(tt.user)
		})
	}
	assert.Contains(t, asked, "/allow test0001")
	assert.NotContains(t, asked, "/all test0004", "asked last")
}

func TestPolicyWhereTheServiceHasNoPtags(t *testing.T) {
	fake := newFake(t)
	fake.SetQuirks(webauthtest.QuirkNoPtags)
	require.True(t, fake.Service().NoPtags)
	s := startSite(t, setup{fake: fake})
	assert.Empty(t, s.browser("test0010").get("/private/").requireEcho("test0010").Identity.Ptags)

	wrong := s.auth.With(func(p *glue.Policy) { p.Ptags = []string{"current"} })
	assert.ErrorContains(t, wrong.Err(), `service "fake" sets no ptags, nobody would get in`)
}

func TestPolicyUnknownPtagsAreIgnored(t *testing.T) {
	s := startSite(t, setup{})
	s.fake.AddUser(webauthtest.User{ID: "abc1", Password: "x", Ptags: []string{"x-new", "current", "y"}})
	assert.Equal(t, []string{"x-new", "current", "y"}, s.browser("abc1").get("/private/").requireEcho("abc1").Identity.Ptags)
	s.fake.AddUser(webauthtest.User{ID: "abc2", Password: "x", Ptags: []string{"current2", "curren", "current.x"}})
	s.browser("abc2").get("/private/").requirePage(http.StatusForbidden, "forbidden")
}

// TestPolicyPtagsInAnyCase: mod_ucam_webauth compares so, on both sides.
func TestPolicyPtagsInAnyCase(t *testing.T) {
	s := startSite(t, setup{routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/fellows", func(p *glue.Policy) { p.Ptags = []string{"FELLOW"} })
	}})
	s.fake.AddUser(webauthtest.User{ID: "abc1", Password: "x", Ptags: []string{"Current", "Fellow"}})
	id := s.browser("abc1").get("/private/").requireEcho("abc1").Identity
	assert.Equal(t, []string{"Current", "Fellow"}, id.Ptags, "as they came")
	s.browser("abc1").get("/fellows").requireEcho("abc1")
	for ptag, want := range map[string]bool{"current": true, "CURRENT": true, "fellow": true, "fell": false, "": false, "current,Fellow": false} {
		assert.Equal(t, want, id.HasPtag(ptag), ptag)
	}
}

// TestPolicyNamesInOtherLetters: they let nobody in, and the log says so, when the policy is
// made where the service is known, and when the person comes.
func TestPolicyNamesInOtherLetters(t *testing.T) { eachKind(t, testPolicyNamesInOtherLetters) }

func testPolicyNamesInOtherLetters(t *testing.T, kind kind) {
	lists := map[string][]string{
		"/capitals": {"TEST0001"}, "/blank": {"x", " test0001"}, "/domain": {"Test0001@cam.ac.uk"}, "/other": {"test0002", "test00011", "@test0001"},
	}
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		for path, list := range lists {
			with(mux, auth, path, func(p *glue.Policy) { p.Principals = list })
		}
	}})
	for path, want := range map[string]string{
		"/capitals": `the list has "TEST0001", and the service writes "test0001": names are compared letter by letter`,
		"/blank":    `the list has " test0001", and the service writes "test0001"`,
		"/domain":   `the list has "Test0001@cam.ac.uk", and the service writes "test0001"`,
		"/other":    "",
	} {
		a := s.browser("test0001").get(path)
		a.requirePage(http.StatusForbidden, "forbidden")
		e := s.lastEvent(glue.EventForbidden)
		if want == "" {
			assert.NoError(t, e.Err)
			continue
		}
		require.ErrorContains(t, e.Err, want)
		assert.NotContains(t, a.Body, "letter by letter", "for operators")
	}
}

func TestPolicyOptionalShowsNobodyWhoFailsIt(t *testing.T) {
	eachKind(t, testPolicyOptionalShowsNobodyWhoFailsIt)
}

func testPolicyOptionalShowsNobodyWhoFailsIt(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		for path, edit := range map[string]func(p *glue.Policy){
			"/some":  func(p *glue.Policy) { p.Principals = []string{"test0002"} },
			"/fresh": func(p *glue.Policy) { p.Fresh = time.Minute },
			"/otp":   func(p *glue.Policy) { p.AAuth = []string{"x-otp"} },
		} {
			mux.Handle("/optional"+path, auth.With(edit).Optional(echo))
		}
		mux.Handle("/both", auth.With(func(p *glue.Policy) { p.Ptags, p.AnyPtags = nil, true }).Require(auth.Optional(echo)))
		with(mux, auth, "/anyone", func(p *glue.Policy) { p.Ptags, p.AnyPtags = nil, true })
	}})
	b := s.loggedIn("test0001")
	b.get("/optional").requireEcho("test0001")
	b.get("/optional/some").requireEcho("")
	b.get("/optional/otp").requireEcho("")
	b.get("/optional/fresh").requireEcho("test0001")
	s.advance(time.Minute + time.Second)
	b.get("/optional/fresh").requireEcho("")

	former := s.browser("test0010")
	former.get("/anyone").requireEcho("test0010")
	former.get("/optional").requireEcho("")
	former.get("/both").requireEcho("") // the inner one decides what its handler sees
	s.browser("test0001").get("/optional").requireEcho("")
}

func TestPolicyThatContradictsItself(t *testing.T) {
	s := startSite(t, setup{})
	for _, tt := range []struct {
		name  string
		edit  func(p *glue.Policy)
		wants string
	}{
		{"no principals", func(p *glue.Policy) { p.Principals = []string{} }, "Principals: an empty list lets nobody in; leave it nil for the default"},
		{"no ptags", func(p *glue.Policy) { p.Ptags = []string{} }, "Ptags: an empty list lets nobody in"},
		{"no aauth", func(p *glue.Policy) { p.AAuth = []string{} }, "AAuth: an empty list lets nobody in"},
		{"empty principal", func(p *glue.Policy) { p.Principals = []string{"test0001", ""} }, "Principals holds an empty entry"},
		{"empty ptag", func(p *glue.Policy) { p.Ptags = []string{""} }, "Ptags holds an empty entry"},
		{"ptags and any", func(p *glue.Policy) { p.Ptags, p.AnyPtags = []string{"current"}, true }, "AnyPtags contradicts Ptags"},
		{"a denial of nothing", func(p *glue.Policy) { p.AllowDenial = glue.DeniedGroup }, "AllowDenial is \"group\", want"},
		{"another denial", func(p *glue.Policy) {
			p.Allow, p.AllowDenial = func(*http.Request, glue.Identity) bool { return false }, glue.DeniedSession
		}, "AllowDenial is \"session\", want DeniedGroup or DeniedAllow"},
		{"short fresh", func(p *glue.Policy) { p.Fresh = 59 * time.Second }, "Fresh is 59 seconds, want at least 1 minute, or 0 for none"},
		{"negative fresh", func(p *glue.Policy) { p.Fresh = -time.Hour }, "Fresh is minus 1 hour"},
		{"another session without interaction", func(p *glue.Policy) { p.NotSession, p.IAct = "s", webauth.IActNo }, `NotSession contradicts IAct "no"`},
		{"fresh without interaction", func(p *glue.Policy) { p.Fresh, p.IAct = time.Hour, webauth.IActNo }, `Fresh contradicts IAct "no"`},
		{"unknown iact", func(p *glue.Policy) { p.IAct = "maybe" }, `IAct: "maybe" is none of`},
		{"odd aauth", func(p *glue.Policy) { p.AAuth = []string{"a,b"} }, `AAuth: "a,b"`},
		{"control character", func(p *glue.Policy) { p.Desc = "a\nb" }, "Desc: control character"},
		{"long msg", func(p *glue.Policy) { p.Msg = strings.Repeat("x", 3000) }, "shorten Msg"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			auth := s.auth.With(tt.edit)
			require.ErrorContains(t, auth.Err(), tt.wants)
			assert.ErrorContains(t, auth.Err(), "glue: With: Policy.")
			assert.Contains(t, s.log.String(), "wls policy of a route is wrong")

			cfg := s.config("https://soc.example")
			tt.edit(&cfg.Policy)
			_, err := newAuth(cfg)
			require.ErrorContains(t, err, tt.wants)
			assert.ErrorContains(t, err, "Config.Policy.")

			again := auth.With(func(p *glue.Policy) { *p = glue.Policy{} })
			assert.Equal(t, auth.Err(), again.Err(), "no way back from a mistake")
		})
	}
}

func TestPolicyThatContradictsItselfLetsNobodyIn(t *testing.T) {
	eachKind(t, testPolicyThatContradictsItselfLetsNobodyIn)
}

func testPolicyThatContradictsItselfLetsNobodyIn(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		wrong := auth.With(func(p *glue.Policy) { p.Principals = []string{} })
		mux.Handle("/wrong/require", wrong.Require(echo))
		mux.Handle("/wrong/optional", wrong.Optional(echo))
		mux.HandleFunc("/wrong/login", wrong.Login)
		mux.HandleFunc("/wrong/logout", wrong.Logout)
	}})
	assert.NoError(t, s.auth.Err())
	for _, b := range []*browser{s.browser("test0001"), s.loggedIn("test0001")} {
		for _, path := range []string{"require", "optional", "login", "logout"} {
			b.get("/wrong/"+path).requirePage(http.StatusInternalServerError, "misconfigured")
			assert.Equal(t, http.StatusInternalServerError, b.fetch("/wrong/"+path).StatusCode)
		}
	}
}

func TestPolicyBelongsToItsRoute(t *testing.T) {
	people, kept := []string{"test0001"}, &glue.Policy{}
	s := startSite(t, setup{config: func(c *config) { c.Policy.Principals = people },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			people[0] = "test0002" // the caller's list is not ours
			with(mux, auth, "/two", func(p *glue.Policy) {
				assert.Equal(t, []string{"test0001"}, p.Principals)
				assert.Nil(t, p.Ptags, "as it was given, without defaults")
				p.Principals[0] = "test0002"
				kept = p
			})
			kept.Principals[0] = "test0003"
			kept.AnyPtags = true
		},
	})
	s.browser("test0001").get("/private/").requireEcho("test0001")
	s.browser("test0001").get("/two").requirePage(http.StatusForbidden, "forbidden")
	s.browser("test0002").get("/two").requireEcho("test0002")
}
