package glue_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/ucam-webauth/go-webauth/"

// arrows are the packages of this module that each may import, with those below it that
// have no line of their own. Internal packages are for whom Go lets import them, and those of
// shared for all.
var arrows = map[string]string{
	"keys":                              "",
	"keys/words":                        "",
	"keys/cli":                          "keys/words",
	"webauth":                           "keys",
	"webauth/internal":                  "",
	"webauth/wls":                       "keys webauth",
	"webauth/webauthtest":               "keys webauth webauth/wls webauth/webauthtest/fakelogin",
	"webauth/webauthtest/fakelogin":     "",
	"webauth/cmd/fakewls":               "keys webauth webauth/webauthtest",
	"glue/internal":                     "",
	"glue/enginetest":                   "",
	"glue/oauth2server/internal/dbtest": "glue/enginetest",
	"glue/site":                         "webauth",
	"glue":                              "webauth glue/site",
	"glue/xsrf":                         "webauth glue/site glue",
	"glue/oidclogin":                    "webauth",
	"glue/password":                     "webauth glue/site glue",
	"glue/redisstore":                   "webauth glue/site glue",
	"glue/remoteuser":                   "webauth glue/site glue glue/password",
	"glue/oauth2server":                 "webauth glue/site glue glue/xsrf",
	"glue/oidclogin/oidctest":           "webauth/webauthtest/fakelogin",
	"glue/wlsbridge":                    "keys webauth webauth/wls glue/site glue glue/xsrf",
	"glue/gateway":                      "keys webauth glue/site glue glue/xsrf glue/password glue/redisstore",
	"glue/gateway/internal":             "webauth glue/site glue",
	"glue/internal/program":             "keys webauth glue/site glue glue/oidclogin glue/redisstore",
	"examples":                          "keys webauth webauth/webauthtest glue/oidclogin glue/oidclogin/oidctest glue/site glue glue/xsrf glue/redisstore glue/oauth2server glue/gateway glue/wlsbridge glue/enginetest",
}

// shared are packages below all others.
var shared = []string{"keys/words", "keys/cli"}

// roomOf is the line of arrows that a package belongs to.
func roomOf(pkg string) string {
	for pkg != "" {
		if _, ok := arrows[pkg]; ok {
			break
		}
		pkg = pkg[:max(0, strings.LastIndexByte(pkg, '/'))]
	}
	return pkg
}

// against lists the imports that go against the arrows.
func against(imports [][2]string) (wrong []string) {
	for _, i := range imports {
		from, to := roomOf(i[0]), roomOf(i[1])
		if from != to && !strings.Contains(i[1], "/internal/") && (slices.Contains(shared, from) || !slices.Contains(shared, to)) && !slices.Contains(strings.Fields(arrows[from]), to) {
			wrong = append(wrong, i[0]+" imports "+i[1])
		}
	}
	return wrong
}

// goList runs go list over the module and returns its lines.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

func TestImportsFollowTheArrows(t *testing.T) {
	var imports [][2]string
	for _, line := range goList(t, "-f", `{{$from := .ImportPath}}{{range .Imports}}{{$from}}>{{.}} {{end}}`, "./...") {
		from, to, _ := strings.Cut(line, ">")
		if to, ours := strings.CutPrefix(to, module); ours {
			imports = append(imports, [2]string{strings.TrimPrefix(from, module), to})
		}
	}
	require.Greater(t, len(imports), 50)
	assert.Empty(t, against(imports))

	for _, i := range imports {
		if roomOf(i[0]) != roomOf(i[1]) && !strings.Contains(i[0], "/internal/") {
			assert.NotEmpty(t, against([][2]string{{i[1], i[0]}}), "%s imports %s, turned round", i[0], i[1])
		}
	}
}

// A site that imports glue compiles neither Redis nor SQL nor what else others need.
func TestGlueNeedsGorillaAlone(t *testing.T) {
	for _, pkg := range goList(t, "-deps", "-f", `{{if not .Standard}}{{.ImportPath}}{{end}}`, "./glue") {
		assert.Regexp(t, `^(`+module+`|github\.com/gorilla/(sessions|securecookie)$)`, pkg)
	}
}

// A site that logs nobody in by OpenID Connect compiles nothing of it.
func TestOpenIDConnectIsForWhoUsesIt(t *testing.T) {
	listed := goList(t, "-deps", "./glue", "./glue/xsrf", "./glue/oauth2server", "./glue/redisstore", "./examples/minimal")
	require.Contains(t, listed, module+"glue/redisstore")
	for _, pkg := range listed {
		assert.NotRegexp(t, `go-oidc|go-jose|x/oauth2|glue/oidclogin`, pkg)
	}
}
