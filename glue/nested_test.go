package glue_test

import (
	"fmt"
	"net/http"
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

// layer is a handler around another one, and what it asks of a session.
type layer struct {
	name     string
	edit     func(p *glue.Policy)
	optional bool
	wants    func(id glue.Identity) bool // nil where it lets everybody pass
}

func hasType(id glue.Identity, types ...string) bool {
	return slices.ContainsFunc(append([]string{id.Auth}, id.SSO...), func(s string) bool { return s != "" && slices.Contains(types, s) })
}

var layers = []layer{
	{name: "require", wants: func(id glue.Identity) bool { return hasType(id, "pwd") }},
	{name: "yes", edit: func(p *glue.Policy) { p.IAct = webauth.IActYes }, wants: func(id glue.Identity) bool { return id.Auth == "pwd" }},
	{name: "no", edit: func(p *glue.Policy) { p.IAct = webauth.IActNo }, wants: func(id glue.Identity) bool { return id.Auth == "" && hasType(id, "pwd") }},
	{name: "fresh", edit: func(p *glue.Policy) { p.Fresh = 5 * time.Minute }, wants: func(id glue.Identity) bool { return id.Auth == "pwd" }},
	{name: "card", edit: func(p *glue.Policy) { p.AAuth = []string{"card"} }, wants: func(id glue.Identity) bool { return hasType(id, "card") }},
	{name: "either", edit: func(p *glue.Policy) { p.AAuth = []string{"card", "pwd"} }, wants: func(id glue.Identity) bool { return hasType(id, "pwd", "card") }},
	{name: "staff", edit: func(p *glue.Policy) { p.Principals = []string{"spqr1"} }, wants: func(glue.Identity) bool { return false }},
	{name: "optional", optional: true},
	{name: "silent", optional: true, edit: func(p *glue.Policy) { p.Silent = true }},
	{name: "optional-no", optional: true, edit: func(p *glue.Policy) { p.IAct = webauth.IActNo }},
}

func layerOf(name string) layer {
	return layers[slices.IndexFunc(layers, func(l layer) bool { return l.name == name })]
}

// nest puts the layers around echo, the first outermost.
func nest(auth *glue.Auth, names ...string) http.Handler {
	var h http.Handler = echo
	for _, name := range slices.Backward(names) {
		l, a := layerOf(name), auth
		if l.edit != nil {
			a = auth.With(l.edit)
		}
		if l.optional {
			h = a.Optional(h)
		} else {
			h = a.Require(h)
		}
	}
	return h
}

// service is what a login service does, whatever it is asked, and whom it can vouch for.
type service struct {
	name    string
	outcome webauthtest.Outcome
	doing   func(iact webauth.Interact) webauthtest.Person
	vouches []glue.Identity
}

var (
	typedPwd  = glue.Identity{Auth: "pwd"}
	signedPwd = glue.Identity{SSO: []string{"pwd"}}
)

var services = []service{
	{name: "signs on, or asks if it must", vouches: []glue.Identity{typedPwd, signedPwd}, doing: func(iact webauth.Interact) webauthtest.Person {
		if iact == webauth.IActYes {
			return webauthtest.Types
		}
		return webauthtest.SignedOn
	}},
	{name: "asks for the password, or says 540", vouches: []glue.Identity{typedPwd},
		doing: func(webauth.Interact) webauthtest.Person { return webauthtest.Types }},
	{name: "is cancelled", doing: func(webauth.Interact) webauthtest.Person { return webauthtest.Cancels }},
	{name: "signs on whatever iact says", outcome: proof("", []string{"pwd"}), vouches: []glue.Identity{signedPwd}},
	{name: "says that a password was typed whatever iact says", outcome: proof("pwd", nil), vouches: []glue.Identity{typedPwd}},
	{name: "signs on by password and card", outcome: proof("", []string{"pwd", "card"}), vouches: []glue.Identity{{SSO: []string{"pwd", "card"}}}},
	{name: "has the card shown", outcome: proof("card", nil), vouches: []glue.Identity{{Auth: "card"}}},
}

// states are what a browser has of the site before.
var states = []struct {
	name  string
	doing webauthtest.Person
	has   []glue.Identity
}{
	{name: "anonymous"},
	{"signed on", webauthtest.SignedOn, []glue.Identity{signedPwd}},
	{"password typed", webauthtest.Types, []glue.Identity{typedPwd}},
}

// nestings are the combinations that are tried; "login" first means that the person comes
// through Login.
func nestings() (all [][]string) {
	for _, outer := range []string{"login", "optional", "silent", "require", "yes", "no"} {
		for _, inner := range []string{"yes", "no", "fresh", "card", "staff"} {
			all = append(all, []string{outer, inner})
		}
	}
	for _, outer := range []string{"silent", "require"} {
		for _, middle := range []string{"no", "card"} {
			for _, inner := range []string{"fresh", "either"} {
				all = append(all, []string{outer, middle, inner})
			}
		}
	}
	return append(all, []string{"silent", "silent"}, []string{"optional", "silent"}, []string{"silent", "require", "silent", "fresh"})
}

func pathOf(names []string) string { return "/nested/" + strings.Join(names, "/") }

func nestedSite(t *testing.T, kind kind) *testSite {
	return startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		for _, names := range nestings() {
			mux.Handle(pathOf(names), nest(auth, slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "login" })...))
		}
	}})
}

// chase follows redirects as a browser does, the login service answering at once, and
// counts those that the site sends.
func (b *browser) chase(names []string, svc service) (a answer, redirects int) {
	s := b.site
	target := s.url + pathOf(names)
	if names[0] == "login" {
		target = s.url + "/login?next=" + pathOf(names)
	}
	s.fake.Always(svc.outcome)
	for redirects = 0; redirects < 30; redirects++ {
		if a = b.once(target); a.StatusCode != http.StatusSeeOther {
			return a, redirects
		}
		target = a.location()
		if strings.HasPrefix(target, s.fake.page()) {
			doing, iact := webauthtest.Types, s.fake.iact(s.t, target)
			if svc.doing != nil {
				doing = svc.doing(iact)
			} else if iact == webauth.IActNo {
				doing = webauthtest.SignedOn
			}
			target = s.respond(target, "test0001", doing)
		}
	}
	return a, redirects
}

const mostRedirects = 10

// TestNestedHandlersEnd tries every nesting with every service and every state: it ends
// within a handful of redirects, served if there is a session that all layers accept and
// that the service would vouch for, else at the page that says why not.
func TestNestedHandlersEnd(t *testing.T) { eachKind(t, testNestedHandlersEnd) }

func testNestedHandlersEnd(t *testing.T, kind kind) {
	for _, names := range nestings() {
		s := nestedSite(t, kind)
		for _, svc := range services {
			for _, state := range states {
				t.Run(strings.Join(names, "-")+"/"+svc.name+"/"+state.name, func(t *testing.T) {
					s.in(t)
					b := s.browser("test0001")
					s.fake.Always(webauthtest.Outcome{})
					if state.has != nil {
						b.get(s.respond(b.begin("/private/"), "test0001", state.doing)).requireEcho("test0001")
					}
					a, n := b.chase(names, svc)
					require.LessOrEqual(t, n, mostRedirects, "ends at status %d", a.StatusCode)
					requireRightEnd(t, a, names, append(slices.Clone(svc.vouches), state.has...))
				})
			}
		}
	}
}

func requireRightEnd(t *testing.T, a answer, names []string, possible []glue.Identity) {
	t.Helper()
	staff, each := slices.Contains(names, "staff"), true
	wants, begun := []layer{}, true
	for _, name := range names {
		if name == "login" { // wants a session once, not for every request
			begun = slices.ContainsFunc(possible, layerOf("require").wants)
			each = begun
		} else if l := layerOf(name); l.wants != nil {
			wants = append(wants, l)
			each = each && slices.ContainsFunc(possible, l.wants)
		}
	}
	accepted := func(id glue.Identity) bool {
		return !slices.ContainsFunc(wants, func(l layer) bool { return !l.wants(id) })
	}
	together := begun && (len(wants) == 0 || slices.ContainsFunc(possible, accepted))
	switch {
	case together:
		require.Equal(t, echoType, a.Header.Get("Content-Type"), "page %q", a.kind())
		if len(wants) > 0 {
			e := a.requireEcho("test0001")
			assert.True(t, accepted(e.Identity), "%+v", e.Identity)
		}
	case staff:
		assert.Contains(t, []string{"forbidden", "cancelled", "strength", "declined"}, a.kind())
	case each:
		assert.Contains(t, []string{"loop", "cancelled", "strength", "declined"}, a.kind(), "policies that contradict each other")
	default:
		assert.Contains(t, []string{"cancelled", "strength", "declined"}, a.kind())
	}
}

// A browser that does not keep one of our cookies comes to an end as well.
func TestNestedHandlersEndWithoutACookie(t *testing.T) {
	eachKind(t, testNestedHandlersEndWithoutACookie)
}

func testNestedHandlersEndWithoutACookie(t *testing.T, kind kind) {
	for _, lost := range []string{"wls-loop", "wls-session", "wls-tried", "wls-login", "wls-failed"} {
		s := nestedSite(t, kind)
		for _, names := range nestings() {
			for _, svc := range services[:2] {
				t.Run(lost+"/"+strings.Join(names, "-")+"/"+svc.name, func(t *testing.T) {
					s.in(t)
					a, n := s.browser("test0001").forgetting(lost).chase(names, svc)
					require.LessOrEqual(t, n, mostRedirects)
					assert.True(t, a.kind() != "" || a.Header.Get("Content-Type") == echoType)
				})
			}
		}
	}
}

// An old session, and no loop cookie: the first login that is new is counted all the same.
func TestNestedHandlersEndWithAnOldSessionAndNoLoopCookie(t *testing.T) {
	eachKind(t, testNestedHandlersEndWithAnOldSessionAndNoLoopCookie)
}

func testNestedHandlersEndWithAnOldSessionAndNoLoopCookie(t *testing.T, kind kind) {
	s := nestedSite(t, kind)
	b := s.browser("test0001").forgetting("wls-loop")
	b.get(s.respond(b.begin("/private/"), "test0001", webauthtest.SignedOn)).requireEcho("test0001")
	s.advance(10 * time.Minute)
	a, n := b.chase([]string{"yes", "no"}, services[0])
	a.requirePage(http.StatusForbidden, "loop")
	assert.LessOrEqual(t, n, mostRedirects)
}

// Tabs that are all opened at once, each of which needs two logins, are no loop.
func TestNestedHandlersInManyTabs(t *testing.T) { eachKind(t, testNestedHandlersInManyTabs) }

func testNestedHandlersInManyTabs(t *testing.T, kind kind) {
	s := nestedSite(t, kind)
	b := s.browser("test0001")
	path := pathOf([]string{"require", "yes"})
	var first, second []string
	for range 8 {
		first = append(first, b.begin(path))
	}
	for _, location := range first {
		a := b.once(s.respond(location, "test0001", webauthtest.SignedOn))
		require.Equal(t, http.StatusSeeOther, a.StatusCode, "page %q", a.kind())
	}
	for range 8 {
		second = append(second, b.begin(path))
	}
	for _, location := range second {
		b.get(s.respond(location, "test0001")).requireEcho("test0001")
	}
	assert.NotContains(t, s.eventNames(), glue.EventLoop)
}

// The outermost handler spends a response, whatever becomes of it: the inner one may never
// run.
func TestNestedResponseIsSpent(t *testing.T) { eachKind(t, testNestedResponseIsSpent) }

func testNestedResponseIsSpent(t *testing.T, kind kind) {
	for _, outer := range []string{"optional", "silent", "optional-no", "require", "yes", "no", "card", "staff"} {
		t.Run(outer, func(t *testing.T) {
			var wrapped http.Handler
			s := startSite(t, setup{kind: kind,
				routes: func(mux *http.ServeMux, auth *glue.Auth) { wrapped = nest(auth, outer) },
				wrap: func(h http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Header.Get("X-Outer") != "" {
							wrapped.ServeHTTP(w, r)
							return
						}
						h.ServeHTTP(w, r)
					})
				},
			})
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/page"), "test0001")
			other := s.browser("test0001")
			other.do(http.MethodGet, back, nil, func(r *http.Request) { r.Header.Set("X-Outer", "1") }) // in another browser
			b.get(back).requirePage(http.StatusForbidden, "refused")
			assert.EqualValues(t, webauth.ReasonReplay, s.lastEvent(glue.EventRefused).Reason)
		})
	}
}

// A handler whose policy is wrong lets nobody in, and leaves no response that could be
// used elsewhere.
func TestMisconfiguredHandlerSpendsTheResponse(t *testing.T) {
	eachKind(t, testMisconfiguredHandlerSpendsTheResponse)
}

func testMisconfiguredHandlerSpendsTheResponse(t *testing.T, kind kind) {
	var wrong http.Handler
	s := startSite(t, setup{kind: kind, routes: func(_ *http.ServeMux, auth *glue.Auth) {
		wrong = auth.With(func(p *glue.Policy) { p.Principals = []string{} }).Require(echo)
	}, wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Wrong") != "" {
				wrong.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}})
	b := s.browser("test0001")
	back := s.respond(b.begin("/private/page"), "test0001")
	b.do(http.MethodGet, back, nil, func(r *http.Request) { r.Header.Set("X-Wrong", "1") }).requirePage(http.StatusInternalServerError, "misconfigured")
	b.get(back).requirePage(http.StatusForbidden, "refused")
}

// A response is judged by what its token asked for: which route sees it changes nothing.
func TestWhichSessionStays(t *testing.T) { eachKind(t, testWhichSessionStays) }

func testWhichSessionStays(t *testing.T, kind kind) {
	sso := func(types ...string) webauthtest.Outcome { return proof("", types) }
	for _, tt := range []struct {
		name   string
		first  webauthtest.Outcome // the session that is there
		second webauthtest.Outcome // the login in another tab
		asked  string              // layer that asked for it
		stays  bool
	}{
		{"a password, then single sign-on", proof("pwd", nil), sso("pwd"), "require", true},
		{"the same single sign-on", sso("pwd"), sso("pwd"), "require", true},
		{"a password with more before it, then some of it", proof("pwd", []string{"card"}), sso("card", "pwd"), "require", true},
		{"single sign-on, then a password", sso("pwd"), proof("pwd", nil), "require", false},
		{"a password, then another", proof("pwd", nil), proof("pwd", nil), "require", false},
		{"a type that the session has not", proof("pwd", nil), sso("pwd", "card"), "require", false},
		{"a password, where none was to be typed", proof("pwd", nil), sso("pwd"), "no", false},
		{"single sign-on, where no password was to be typed", sso("pwd"), sso("pwd"), "no", true},
	} {
		for _, outer := range []string{"", "optional", "require", "yes", "no", "card", "staff"} {
			t.Run(tt.name+", seen by "+outer, func(t *testing.T) {
				var auth *glue.Auth
				second := false
				s := startSite(t, setup{kind: kind,
					routes: func(mux *http.ServeMux, a *glue.Auth) {
						auth = a
						mux.Handle("/asks", nest(a, tt.asked))
					},
					wrap: func(h http.Handler) http.Handler {
						return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if kind.answers(r.URL) && outer != "" && second {
								nest(auth, outer).ServeHTTP(w, r)
								return
							}
							h.ServeHTTP(w, r)
						})
					},
				})
				b := s.browser("test0001")
				location := b.begin("/asks")
				s.fake.Always(tt.first)
				first := b.get("/private/").requireEcho("test0001").Identity
				s.fake.Always(tt.second)
				second = true
				doing := person(webauth.Interact(strings.ReplaceAll(tt.asked, "require", "")))
				a := b.once(s.respond(location, "test0001", doing))
				require.Equal(t, http.StatusSeeOther, a.StatusCode, "page %q", a.kind())
				got := b.once("/optional").requireEcho("test0001").Identity
				assert.Equal(t, tt.stays, first.SessionID == got.SessionID, "%+v", got)
			})
		}
	}
}

// What else makes a session not worth keeping.
func TestWhichSessionGoes(t *testing.T) { eachKind(t, testWhichSessionGoes) }

func testWhichSessionGoes(t *testing.T, kind kind) {
	ptags := func(list ...string) webauthtest.Outcome {
		o := proof("", []string{"pwd"})
		return webauthtest.Outcome{Edit: func(r *wls.Response) {
			o.Edit(r)
			r.Ptags = list
		}}
	}
	for _, tt := range []struct {
		name          string
		first, second webauthtest.Outcome
		later         time.Duration
		stays         bool
	}{
		{name: "the same ptags", first: ptags("current", "a"), second: ptags("current", "a"), stays: true},
		{name: "in another order", first: ptags("current", "a"), second: ptags("a", "current"), stays: true},
		{name: "one more", first: ptags("current"), second: ptags("current", "a")},
		{name: "one less", first: ptags("current", "a"), second: ptags("current")},
		{name: "idle", first: ptags("current"), second: ptags("current"), later: 11 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, config: func(c *config) { c.Session.Inactivity = 10 * time.Minute }})
			b := s.browser("test0001")
			location := b.begin("/private/page")
			s.fake.Always(tt.first)
			first := b.get("/private/").requireEcho("test0001").Identity
			s.advance(tt.later)
			s.fake.Always(tt.second)
			second := b.get(s.respond(location, "test0001")).requireEcho("test0001").Identity
			assert.Equal(t, tt.stays, first.SessionID == second.SessionID, fmt.Sprintf("%+v", second))
		})
	}
}

// A login service that answers with what it has answered before comes to an end, although
// each time the outer handler has a session that is good enough for it.
func TestLoopOfRepeatedResponses(t *testing.T) { eachKind(t, testLoopOfRepeatedResponses) }

func testLoopOfRepeatedResponses(t *testing.T, kind kind) {
	s := nestedSite(t, kind)
	b := s.browser("test0001")
	path := pathOf([]string{"require", "yes"})
	old := s.respond(b.begin(path), "test0001", webauthtest.SignedOn)
	require.Equal(t, http.StatusSeeOther, b.once(old).StatusCode)
	target, n := s.url+path, 0
	var a answer
	for ; n < 30; n++ {
		if a = b.once(target); a.StatusCode != http.StatusSeeOther {
			break
		}
		if target = a.location(); strings.HasPrefix(target, s.fake.page()) {
			target = old
		}
	}
	a.requirePage(http.StatusForbidden, "loop")
	assert.LessOrEqual(t, n, mostRedirects)
}

// A superfluous response leads to the page unless the route that sees it would send the
// person straight to log in; that they may not come in is told there.
func TestRepeatedByAnotherHandler(t *testing.T) {
	for _, tt := range []struct {
		outer, page string
	}{
		{"optional", ""}, {"require", ""}, {"either", ""}, {"yes", "refused"}, {"card", "refused"}, {"staff", "forbidden"},
	} {
		t.Run(tt.outer, func(t *testing.T) {
			s := startSite(t, setup{routes: func(mux *http.ServeMux, a *glue.Auth) {
				mux.Handle("/asks", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					outer := "require"
					if r.Header.Get("X-Outer") != "" {
						outer = tt.outer
					}
					nest(a, outer).ServeHTTP(w, r)
				}))
			}})
			b := s.browser("test0001")
			back := s.respond(b.begin("/asks"), "test0001", webauthtest.SignedOn)
			b.get(back).requireEcho("test0001")
			a := b.do(http.MethodGet, back, nil, func(r *http.Request) { r.Header.Set("X-Outer", "1") })
			if tt.page == "" {
				a.requireEcho("test0001")
				return
			}
			a.requirePage(http.StatusForbidden, tt.page)
		})
	}
}
