package glue_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// decisionPolicies are routes below /decide/, by name.
var decisionPolicies = map[string]func(p *glue.Policy){
	"default":   func(*glue.Policy) {},
	"principal": func(p *glue.Policy) { p.Principals = []string{"test0002"} },
	"ptag":      func(p *glue.Policy) { p.Ptags = []string{"fellow"} },
	"allow": func(p *glue.Policy) {
		p.Allow = func(r *http.Request, _ glue.Identity) bool { return r.FormValue("ok") != "" }
	},
	"interact": func(p *glue.Policy) { p.IAct = webauth.IActYes },
	"authtype": func(p *glue.Policy) { p.AAuth = []string{"card"} },
	"fresh":    func(p *glue.Policy) { p.Fresh = time.Minute },
	"wrong":    func(p *glue.Policy) { p.Principals = []string{} },
}

// decisionSite decides about each request twice: by Evaluate, whose decision goes into
// decided, and by Require.
func decisionSite(t *testing.T, kind kind, decided *glue.Decision) *testSite {
	return startSite(t, setup{kind: kind,
		config: func(c *config) { c.Session.MaxLife, c.Session.Inactivity = 2*time.Hour, time.Hour },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			for name, edit := range decisionPolicies {
				auth := auth.With(edit)
				mux.HandleFunc("/decide/"+name, func(w http.ResponseWriter, r *http.Request) {
					var err error
					*decided, err = auth.Evaluate(r)
					assert.NoError(t, err)
					auth.Require(echo).ServeHTTP(w, r)
				})
				mux.HandleFunc("/refuse/"+name, func(w http.ResponseWriter, r *http.Request) {
					if d, err := auth.Evaluate(r); assert.NoError(t, err) && !d.Allowed {
						d.Refuse(w)
					}
				})
			}
		},
	})
}

func TestEvaluateDecidesAsRequireDoes(t *testing.T) { eachKind(t, testEvaluateDecidesAsRequireDoes) }

func testEvaluateDecidesAsRequireDoes(t *testing.T, kind kind) {
	var d glue.Decision
	seen := map[glue.Denial]int{}
	s := decisionSite(t, kind, &d)
	for _, session := range []struct {
		name  string
		begin func() *browser
	}{
		{"none", func() *browser { return s.browser("test0001") }},
		{"by a password", func() *browser { return s.loggedIn("test0001") }},
		{"by single sign-on", func() *browser {
			b := s.browser("test0001")
			b.once(s.respond(b.begin("/private/"), "test0001", webauthtest.SignedOn))
			return b
		}},
		{"of somebody else", func() *browser { return s.loggedIn("test0002") }},
		{"by a password, 5 minutes ago", func() *browser { b := s.loggedIn("test0001"); s.advance(5 * time.Minute); return b }},
		{"idle", func() *browser { b := s.loggedIn("test0001"); s.advance(61 * time.Minute); return b }},
		{"expired", func() *browser { b := s.loggedIn("test0001"); s.advance(121 * time.Minute); return b }},
		{"without the browser's secret", func() *browser { b := s.loggedIn("test0001"); b.dropCookies("login"); return b }},
	} {
		b := session.begin()
		for name := range decisionPolicies {
			for method, ask := range map[string]func(target string) answer{
				"GET": b.fetch, "GET ok": func(target string) answer { return b.fetch(target + "?ok=1") },
				"POST": func(target string) answer {
					return b.do(http.MethodPost, target, strings.NewReader("ok=1"), func(r *http.Request) {
						formType(r)
						r.Header.Set("Sec-Fetch-Mode", "cors")
						r.Header.Set("Accept", "application/json")
					})
				},
				"PUT": func(target string) answer {
					return b.do(http.MethodPut, target, nil, func(r *http.Request) {
						r.Header.Set("Sec-Fetch-Mode", "cors")
						r.Header.Set("Accept", "application/json")
					})
				},
			} {
				t.Run(fmt.Sprintf("%s, %s, %s", session.name, name, method), func(t *testing.T) {
					s.in(t)
					a := ask("/decide/" + name)
					seen[d.Denial]++
					assert.Equal(t, a.StatusCode == http.StatusOK, d.Allowed, d.Denial)
					switch a.StatusCode {
					case http.StatusOK:
						e := a.requireEcho(d.Identity.Principal)
						assert.Equal(t, e.Identity.SessionID, d.Identity.SessionID)
						if method == "POST" {
							assert.Equal(t, "ok=1", e.Body, "Evaluate leaves the body")
						}
						assert.Empty(t, d.Denial)
					case http.StatusUnauthorized:
						var body struct{ Reason string }
						require.NoError(t, json.Unmarshal([]byte(a.Body), &body), a.Body)
						assert.EqualValues(t, body.Reason, d.Denial)
						assert.True(t, d.Denial.Login())
						assert.False(t, d.Denial.Forbidden())
					case http.StatusForbidden:
						e := s.lastEvent(glue.EventForbidden)
						assert.EqualValues(t, e.Reason, d.Denial)
						assert.Equal(t, e.Principal, d.Identity.Principal)
						assert.True(t, d.Denial.Forbidden())
						assert.False(t, d.Denial.Login())
					default:
						assert.Equal(t, http.StatusInternalServerError, a.StatusCode)
						assert.Equal(t, glue.DeniedPolicy, d.Denial)
						assert.False(t, d.Denial.Login() || d.Denial.Forbidden())
					}
					if method == "GET" {
						assert.Equal(t, a.StatusCode, b.fetch("/refuse/"+name).StatusCode)
					}
					if d.Denial == glue.DeniedExpired || d.Denial == glue.DeniedIdle {
						assert.Zero(t, d.Identity, "the session has ended")
					}
				})
			}
		}
	}
	for _, denial := range []glue.Denial{
		"", glue.DeniedSession, glue.DeniedExpired, glue.DeniedIdle, glue.DeniedInteract, glue.DeniedAuthType, glue.DeniedFresh,
		glue.DeniedPrincipal, glue.DeniedPtag, glue.DeniedAllow, glue.DeniedPolicy,
	} {
		assert.Positive(t, seen[denial], "no row shows %q", denial)
	}
}

func TestEvaluateOfAForeignHost(t *testing.T) { eachKind(t, testEvaluateOfAForeignHost) }

func testEvaluateOfAForeignHost(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	r := httptest.NewRequest(http.MethodGet, "http://elsewhere.example/", nil)
	d, err := s.auth.Evaluate(r)
	require.NoError(t, err)
	assert.Equal(t, glue.DeniedHost, d.Denial)
	assert.False(t, d.Allowed || d.Denial.Login() || d.Denial.Forbidden())
}

// Evaluate leaves a response alone; after Spend, or Refuse, nobody can use it.
func TestEvaluateAndSpendAResponse(t *testing.T) { eachKind(t, testEvaluateAndSpendAResponse) }

func testEvaluateAndSpendAResponse(t *testing.T, kind kind) {
	for _, how := range []string{"neither", "Spend", "Refuse"} {
		t.Run(how, func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/"), "test0001")
			for range 2 {
				r := httptest.NewRequest(http.MethodGet, back, nil)
				d, err := s.auth.Evaluate(r)
				require.NoError(t, err)
				assert.Equal(t, glue.DeniedResponse, d.Denial)
				assert.False(t, d.Allowed)
				assert.Zero(t, d.Identity)
				switch how {
				case "Spend":
					require.NoError(t, s.auth.Spend(r))
				case "Refuse":
					w := httptest.NewRecorder()
					d.Refuse(w)
					assert.Equal(t, http.StatusUnauthorized, w.Code)
				}
			}
			if how != "neither" {
				b.once(back).requirePage(http.StatusForbidden, "refused")
				return
			}
			b.get(back).requireEcho("test0001")
		})
	}
}

// A response changes nothing about a host that is not the site's, and a policy that is
// wrong, but for being spent.
func TestDecisionRefusesAsRequireDoes(t *testing.T) { eachKind(t, testDecisionRefusesAsRequireDoes) }

func testDecisionRefusesAsRequireDoes(t *testing.T, kind kind) {
	for _, row := range []struct {
		name, host string
		edit       func(p *glue.Policy)
		status     int
		page       string
	}{
		{"a foreign host", "elsewhere.example", func(*glue.Policy) {}, http.StatusMisdirectedRequest, "misdirected"},
		{"a wrong policy", "", decisionPolicies["wrong"], http.StatusInternalServerError, "misconfigured"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/"), "test0001")
			r := httptest.NewRequest(http.MethodGet, back, nil)
			if row.host != "" {
				r.Host = row.host
			}
			auth := s.auth.With(row.edit)
			d, err := auth.Evaluate(r)
			require.NoError(t, err)
			assert.Equal(t, glue.DeniedResponse, d.Denial)
			refused, required := httptest.NewRecorder(), httptest.NewRecorder()
			d.Refuse(refused)
			assert.Equal(t, row.status, refused.Code)
			assert.Contains(t, refused.Body.String(), `data-page="`+row.page+`"`)
			b.once(back).requirePage(http.StatusForbidden, "refused")
			auth.Require(echo).ServeHTTP(required, r)
			assert.Equal(t, required.Code, refused.Code)
		})
	}
}

func TestTheZeroDecisionLetsNobodyIn(t *testing.T) {
	var d glue.Decision
	assert.False(t, d.Allowed)
	w := httptest.NewRecorder()
	d.Mark(w)
	assert.Equal(t, http.Header{"Vary": {"Cookie"}}, w.Header())
	w = httptest.NewRecorder()
	d.Refuse(w)
	assert.Equal(t, http.StatusForbidden, w.Code)
}

// Mark says what Require says beside an answer.
func TestDecisionMark(t *testing.T) { eachKind(t, testDecisionMark) }

func testDecisionMark(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind,
		config: func(c *config) { c.Session.Inactivity = time.Hour },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			mux.HandleFunc("/evaluated", func(w http.ResponseWriter, r *http.Request) {
				d, err := auth.Evaluate(r)
				assert.NoError(t, err)
				d.Mark(w)
				echo.ServeHTTP(w, r.WithContext(glue.WithIdentity(r.Context(), d.Identity)))
			})
		},
	})
	b := s.loggedIn("test0001")
	s.advance(10 * time.Minute)
	evaluated := b.get("/evaluated")
	evaluated.requireEcho("test0001")
	assert.Equal(t, "private, no-cache", evaluated.Header.Get("Cache-Control"))
	assert.Equal(t, []string{"Cookie"}, evaluated.Header["Vary"])
	assert.Len(t, evaluated.Cookies(), 1, "the last use is noted")

	s.advance(59 * time.Minute)
	assert.Equal(t, http.StatusOK, b.fetch("/private/").StatusCode)
}
