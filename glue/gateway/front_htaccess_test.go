package gateway

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// htaccessFlags are those of the README's .htaccess.
const htaccessFlags = "[P,L]"

// startHtaccess serves a site with a login at a unix socket, behind an Apache whose
// configuration is the hosting's: all that the site has is an .htaccess file. It answers
// with what it believes of a request.
func startHtaccess(t *testing.T, flags string) (fake *webauthtest.WLS, base string) {
	t.Helper()
	s := &serving{t: t, program: frontProgram(t, "apache2", "apache2", "/usr/sbin/apache2"), dir: sharedDir(t), addr: freeAddr(t)}
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	base = "http://localhost:" + port
	socket := filepath.Join(s.dir, "web.sock")
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "public_html"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "public_html", ".htaccess"), []byte(snippet(t, "htaccess", "/home/soc/web.sock", socket, htaccessFlags, flags)), 0o644))

	fake = webauthtest.New(t, webauthtest.WithKey("7", wlsKey()))
	fake.SetNow(testNow)
	soc, err := site.New(site.Config{
		BaseURL: base, Secret: rand.Text() + rand.Text(), Now: fake.Now, Logger: slog.New(slog.DiscardHandler),
		Proxies: site.Proxies{UnixSocket: true, Header: site.XForwarded},
	})
	require.NoError(t, err)
	auth, err := glue.New(glue.Config{Site: soc, Service: fake.Service()})
	require.NoError(t, err)
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Join([]string{r.URL.Path, r.URL.RawQuery, site.Scheme(r), site.ClientIP(r).String()}, " "))
	}
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(socket, 0o777))
	server := &http.Server{Handler: soc.Handler(auth.Require(http.HandlerFunc(echo)))}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { assert.NoError(t, server.Close()) })

	config := s.write("httpd.conf", apacheConfig("rewrite:mod_rewrite", "headers:mod_headers", "proxy:mod_proxy", "proxy_http:mod_proxy_http")+`
DocumentRoot {dir}/public_html
<Directory {dir}/public_html>
	AllowOverride All
	Require all granted
</Directory>
`)
	require.True(t, startProgram(t, s.addr, s.apache(config)))
	return fake, base
}

// TestHtaccess: people log in at pages of all names that Apache passes on, and come back to
// the page that they asked for.
func TestHtaccess(t *testing.T) {
	for flags, rows := range map[string][]struct {
		target string
		status int
		page   string // path and query as the site understands them
	}{
		htaccessFlags: {
			{"/", 200, "/ "},
			{"/page?b=c%20d+e%26f&g=%2F%3F%25%23", 200, "/page b=c%20d+e%26f&g=%2F%3F%25%23"},
			{"/caf%C3%A9?b=caf%C3%A9", 200, "/café b=caf%C3%A9"},
			{"/café", 200, "/café "},
			{"/a%20b", 200, "/a b "},
			{"/a+b", 200, "/a+b "},
			{"/a%2Bb", 200, "/a+b "},
			{"/a%25b", 200, "/a%b "},
			{"/a%2541b", 200, "/a%41b "},
			{"/a%23b", 200, "/a#b "},
			{"/a;b%3Bc&d%26e%3D", 200, "/a;b;c&d&e= "},
			{"/a%5Bb%5D|'%22", 200, "/a[b]|'\" "},
			{"/a//b/./c/../d", 200, "/a/b/d "},
			{"/a%3Fb", 403, ""}, // Apache does not rewrite it
			{"/a%2Fb", 404, ""}, // nor pass it on, unless the server's AllowEncodedSlashes says so
		},
		"[P,NE,L,QSA]": { // NE takes the decoded path for an encoded one
			{"/page?b=c%20d", 200, "/page b=c%20d"},
			{"/caf%C3%A9", 200, "/café "},
			{"/a%20b", 403, ""},
			{"/a%25b", 400, ""},
			{"/a%2541b", 403, ""}, // a login for /a%41b, to which nobody comes back
			{"/a%23b", 400, ""},
		},
		"[P,B,L]": { // B encodes what is encoded again then, at each step of the login
			{"/page", 200, "/page "},
			{"/index.html", 403, ""},
			{"/caf%C3%A9", 403, ""},
		},
	} {
		t.Run(flags, func(t *testing.T) {
			fake, base := startHtaccess(t, flags)
			for _, row := range rows {
				u, err := url.Parse(base + row.target)
				require.NoError(t, err, row.target)
				status, text := htaccessGet(t, fake.Client("test0001"), u, nil)
				assert.Equal(t, row.status, status, "%s: %s", row.target, text)
				if row.status == http.StatusOK {
					assert.Equal(t, row.page+" http 127.0.0.1", text, row.target)
				}
			}
		})
	}
}

// TestHtaccessForged: what clients write of themselves is not believed.
func TestHtaccessForged(t *testing.T) {
	fake, base := startHtaccess(t, htaccessFlags)
	client := fake.Client("test0001")
	u, err := url.Parse(base + "/page")
	require.NoError(t, err)
	for name, value := range map[string]string{
		"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "other.example", "X-Original-Url": "/other", "Connection": "X-Forwarded-Proto, X-Forwarded-For",
	} {
		status, text := htaccessGet(t, client, u, func(r *http.Request) { r.Header.Set(name, value) })
		assert.Equal(t, http.StatusOK, status, name)
		assert.Equal(t, "/page  http 127.0.0.1", text, name)
	}
	status, _ := htaccessGet(t, client, u, func(r *http.Request) { r.Host = "other.example" })
	assert.Equal(t, http.StatusMisdirectedRequest, status)
}

func htaccessGet(t *testing.T, client *http.Client, u *url.URL, edit func(*http.Request)) (int, string) {
	t.Helper()
	r := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{"Accept": {"text/html"}}}
	if edit != nil {
		edit(r)
	}
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(text)
}
