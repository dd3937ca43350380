package gateway

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// startIngress starts nginx as the ingress-nginx controller configures it for the README's
// objects. The names that its ConfigMap clears are those of the README's nginx configuration.
func startIngress(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	program, dir := frontProgram(t, "nginx-light libnginx-mod-http-set-misc", "nginx", "/usr/sbin/nginx"), t.TempDir()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		return string(text)
	}
	objects := snippet(t, "ingress.yml", "http://wlsgateway.wls.svc.cluster.local:8090", gateway, "https://soc.example", "http://localhost:"+addr[strings.LastIndexByte(addr, ':')+1:])
	annotation := func(name string) string {
		found := regexp.MustCompile(`nginx.ingress.kubernetes.io/` + name + `: "(.*)"`).FindStringSubmatch(objects)
		require.Len(t, found, 2, name)
		return found[1]
	}
	config := strings.NewReplacer("ADDR", addr, "GATEWAY", gateway, "APP", app, "AUTHURL", annotation("auth-url"), "SIGNIN", annotation("auth-signin"),
		"upstream_http_HEADER", "upstream_http_"+strings.ToLower(strings.ReplaceAll(annotation("auth-response-headers"), "-", "_")),
		"HEADER", annotation("auth-response-headers")).Replace(read("ingress.conf"))
	cleared := regexp.MustCompile(`(?m)^\s*proxy_set_header (\S+) +"";$`).FindAllString(read("front/nginx.conf"), -1)
	require.Greater(t, len(cleared), 60)
	for name, text := range map[string]string{"nginx.conf": config, "headers.conf": read("ingress-headers.conf"), "cleared.conf": strings.Join(cleared, "\n")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return startProgram(t, addr, exec.Command(program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr"))
}

func asIngress(cfg *Config) { cfg.Front.URL = "x-original-url" }

// TestIngress is TestNginx but for what the controller cannot do: it shows no page of the
// gateway's, and sends whoever lacks a login there, scripts and passwords included.
func TestIngress(t *testing.T) {
	testFrontRows(t, frontWorld(t, startIngress, asIngress), frontRows{
		{"the whole login", frontLogin},
		{"what outsiders say of themselves", frontSpoof},
		{"what outsiders say of the request", frontNames},
		{"paths", frontPaths},
		{"the login asks for what the page asks for", frontStepUp},
		{"WebDAV", frontWebDAV},
		{"long addresses", frontLongTargets},
		{"long addresses in many tabs", frontManyTabs},
		{"who may see what", ingressRules},
		{"what another front server would say", ingressForged},
		{"logout", frontLogout},
	})
}

func ingressRules(t *testing.T, w *world) {
	person := w.loggedIn("test0001")
	for path, want := range map[string]int{"/public/a": 200, "/optional": 200, "/private/": 200, "/named": 403, "/.wls/auth": 403} {
		answer := person.get(path)
		assert.Equal(t, want, answer.StatusCode, path)
		for _, got := range w.backend.take() {
			if path != "/public/a" {
				assert.Equal(t, "test0001", got.user(), path)
			}
		}
	}
	answer := w.visitor("").get("/private/a", scripted)
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.Equal(t, serve.LoginPath, answer.Request.URL.Path, "the controller redirects scripts too; the login does not go on")
	assert.Empty(t, w.backend.take())
}

// Whatever the controller passes on of what clients write, the gateway believes none of it.
func ingressForged(t *testing.T, w *world) {
	person := w.loggedIn("test0001")
	for _, forged := range [][2]string{
		{"X-Original-Uri", "/public/a"}, {"X-Forwarded-Uri", "/public/a"}, {"X-Forwarded-Method", "PUT"}, {"X-Forwarded-Host", "wiki.soc.example"},
		{"X-Original-Url", w.url + "/public/a"}, {"X-Original-Method", "HEAD"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-For", "192.0.2.7"},
	} {
		answer := person.get("/named", header(forged[0], forged[1]), scripted)
		assert.Equal(t, http.StatusForbidden, answer.StatusCode, forged[0])
		assert.Empty(t, w.backend.take(), forged[0])
	}
	for _, same := range [][2]string{{"X-Original-Uri", "/private/a?b"}, {"X-Forwarded-Method", "GET"}, {"X-Forwarded-Host", w.host}} {
		require.Equal(t, http.StatusOK, person.get("/private/a?b", header(same[0], same[1])).StatusCode, "what says the same does no harm")
		assert.Equal(t, "test0001", w.backend.one(t).user())
	}
}
