package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// output collects what the program prints and tells when the introduction is over.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan struct{}
	once  sync.Once
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	if strings.Contains(o.text.String(), "\n\n  log in") && strings.HasSuffix(o.text.String(), "\n\n") {
		o.once.Do(func() { close(o.ready) })
	}
	return n, err
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the program on a free port until stop, which gives its exit code.
func start(t *testing.T, args ...string) (authURL string, out *output, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out = &output{ready: make(chan struct{})}
	done := make(chan int, 1)
	var stderr bytes.Buffer
	go func() { done <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), out, &stderr) }()
	select {
	case <-out.ready:
	case code := <-done:
		cancel()
		require.FailNow(t, "the program ended", "exit code %d: %s", code, stderr.String())
	}
	stop = sync.OnceValue(func() int { cancel(); return <-done })
	t.Cleanup(func() { stop() })
	found := regexp.MustCompile(`log in +(\S+)`).FindStringSubmatch(out.String())
	require.NotNil(t, found)
	return found[1], out, stop
}

// logIn sends the login form and gives the redirect back.
func logIn(t *testing.T, authURL, user, password string) (status int, location string) {
	t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer c.CloseIdleConnections()
	resp, err := c.PostForm(authURL+"?ver=3&url=http%3A%2F%2Flocalhost%3A8080%2F&desc=A%20%22site%22",
		url.Values{"userid": {user}, "pwd": {password}, "login": {"login"}})
	require.NoError(t, err)
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Location")
}

// principal verifies a login with the key that was written.
func principal(t *testing.T, location, authURL, keyDir string) string {
	t.Helper()
	trusted, err := keys.LoadDir(keyDir)
	require.NoError(t, err)
	verifier, err := webauth.NewVerifier(webauth.VerifierConfig{
		Service:         webauth.Service{Name: "fake", AuthURL: authURL, Keys: trusted},
		InsecureNoToken: true, InsecureNoReplayCheck: true,
	})
	require.NoError(t, err)
	u, err := url.Parse(location)
	require.NoError(t, err)
	value, _, err := webauth.ResponseFrom(u.RawQuery)
	require.NoError(t, err)
	response, err := verifier.Verify(context.Background(), value, webauth.Expect{URL: "http://localhost:8080/"})
	require.NoError(t, err)
	return response.Principal()
}

func TestALoginVerifiesWithTheWrittenKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	authURL, out, stop := start(t, "-write-pubkey", dir, "-kid", "7")
	status, location := logIn(t, authURL, "test0001", "test")
	require.Equal(t, http.StatusSeeOther, status)
	assert.Equal(t, "test0001", principal(t, location, authURL, dir))
	status, _ = logIn(t, authURL, "test0001", "wrong")
	assert.Equal(t, http.StatusForbidden, status)
	assert.Equal(t, cli.ExitOK, stop())

	text := out.String()
	assert.Contains(t, text, "Interrupt to stop.\nfakewls "+cli.Version()+"\n\n")
	assert.Regexp(t, `msg=stopped reason="context canceled" took="\d+ \w`, text)
	for _, want := range []string{
		"kid 7, RSA-2048, made for this run", filepath.Join(dir, "pubkey7"), "/auth/logout.html",
		`users       test0001, password "test", ptags "current"`, `test0010, password "test", ptags ""`,
		`msg="form sent" reply=return ver=3 url=http://localhost:8080/ desc="A \"site\"" status=200 response_ver=3 principal=test0001`,
		`error="wrong user or password"`,
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "WLS-Response")
	assert.NotContains(t, text, "!200!")

	info, err := os.Stat(filepath.Join(dir, "pubkey7"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode().Perm())
	written, err := os.ReadFile(filepath.Join(dir, "pubkey7"))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(written), "-----BEGIN RSA PUBLIC KEY-----\n"))
}

func TestAKeyFileIsMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "private.pem")
	_, out, stop := start(t, "-key", key, "-write-pubkey", dir)
	stop()
	assert.Contains(t, out.String(), "made and written to "+key)
	info, err := os.Stat(key)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	authURL, out, _ := start(t, "-key", key, "-write-pubkey", dir)
	assert.Contains(t, out.String(), "read from "+key)
	assert.Contains(t, out.String(), filepath.Join(dir, "pubkey501")+" (was there already)")
	_, location := logIn(t, authURL, "test0002", "test")
	require.NoError(t, os.Rename(key, filepath.Join(dir, "moved")))
	assert.Equal(t, "test0002", principal(t, location, authURL, dir))
}

func TestKeyFileForms(t *testing.T) {
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tests := []struct {
		name string
		text []byte
		want string // the error, empty for none
	}{
		{"PKCS #1", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(testkeys.RSA1024())}), ""},
		{"PKCS #8", pkcs8(testkeys.RSA1024()), ""},
		{"no PEM", []byte("x"), "no PEM in it"},
		{"another algorithm", pkcs8(ec), "not an RSA key"},
		{"a public key", pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: []byte{1}}), `holds a "RSA PUBLIC KEY"`},
		{"damaged PKCS #1", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{1}}), "asn1"},
		{"damaged PKCS #8", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), "asn1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			require.NoError(t, os.WriteFile(path, tt.text, 0o600))
			key, err := signingKey(path)
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				assert.ErrorContains(t, err, path)
				return
			}
			require.NoError(t, err)
			assert.True(t, key.private.Equal(testkeys.RSA1024()))
		})
	}
	_, err = signingKey(t.TempDir())
	assert.Error(t, err, "a directory")
	_, err = signingKey(filepath.Join(t.TempDir(), "no", "such", "directory"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestAnotherPublicKeyIsNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pubkey501")
	other := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&testkeys.RSA1024().PublicKey)})
	for name, text := range map[string][]byte{"another key": other, "no key at all": []byte("notes")} {
		require.NoError(t, os.WriteFile(path, text, 0o644))
		var stdout, stderr bytes.Buffer
		assert.Equal(t, cli.ExitFailed, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-write-pubkey", dir}, &stdout, &stderr), name)
		assert.Contains(t, stderr.String(), path+" is there and is not this key")
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, text, kept, name)
	}
}

func TestOwnUsersFaultsAndQuirks(t *testing.T) {
	authURL, out, _ := start(t, "-user", "spqr1:pa:current,x", "-user", "abc12:pb", "-fault", "Cancel=1", "-quirk", "V1-cancel")
	status, _ := logIn(t, authURL, "test0001", "test")
	assert.Equal(t, http.StatusForbidden, status, "the default users are gone")
	assert.Contains(t, out.String(), `users       spqr1, password "pa", ptags "current,x"`)
	assert.Contains(t, out.String(), `abc12, password "pb", ptags ""`)
	assert.Contains(t, out.String(), "fault       cancel, 1 of all logins")
	assert.Contains(t, out.String(), "quirk       v1-cancel")

	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer c.CloseIdleConnections()
	resp, err := c.Get(authURL + "?ver=3&url=http%3A%2F%2Flocalhost%3A8080%2F%3Fa%3Db")
	require.NoError(t, err)
	resp.Body.Close()
	assert.True(t, strings.HasPrefix(resp.Header.Get("Location"), "http://localhost:8080/?WLS-Response=1%21410"), resp.Header.Get("Location"))
}

func TestUsageErrors(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"any address", []string{"-addr", ":8081"}, "can be reached from elsewhere"},
		{"all of IPv4", []string{"-addr", "0.0.0.0:8081"}, "can be reached from elsewhere"},
		{"all of IPv6", []string{"-addr", "[::]:8081"}, "can be reached from elsewhere"},
		{"a public address", []string{"-addr", "192.0.2.1:8081"}, "can be reached from elsewhere"},
		{"a host name", []string{"-addr", "soc.example:8081"}, "can be reached from elsewhere"},
		{"no port", []string{"-addr", "127.0.0.1"}, "missing port"},
		{"a bad kid", []string{"-kid", "01"}, "-kid"},
		{"an unknown flag", []string{"-x"}, "fakewls: there is no option -x\nRun 'fakewls -help' for help.\n"},
		{"a mistyped flag", []string{"-falt", "stale=1"}, "did you mean -fault?"},
		{"an unknown fault", []string{"-fault", "sale=0.5"}, `"sale" is none of cancel, slow`},
		{"a mistyped fault", []string{"-fault", "stael=0.5"}, `did you mean "stale"?`},
		{"an argument", []string{"x"}, `unexpected argument "x"`},
		{"a user without a password", []string{"-user", "x"}, "want id:password"},
		{"a user with an empty password", []string{"-user", "x:"}, "needs a password"},
		{"a fault without a probability", []string{"-fault", "stale"}, "want name=probability"},
		{"a fault twice", []string{"-fault", "stale=0.1", "-fault", "stale=0.1"}, "given twice"},
		{"an unknown quirk", []string{"-quirk", "x"}, `"x" is none of v1-cancel, `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, cli.ExitUsage, run(t.Context(), tt.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), tt.want)
			assert.Empty(t, stdout.String())
		})
	}
}

func TestFailures(t *testing.T) {
	authURL, _, _ := start(t)
	u, err := url.Parse(authURL)
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	assert.Equal(t, cli.ExitFailed, run(t.Context(), []string{"-addr", u.Host}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "address already in use")
	assert.NotContains(t, stderr.String(), "-help")
}

func TestLoopbackNeedsNoFlag(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"} {
		_, err := parseOptions([]string{"-addr", addr})
		assert.NoError(t, err, addr)
	}
	_, err := parseOptions([]string{"-addr", ":1", "-insecure-any-addr"})
	assert.NoError(t, err)
}

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct {
		ip   net.IP
		want string
	}{
		{net.IPv4(127, 0, 0, 1), "http://127.0.0.1:80"},
		{net.IPv6loopback, "http://[::1]:80"},
		{net.IPv4zero, "http://localhost:80"},
		{net.IPv6unspecified, "http://localhost:80"},
	} {
		assert.Equal(t, tt.want, baseURL(&net.TCPAddr{IP: tt.ip, Port: 80}))
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Equal(t, cli.ExitOK, run(t.Context(), []string{"-help"}, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	for _, want := range []string{"-write-pubkey", "-insecure-any-addr", "Faults: cancel, slow,", "Quirks: v1-cancel,", "  -version"} {
		assert.Contains(t, stdout.String(), want)
	}
}

// TestStopEndsSlowAnswers: an answer that would take for ever does not hold up the stop.
func TestStopEndsSlowAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	arrived := make(chan bool, 10)
	wls, err := webauthtest.NewWLS(webauthtest.Config{
		BaseURL: baseURL(listener.Addr()), SlowFor: math.MaxInt64,
		Now: func() time.Time { arrived <- true; return time.Now() }, // the fake looks at it before it waits
	})
	require.NoError(t, err)
	wls.Always(webauthtest.Outcome{Fault: webauthtest.FaultSlow})
	ctx, cancel := context.WithCancel(t.Context())
	stopped, left := make(chan error, 1), make(chan error, 1)
	go func() { stopped <- listen(ctx, slog.New(slog.DiscardHandler), listener, wls) }()
	go func() {
		resp, err := http.Get(wls.Service().AuthURL + "?ver=3&url=http%3A%2F%2Flocalhost%2F")
		if err == nil {
			resp.Body.Close()
		}
		left <- err
	}()
	<-arrived
	cancel()
	require.NoError(t, <-stopped)
	assert.ErrorIs(t, <-left, io.EOF)
}

// TestTheLogComplains: a site that sends more than a URL can hold is served, and named.
func TestTheLogComplains(t *testing.T) {
	authURL, out, _ := start(t)
	for address, want := range map[string]string{
		"http://localhost:8080/caf%C3%A9":     `level=WARN msg=asked reply=return ver=3 url=http://localhost:8080/café iact=no complaint="parameter 'url' has characters outside ASCII: the site should percent-encode them"`,
		"http://localhost:8080/caf%25C3%25A9": `level=INFO msg=asked reply=return ver=3 url=http://localhost:8080/caf%C3%A9 iact=no status=540`,
		"http://localhost:8080/%0Aforged":     `level=INFO msg=asked reply=page ver=3 url="" refused="parameter 'url' is not a URL in UTF-8`,
	} {
		c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		defer c.CloseIdleConnections()
		resp, err := c.Get(authURL + "?ver=3&iact=no&url=" + address)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Contains(t, out.String(), want)
	}
}
