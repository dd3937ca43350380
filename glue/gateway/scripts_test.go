package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
)

// TestScripts are paths that a front controller may route without its own name.
func TestScripts(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/", Access: Optional}, {Path: "/admin", Access: Login}, {Path: "/open", Access: Public},
		{Path: "/sub", Access: Optional, Scripts: []string{"app", "*.xyz", "ä b"}}, {Path: "/sub/admin", Access: Login},
		{Path: "/cgi-bin", Access: Login, Principals: []string{"test0001"}},
		{Path: "/remote.php", Access: Public}, {Path: "/strict.php", Access: Login},
		{Path: "/plain.php", Access: Public, Scripts: []string{}}, {Path: "/plain.php/admin", Access: Login},
	}})
	c := w.gateway.core.Load()
	for _, row := range []struct{ name, path, want string }{ // the rule's path; empty where refused
		{"front controller", "/index.php/admin/x", ""},
		{"what it routes to alone", "/index.php/admin", ""},
		{"with a final slash", "/index.php/admin/", ""},
		{"to what is public", "/index.php/open", ""},
		{"to the same rule", "/index.php/other/x", "/"},
		{"the script alone", "/index.php", "/"},
		{"the script with a slash", "/index.php/", "/"},
		{"in capitals", "/INDEX.PHP/admin", ""},
		{"encoded", "/index%2Ephp/admin", ""},
		{"CGI", "/x.cgi/admin", ""}, {"Perl", "/x.pl/admin", ""}, {"Python", "/x.py/admin", ""}, {"FastCGI", "/x.fcgi/admin", ""},
		{"old PHP", "/x.php5/admin", ""}, {"PHTML", "/x.phtml/admin", ""}, {"WSGI", "/x.wsgi/admin", ""}, {"a handler of ASP.NET", "/x.ashx/admin", ""}, {"a service of WCF", "/x.SVC/admin", ""}, {"Ruby", "/x.rb/admin", ""},
		{"ASP", "/x.asp/admin", ""}, {"ASP.NET", "/x.aspx/admin", ""},
		{"a dot at the end", "/index.php./admin", ""},
		{"a blank at the end", "/index.php%20/admin", ""},
		{"cut at a question mark", "/index.php/admin%3Fx", ""},
		{"cut before it goes on", "/index.php%3F/admin", "/"},
		{"deeper", "/x/index.php/admin", ""},
		{"below another rule", "/sub/index.php/admin", ""},
		{"not below another rule", "/sub/index.php/other", "/sub"},
		{"two scripts", "/a.php/b.php/admin", ""},
		{"two scripts, and between them", "/a.php/admin/b.php/x", ""},
		{"two scripts to the same rule", "/a.php/b.php/x", "/"},
		{"scripts without number", strings.Repeat("/a.php", 9) + "/x", ""},
		{"below a rule of its own", "/cgi-bin/cgit.cgi/repo", "/cgi-bin"},
		{"below a rule of its own, to a stricter one", "/cgi-bin/cgit.cgi/admin", "/cgi-bin"},
		{"a script with a stricter rule", "/strict.php/x", "/strict.php"},
		{"a script with a stricter rule, to a public page", "/strict.php/open", "/strict.php"},
		{"a script with a laxer rule", "/remote.php/x", ""},
		{"a script with a laxer rule, alone", "/remote.php", "/remote.php"},
		{"a script that routes nothing", "/plain.php/x", "/plain.php"},
		{"a script that routes nothing, to a stricter rule", "/plain.php/admin/x", "/plain.php/admin"},
		{"no script", "/index.html/admin", "/"},
		{"an ending in the middle", "/index.php.txt/admin", "/"},
		{"an ending alone", "/.php/admin", ""},
		{"no ending", "/php/admin", "/"},
		{"as a rule names it", "/sub/app/admin", ""},
		{"as a rule names it, in capitals", "/sub/APP/admin", ""},
		{"ending as a rule names it", "/sub/x.XYZ/admin", ""},
		{"what must be encoded as a rule names it", "/sub/%C3%A4%20b/admin", ""},
		{"as another rule names it", "/x/app/admin", "/"},
		{"what begins alike", "/sub/apps/admin", "/sub"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path, err := paths.Normalise(row.path)
			require.NoError(t, err)
			ru := c.ruleFor(w.host, path)
			if row.want == "" {
				assert.Same(t, c.ambiguous, ru, ru.label)
				return
			}
			assert.Equal(t, row.want, ru.label)
		})
	}
	answer := w.visitor("").get("/index.php/admin/x")
	assert.Equal(t, 400, answer.StatusCode)
	assert.Empty(t, w.backend.take())
	assert.Contains(t, w.log.String(), "see scripts of a rule")
}

// TestScripts_query are queries by which a front controller may route.
func TestScripts_query(t *testing.T) {
	rules := []Rule{
		{Path: "/", Access: Public}, {Path: "/admin", Access: Login}, {Path: "/open", Access: Public}, {Path: "/app", Access: Public}, {Path: "/app/admin", Access: Login},
		{Path: "/plain", Access: Public, Scripts: []string{}},
	}
	targets := map[string]bool{ // whether they are refused
		"/?/admin": true, "/?/admin/x": true, "/index.php?/admin": true, "/index.php?/admin?x": true, "/?/admin&x=/y": true, "/?/%61dmin": true, "/x?/admin": true,
		"/?//admin": true, "/?/admin/../x": true, "/?/./admin": true, "/?/admin%2Fx": true, "/?/index.php/admin": true,
		"/app/?/x": false, "/app/?/admin": true, "/app?/admin": true, "/app/index.php?/admin": true, "/x/?/app/admin": true,
		"/": false, "/?/": false, "/?/x": false, "/?/open/x": false, "/?x=/admin": false, "/?admin": false, "/?q=admin&/admin": false, "/plain/?/admin": false,
	}
	w := newWorld(t, kit{rules: rules})
	for target, refused := range targets {
		want := 200
		if refused {
			want = 400
		}
		assert.Equal(t, want, w.visitor("").get(target, scriptedBy).StatusCode, target)
	}
	front := askingWorld(t, loopback)
	assert.Equal(t, 403, front.visitor("").get(authPath, about("GET", "/public/?/private/x")).StatusCode)
	assert.Equal(t, 200, front.visitor("").get(authPath, about("GET", "/public/?/public/x")).StatusCode)
	open := newWorld(t, kit{rules: []Rule{{Path: "/", Access: Public}, {Path: "/admin", Access: Public}}})
	assert.Equal(t, 200, open.visitor("").get("/?/admin/../x", scriptedBy).StatusCode, "no rule is stricter")
	named := newWorld(t, kit{rules: []Rule{{Path: "/", Access: Login}, {Path: "/admin", Access: Login, Principals: []string{"test0002"}}}})
	assert.Equal(t, 400, named.visitor("test0001").get("/?/index.php/admin").StatusCode, "which is not clear itself")
}

// TestScripts_next: a rule that names none has those of the rule that would be next.
func TestScripts_next(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/", Access: Optional, Scripts: []string{"app"}}, {Path: "/a", Access: Public},
		{Path: "/b", Access: Public, Scripts: []string{}}, {Path: "/b/c", Access: Public}, {Path: "/b/x", Access: Login},
	}})
	c := w.gateway.core.Load()
	for path, want := range map[string]*rule{"/a/app/b/x": c.ambiguous, "/a/x.php/b/x": c.ambiguous, "/app/a": c.ambiguous} {
		assert.Same(t, want, c.ruleFor(w.host, path), path)
	}
	for path, want := range map[string]string{"/b/app/x": "/b", "/b/c/x.php/x": "/b/c", "/b/x/app": "/b/x"} {
		assert.Equal(t, want, c.ruleFor(w.host, path).label, path)
	}
}

// TestAsksMore compares what rules may keep out.
func TestAsksMore(t *testing.T) {
	named := []string{"a"}
	for _, row := range []struct {
		name     string
		ru, than Rule
		want     bool
	}{
		{"public", Rule{Access: Public}, Rule{Access: Login}, false},
		{"itself", Rule{Access: Login, Principals: named}, Rule{Access: Login, Principals: named}, false},
		{"a login, than public", Rule{Access: Login}, Rule{Access: Public}, true},
		{"a login, than optional", Rule{Access: Login}, Rule{Access: Optional}, true},
		{"optional, than a login", Rule{Access: Optional}, Rule{Access: Login}, false},
		{"optional, than public: pages of other origins", Rule{Access: Optional}, Rule{Access: Public}, true},
		{"optional for other origins, than public", Rule{Access: Optional, CrossOrigin: CrossOrigin{AnyOrigin}}, Rule{Access: Public}, false},
		{"a password, than a login", Rule{Access: Basic}, Rule{Access: Login}, true},
		{"a login, than a password", Rule{Access: Login}, Rule{Access: Basic}, true},
		{"another password file", Rule{Access: Basic, Htpasswd: "a"}, Rule{Access: Basic, Htpasswd: "b"}, true},
		{"another group file", Rule{Access: Login, Groups: named, GroupFile: "a"}, Rule{Access: Login, Groups: named, GroupFile: "b"}, true},
		{"some", Rule{Access: Login, Principals: named}, Rule{Access: Login}, true},
		{"all", Rule{Access: Login}, Rule{Access: Login, Principals: named}, false},
		{"current members, than others", Rule{Access: Login}, Rule{Access: Login, Ptags: named}, true},
		{"current members, than some of them", Rule{Access: Login}, Rule{Access: Login, Ptags: []string{"current"}}, false},
		{"current members, than former ones too", Rule{Access: Login}, Rule{Access: Login, AnyPtags: true}, true},
		{"former ones too", Rule{Access: Login, AnyPtags: true}, Rule{Access: Login}, false},
		{"a password, than a card", Rule{Access: Login}, Rule{Access: Login, AAuth: []string{"card"}}, true},
		{"nothing typed", Rule{Access: Login, IAct: "no"}, Rule{Access: Login}, true},
		{"something typed", Rule{Access: Login, IAct: "yes"}, Rule{Access: Login}, true},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, asksMore(&row.ru, &row.than)) })
	}
}
