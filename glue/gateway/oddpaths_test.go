package gateway

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// oddRules let odd paths pass, but for those of /plain and /private.
func oddRules() []Rule {
	return []Rule{
		{Path: "/", Access: Public, OddPaths: true},
		{Path: "/plain", Access: Public},
		{Path: "/private", Access: Login},
		{Path: "/api", Access: Login, OddPaths: true},
		{Path: "/api/admin", Access: Login, OddPaths: true, Principals: []string{"test0002"}},
		{Path: "/strip", Access: Public, OddPaths: true, StripPath: true},
		{Path: "/strip/deep", Access: Login},
		{Path: "/café", Access: Public, OddPaths: true},
	}
}

var oddRows = []struct {
	name, target string
	status       int
	arrives      string // empty for as it was sent
}{
	{"RabbitMQ", "/api/queues/%2F/name", 200, ""},
	{"RabbitMQ, in small letters", "/api/queues/%2f/name?columns=a%2Fb;c", 200, ""},
	{"GitLab", "/api/v4/projects/group%2Fproject/issues", 200, ""},
	{"npm", "/@scope%2Fpkg", 200, ""},
	{"Tomcat", "/app/page;jsessionid=0A1B.node-1", 200, ""},
	{"Tomcat, in the middle", "/app;jsessionid=0A1B/page", 200, ""},
	{"a file with a percent sign", "/files/100%2525", 200, ""},
	{"a URL in a path", "/render/https:%2F%2Fimg.example%2Fa.png;w=10", 200, ""},
	{"encoded twice", "/api/files/a%252Fb", 200, ""},
	{"an encoded semicolon", "/api/a%3Bb", 200, ""},
	{"with a plus and a blank", "/api/a+b%20c%2Bd%2F", 200, ""},
	{"with what is encoded for nothing", "/%61pi/%2F%7e", 200, ""},
	{"not ASCII", "/caf%C3%A9/a%2Fb", 200, ""},
	{"not ASCII, raw", "/café/a%2Fb", 200, "/caf%C3%A9/a%2Fb"},
	{"what no URL has", "/api/a|b%2Fc", 200, "/api/a%7Cb%2Fc"},
	{"stripped", "/strip/a%2Fb;c/%2525", 200, "/a%2Fb;c/%2525"},
	{"stripped, with a slash first", "/strip/%2Fa/b", 200, "/%2Fa/b"},
	{"plain ones as ever", "/api//x/../y%41", 200, "/api/yA"},

	{"where no rule lets it", "/plain/a%2Fb", 400, ""},
	{"where a login is asked for and no rule lets it", "/private/a;b", 400, ""},
	{"into a stricter rule", "/api%2Fadmin", 400, ""},
	{"into a stricter rule below", "/api/admin%2Fx", 400, ""},
	{"of a stricter rule", "/api/admin/a%2Fx", 403, ""},
	{"into a rule that is not for them", "/x%2F..%2Fprivate", 400, ""},
	{"into a rule, in one piece", "/%2Fprivate", 400, ""},
	{"into a rule, twice", "/%252Fprivate/x", 400, ""},
	{"into a rule behind a parameter", "/private;x=1/y", 400, ""},
	{"into a rule behind a parameter, encoded", "/private%3Bx/y", 400, ""},
	{"into a rule behind a parameter, twice", "/private%253Bx", 400, ""},
	{"into a rule by an encoded letter", "/%2570rivate/x", 400, ""},
	{"out of a rule", "/api;x", 400, ""},
	{"behind what looks like a host", "/%2Fevil.example/private/x", 400, ""},
	{"behind what looks like a host once it is stripped", "/strip/%2Fevil.example/deep", 400, ""},
	{"behind a parameter that looks like a path", "/x;/private", 200, ""},
	{"an end at a parameter", "/api/admin;/x", 400, ""},
	{"an end at a question mark", "/private%3Fx;y", 400, ""},
	{"an end at a question mark, twice", "/private%253Fx", 400, ""},
	{"a name that Windows trims", "/private.;x", 400, ""},
	{"dots", "/x/../y%2Fz", 400, ""},
	{"a dot", "/x/./y%2Fz", 400, ""},
	{"dots with a parameter", "/x/..;/y", 400, ""},
	{"dots with a parameter in it", "/x/..;a=b/y", 400, ""},
	{"encoded dots", "/x/%2e%2e/y;z", 400, ""},
	{"dots, encoded twice", "/x/%252e%252e/y", 400, ""},
	{"dots, encoded thrice", "/x/%25252e%25252e/y", 400, ""},
	{"dots, between encoded slashes", "/x%2F%2e%2e%2Fy", 400, ""},
	{"dots with a blank", "/x/..%20/y%2Fz", 400, ""},
	{"dots with a plus", "/x/..+/y%2Fz", 400, ""},
	{"three dots", "/x/.../y%2Fz", 400, ""},
	{"slashes in a row", "/x//y%2Fz", 400, ""},
	{"a backslash", "/x%5Cy", 400, ""},
	{"a backslash beside a slash", "/x%5Cy%2Fz", 400, ""},
	{"a backslash, twice", "/x%255Cy", 400, ""},
	{"NUL", "/x%2Fy%00", 400, ""},
	{"NUL, twice", "/x%2500y", 400, ""},
	{"a line break, twice", "/x%250d%250aX:y", 400, ""},
	{"no UTF-8", "/x%2F%ff", 400, ""},
	{"overlong dots", "/x%2F%c0%ae%c0%ae", 400, ""},
	{"overlong dots, twice", "/x%25c0%25ae", 400, ""},
	{"a look-alike", "/x%2F%ef%bc%8f", 400, ""},
	{"%u", "/x%25u002fprivate", 400, ""},
	{"the gateway's own pages", "/.wls%2Flogin", 400, ""},
	{"the gateway's own pages, with a parameter", "/.wls;x/login", 400, ""},
	{"the gateway's own pages, in capitals", "/%2F.WLS/logout", 400, ""},
	{"a front controller", "/index.php%2Fprivate", 400, ""},
	{"a front controller with a parameter", "/index.php;x/private", 400, ""},
	{"a front controller in a query", "/a%2Findex.php?/private", 400, ""},
	{"too many readings", "/x%" + strings.Repeat("25", 80) + "2F", 400, ""},
	{"too long", "/x%2F" + strings.Repeat("y", 5000), 400, ""},
}

// TestOddPaths: odd paths arrive as they were sent where their rule says so and no reading
// leads to another one.
func TestOddPaths(t *testing.T) {
	w := newWorld(t, kit{rules: oddRules()})
	cookie := "Cookie: " + w.loggedIn("test0001").cookieHeader()
	for _, row := range oddRows {
		t.Run(row.name, func(t *testing.T) {
			answer := w.wire(w.request("GET "+row.target+" HTTP/1.1", cookie, "Sec-Fetch-Mode: cors"))
			require.Equal(t, row.status, statusOf(t, answer), answer)
			if row.status != http.StatusOK {
				assert.Empty(t, w.backend.take())
				return
			}
			want := row.arrives
			if want == "" {
				want = row.target
			}
			assert.Equal(t, want, w.backend.one(t).Target)
		})
	}
	t.Run("not without the key", func(t *testing.T) {
		cfg := w.cfg
		cfg.Rules = slices.Clone(cfg.Rules)
		for i := range cfg.Rules {
			cfg.Rules[i].OddPaths = false
		}
		require.NoError(t, w.gateway.Reload(cfg))
		assert.Equal(t, 400, statusOf(t, w.wire(w.request("GET /api/a%2Fb HTTP/1.1", cookie))))
	})
}

// TestOddPathsOverALogin: people come back to the path that they asked for, and a login by
// hand asks for what its rule asks for.
func TestOddPathsOverALogin(t *testing.T) {
	rules := append(oddRules(), Rule{Path: "/strict", Access: Login, OddPaths: true, IAct: "yes"})
	w := newWorld(t, kit{rules: append(rules, everyAccess(t)[2])})
	for _, target := range []string{"/api/queues/%2F/name?q=%2F", "/api/x;jsessionid=1", "/api/100%2525"} {
		w.backend.reset()
		answer := w.visitor("test0001").get(target)
		require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
		got := w.backend.one(t)
		assert.Equal(t, []string{target, "test0001"}, []string{got.Target, got.user()})
		assert.Equal(t, w.url+target, answer.Request.URL.String())
	}
	before := len(w.fake.Requests())
	require.Equal(t, http.StatusOK, w.visitor("test0001").get(serve.LoginPath+"?next="+url.QueryEscape("/strict/a%2Fb")).StatusCode)
	asked := w.fake.Requests()[before:]
	require.NotEmpty(t, asked)
	assert.Equal(t, "yes", string(asked[0].Request.IAct))
}

// TestOddPathsReach: what acts on all below an odd path is judged by all its readings.
func TestOddPathsReach(t *testing.T) {
	w := newWorld(t, kit{rules: append(oddRules(), Rule{Path: "/x/y/inner", Access: Login, Principals: []string{"test0002"}})})
	for target, status := range map[string]int{"/x%2Fy": 403, "/x;a/y": 403, "/x%2Fz": 200} {
		answer := w.wire(w.request("DELETE "+target+" HTTP/1.1", "Cookie: "+w.loggedIn("test0001").cookieHeader(), "Origin: "+w.url))
		assert.Equal(t, status, statusOf(t, answer), target)
	}
}

// TestOddPathsAtFront: a front server that asks hears the same, as it passes on what it got.
func TestOddPathsAtFront(t *testing.T) {
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies, cfg.Rules = true, []netip.Prefix{loopback}, append(oddRules(), everyAccess(t)[2])
		for i := range cfg.Rules {
			cfg.Rules[i].StripPath = false
		}
	}})
	v := w.visitor("test0001")
	v.login(t)
	cookie := "Cookie: " + v.cookieHeader()
	for _, row := range oddRows {
		want := row.status
		if want == http.StatusBadRequest || strings.Contains(row.target, "/..") {
			want = http.StatusForbidden
		}
		answer := w.wire(w.request("GET "+authPath+" HTTP/1.1", cookie, "X-Original-URI: "+row.target, "X-Original-Method: GET"))
		assert.Equal(t, want, statusOf(t, answer), row.name)
	}
	nobody := w.visitor("")
	nobody.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer := nobody.get(orLoginPath, about("GET", "/api/a%2Fb?c"))
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	to, err := url.Parse(answer.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, "/api/a%2Fb?c", to.Query().Get("next"))
}

// programs read paths, each in a way that some do.
var programs = map[string]func(sent string) string{
	"the most obliging": asAnyProgramMight,
	"decode":            decodeLoosely,
	"decode twice":      func(p string) string { return decodeLoosely(decodeLoosely(p)) },
	"cut and decode": func(p string) string {
		return decodeLoosely(eachSegment(p, func(s string) string { s, _, _ = strings.Cut(s, ";"); return s }))
	},
	"decode and cut": func(p string) string {
		return eachSegment(decodeLoosely(p), func(s string) string { s, _, _ = strings.Cut(s, ";"); return s })
	},
	"cut the rest": func(p string) string { p, _, _ = strings.Cut(p, ";"); return decodeLoosely(p) },
	"decode and cut the rest": func(p string) string {
		p, _, _ = strings.Cut(decodeLoosely(p), ";")
		return p
	},
	"decode each segment": func(p string) string {
		return eachSegment(p, func(s string) string { return strings.ReplaceAll(decodeLoosely(s), "/", "\u2044") })
	},
	"decode as a form": func(p string) string { p, _ = url.QueryUnescape(p); return p },
	"decode and parse": func(p string) string {
		u, err := url.Parse(decodeLoosely(p))
		if err != nil {
			return ""
		}
		return u.Path
	},
	"cut, decode and cut again": func(p string) string {
		cut := func(s string) string { s, _, _ = strings.Cut(s, ";"); return s }
		return eachSegment(decodeLoosely(eachSegment(p, cut)), cut)
	},
}

func eachSegment(p string, change func(string) string) string {
	segments := strings.Split(p, "/")
	for i := range segments {
		segments[i] = change(segments[i])
	}
	return strings.Join(segments, "/")
}

// FuzzOddPaths checks that no program reads a path that passes as one of another rule.
func FuzzOddPaths(f *testing.F) {
	for _, row := range oddRows {
		f.Add(row.target)
	}
	for _, trick := range slices.Concat(pathTricks, scriptTricks) {
		f.Add(trick)
	}
	c := oddRulesOnly()
	f.Fuzz(func(t *testing.T, in string) { requireOneReading(t, c, in) })
}

// TestOddPathsAtRandom is FuzzOddPaths for paths that are made of what matters.
func TestOddPathsAtRandom(t *testing.T) {
	c := oddRulesOnly()
	pieces := []string{
		"/", "/", "/", "private", "private", "public", "public", "deep", "deep", "x", "..", ".", ";", ";a=b", "%2F", "%2f", "%252F", "%25252F", "%3B", "%253B", "%25", "%2525",
		"%2e", "%252e", "%70rivate", "%2570rivate", "%20", "%2520", "+", "%2B", "%3F", "%23", "%253F", "index.php", "%5C", "%255c", ":", "evil.example", ".wls", "%00",
	}
	random := rand.New(rand.NewPCG(1, 2))
	passed := 0
	for range 20_000 {
		in := "/"
		for range 1 + random.IntN(9) {
			in += pieces[random.IntN(len(pieces))]
		}
		if requireOneReading(t, c, in) {
			passed++
		}
	}
	t.Logf("%d passed", passed)
	assert.Greater(t, passed, 200)
}

func oddRulesOnly() *core {
	c := rulesOnly("/public/deep", "/private", "/public", "/")
	c.oddPaths = true
	for _, ru := range append(c.rules["h"], c.nothing, c.ambiguous) {
		ru.cfg, ru.scripts = &Rule{OddPaths: true}, paths.UsualScripts
	}
	return c
}

// requireOneReading fails if a program reads a path as one of another rule, and reports
// whether it is odd and passes.
func requireOneReading(t *testing.T, c *core, in string) bool {
	sent, err := c.pathOf("h", in)
	if err != nil || !c.isOdd(sent) {
		return false
	}
	ours := c.ruleFor("h", sent)
	require.NotSame(t, c.ambiguous, ours)
	for name, read := range programs {
		p := read(c.settlePlus("h", sent, ours))
		if p == "" {
			continue
		}
		clean := path.Clean("/" + p)
		require.Equal(t, c.match("h", paths.Escape(clean)).label, ours.label, "%q is %q to those that %s", sent, p, name)
	}
	u := url.URL{Path: decoded(sent), RawPath: sent}
	require.Equal(t, sent, u.EscapedPath(), "package url sends it as it is")
	return true
}

// TestRealBackendsOddPaths: no real server reads an odd path as one of another rule.
func TestRealBackendsOddPaths(t *testing.T) {
	rows := pathRows()
	for _, target := range []string{
		"/private%2Fx", "/public%2Fdeep%2Fx", "/public/x%2F..%2F..%2Fprivate", "/%2Fprivate/x", "/%2F%2Fprivate/x", "/%252Fprivate", "/private;x/y", "/;x/private", "/public;x/deep/y", "/public/deep;x/y",
		"/public%3Bx/deep", "/public/%2Fdeep/x", "/public/;/deep/x", "/public/x;/../deep", "/public%252Fdeep", "/pub%256Cic/deep/x", "/%2Fevil.example/private/x", "/optional%2F%2e%2e%2Fprivate",
		"/index.php;x/private/x", "/index.php%2Fprivate%2Fx", "/public/x;jsessionid=1/../deep", "/public/a%2Fb/..%2F..%2Fdeep", "/private%2525", "/x;/private/y", "/x%3F/private%2Fy",
	} {
		rows = append(rows, backendRow{name: "odd path", path: target, visitors: nobody, two: true})
	}
	var plain []backendRow // what some servers refuse by themselves
	for _, target := range []string{"/public/queues/%2F/name", "/public/group%2Fproject/x", "/public/page;jsessionid=0A1B", "/optional/a%3Bb%2525", "/private/a%252Fb;c"} {
		plain = append(plain, backendRow{name: "honest odd path", path: target, visitors: somebody, two: true, honest: true})
	}
	obliging := []string{"node", "tomcat", "gunicorn", "go"}
	isObliging := func(b realBackend) bool { return slices.Contains(obliging, b.name) }
	edit := func(w *world) {
		cfg := w.cfg
		cfg.Rules = slices.Clone(cfg.Rules)
		for i := range cfg.Rules {
			cfg.Rules[i].OddPaths = true
		}
		require.NoError(w.t, w.gateway.Reload(cfg))
	}
	backends := slices.Clone(realBackends)
	tried := tryBackends(t, slices.DeleteFunc(slices.Clone(backends), func(b realBackend) bool { return !isObliging(b) }), completed(append(plain, rows...)), edit)
	tried = append(tried, tryBackends(t, slices.DeleteFunc(backends, isObliging), completed(rows), edit)...)
	for _, b := range tried {
		assert.Empty(t, b.wrong[:min(len(b.wrong), 20)])
	}
}
