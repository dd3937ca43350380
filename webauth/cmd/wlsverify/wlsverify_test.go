package main

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
)

// runOut runs the program and returns what it wrote.
func runOut(stdin io.Reader, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, stdin, &out, &errs)
	return status, out.String(), errs.String()
}

// decoded runs the program and decodes the one object that it prints.
func decoded(t *testing.T, stdin string, args ...string) (status int, object map[string]any) {
	t.Helper()
	status, stdout, stderr := runOut(strings.NewReader(stdin), args...)
	require.Empty(t, stderr)
	in := json.NewDecoder(strings.NewReader(stdout))
	require.NoError(t, in.Decode(&object), stdout)
	require.ErrorIs(t, in.Decode(&struct{}{}), io.EOF, "one object and no more")
	require.Equal(t, status == cli.ExitOK, object["ok"])
	require.Equal(t, object["ok"], object["reason"] == "")
	require.Equal(t, object["ok"], object["error"] == "")
	return status, object
}

func loadRows[T any](t *testing.T, name string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", name))
	require.NoError(t, err)
	var file struct{ Rows []T }
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Rows)
	return file.Rows
}

// keyDir is a directory with one key file.
func keyDir(t *testing.T, kid string, pub *rsa.PublicKey) string {
	t.Helper()
	dir := t.TempDir()
	data := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(pub)})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pubkey"+kid), data, 0o600))
	return dir
}

type realResponse struct {
	About, Service, Kid, Principal, Reason, Value string
}

func (r realResponse) parse(t *testing.T) *webauth.Unverified {
	t.Helper()
	u, err := webauth.ParseResponse(r.Value)
	require.NoError(t, err)
	return u
}

// TestForms gives each real response in every form there is.
func TestForms(t *testing.T) {
	for _, r := range loadRows[realResponse](t, "real_responses.json") {
		u := r.parse(t)
		plus := url.QueryEscape(r.Value)
		percent := strings.ReplaceAll(plus, "+", "%20")
		for name, text := range map[string]string{
			"raw":                           r.Value,
			"raw, blanks around":            "  " + r.Value + "\r\n",
			"percent-encoded":               percent,
			"percent-encoded, blanks as +":  plus,
			"URL":                           u.URL() + "?WLS-Response=" + percent,
			"URL, + for blanks, more of it": "HTTPS://soc.example/a!b?x=1%21&WLS-Response=" + plus + "&y=2#top",
			"URL, http in capitals":         "HTTP://soc.example?WLS-Response=" + percent,
			"URL, ! as it is":               u.URL() + "?WLS-Response=" + strings.ReplaceAll(percent, "%21", "!"),
		} {
			t.Run(r.About+"/"+name, func(t *testing.T) {
				args := []string{"-service", r.Service, "-url", u.URL(), "-at", u.Issue().Add(20 * time.Second).Format(time.RFC3339)}
				status, object := decoded(t, "", append(args, text)...)
				checkReal(t, r, u, status, object)
				status, object = decoded(t, text+"\n", append(args, "-")...)
				checkReal(t, r, u, status, object)
			})
		}
	}
}

func checkReal(t *testing.T, r realResponse, u *webauth.Unverified, status int, object map[string]any) {
	t.Helper()
	assert.Equal(t, r.Reason == "", status == cli.ExitOK)
	assert.Equal(t, r.Reason, object["reason"])
	assert.Equal(t, true, object["signed"])
	assert.Equal(t, []any{"token", "replay"}, object["unchecked"])
	assert.EqualValues(t, u.Version(), object["ver"])
	assert.EqualValues(t, u.Status(), object["status"])
	assert.Equal(t, u.Msg(), object["msg"])
	assert.Equal(t, u.Issue().Format(time.RFC3339), object["issue"])
	assert.Equal(t, u.ID(), object["id"])
	assert.Equal(t, u.URL(), object["url"])
	assert.Equal(t, u.Params(), object["params"])
	assert.Equal(t, u.Kid(), object["kid"])
	if r.Principal == "" {
		assert.NotContains(t, object, "principal")
	} else {
		assert.Equal(t, r.Principal, object["principal"])
	}
	assert.Equal(t, r.Service == "raven-demo", object["warning"] != nil, "the demo key's private half is public")
}

type responseVector struct {
	Name, URL, At, IAct, Reason, Principal, Value string
	Versions                                      []int
	AAuth                                         []string
	Signed                                        bool
}

func (r responseVector) args(dir string) []string {
	var versions []string
	for _, n := range r.Versions {
		versions = append(versions, strconv.Itoa(n))
	}
	args := []string{"-keys", dir, "-at", r.At, "-versions", strings.Join(versions, ",")}
	if r.IAct != "" {
		args = append(args, "-iact", r.IAct)
	}
	if r.AAuth != nil {
		args = append(args, "-aauth", strings.Join(r.AAuth, ","))
	}
	return append(args, r.Value)
}

func TestVectors(t *testing.T) {
	dir := keyDir(t, "501", &testkeys.RSA2048().PublicKey)
	for _, r := range loadRows[responseVector](t, "responses.json") {
		t.Run(r.Name, func(t *testing.T) {
			status, object := decoded(t, "", append(r.args(dir), "-url", r.URL)...)
			assert.Equal(t, r.Reason == "", status == cli.ExitOK)
			assert.Equal(t, r.Reason, object["reason"])
			assert.Equal(t, r.Signed, object["signed"])
			assert.Equal(t, r.Signed, object["warning"] != nil, "RFC 9500's keys are public")
			claimed := r.Principal != ""
			for _, name := range []string{"principal", "ptags", "auth", "sso"} {
				assert.Equal(t, claimed, object[name] != nil, name)
			}
			if claimed {
				assert.Equal(t, r.Principal, object["principal"])
			}
			if !r.Signed {
				text, err := json.Marshal(object)
				require.NoError(t, err)
				assert.NotContains(t, string(text), "test000", "who it is about is not told before it is verified")
			}

			_, object = decoded(t, "", r.args(dir)...)
			assert.Equal(t, []any{"token", "replay", "url"}, object["unchecked"])
			want := r.Reason
			if want == "url" {
				want = ""
			}
			assert.Equal(t, want, object["reason"])
		})
	}
}

func TestShapes(t *testing.T) {
	for _, r := range loadRows[struct{ Name, Value, Reason string }](t, "response_shapes.json") {
		if r.Value != unwrap(r.Value) || strings.ContainsAny(r.Value, "\r\n") || !strings.Contains(r.Value, "!") {
			continue // which is no raw value to this program
		}
		t.Run(r.Name, func(t *testing.T) {
			_, object := decoded(t, r.Value, "-")
			if r.Reason != "" {
				assert.Equal(t, r.Reason, object["reason"])
				assert.NotContains(t, object, "ver")
			} else {
				assert.Contains(t, []any{"unsigned", "unknown-key", "signature", "stale"}, object["reason"])
				assert.Contains(t, object, "ver")
			}
			assert.Equal(t, false, object["signed"])
			assert.NotContains(t, object, "principal")
		})
	}
}

func TestNoResponse(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"empty":                      {"", "nothing was given: give the value of WLS-Response"},
		"blank":                      {" \n", "nothing was given"},
		"quotes alone":               {`""`, "nothing was given"},
		"a request":                  {"https://raven.cam.ac.uk/auth/authenticate.html?ver=3&url=https%3a%2f%2fsoc.example%2f", "this is what a site sends people to the login service with"},
		"a request without its host": {"/auth/authenticate.html?ver=3&url=https%3a%2f%2fsoc.example%2f", "this is what a site sends people"},
		"a URL inside of a URL":      {"https://mail.example/?to=https%3A%2F%2Fsoc.example%2F%3FWLS-Response%3D3%2521200", "in a URL inside of it"},
		"a log with two responses":   {"GET /?WLS-Response=3%21a\nGET /?WLS-Response=3%21b", "there are 2 different values of WLS-Response"},
		"a word":                     {"hello", "not a version number"},
		"a log with it twice":        {`"GET /?WLS-Response=3%21a&b=c&WLS-Response=3%21a HTTP/1.1" 400`, "more than once"},
		"another parameter's end":    {`"GET /?OLD-WLS-Response=3%21a HTTP/1.1" 200`, "holds no WLS-Response"},
		"bad percent-encoding":       {"3%2", "bad percent-encoding"},
		"URL without it":             {"https://soc.example/private?a=b", "holds no WLS-Response"},
		"URL with it after the #":    {"https://soc.example/#?WLS-Response=3%21", "holds no WLS-Response"},
		"URL with it twice":          {"https://soc.example/?WLS-Response=3&WLS-Response=3", "more than once"},
		"URL, bad percent-encoding":  {"https://soc.example/?WLS-Response=%zz", "bad percent-encoding"},
		"encoded three times":        {"3%252521200%252521", "not a version number"},
		"raw with encoded rest":      {"3!200!!20141110T164620Z!1!http%3A%2F%2Fraven.cam.ac.uk%2F!a!!!pwd!!!2!AAAA", "field 6 holds an escape"},
		"raw, decoded once too much": {"2!200!a!b!c!d!e!f!g!h!i!j!k!l", "not the 13 fields"},
	} {
		t.Run(name, func(t *testing.T) {
			status, object := decoded(t, row.text, "-")
			assert.Equal(t, cli.ExitFailed, status)
			assert.Equal(t, "malformed", object["reason"])
			assert.Contains(t, object["error"], row.want)
			delete(object, "notes")
			assert.Len(t, object, 5, "ok, reason, error, unchecked, signed")
		})
	}
}

func TestDefaults(t *testing.T) {
	r := loadRows[realResponse](t, "real_responses.json")[0]
	_, object := decoded(t, "", r.Value)
	assert.Equal(t, "stale", object["reason"], "without -at it is now")
	assert.Equal(t, "pms52", object["principal"], "signed by Raven, whose keys are the default")
	assert.Equal(t, []any{"current"}, object["ptags"])
	assert.Equal(t, "", object["auth"])
	assert.Equal(t, []any{"pwd"}, object["sso"])
	assert.EqualValues(t, 36480, object["life"])
}

func TestTimes(t *testing.T) {
	r := loadRows[realResponse](t, "real_responses.json")[0] // issued at 16:46:20
	for _, row := range []struct {
		name, at string
		flags    []string
		reason   string
	}{
		{"just inside", "2014-11-10T16:46:55Z", nil, ""},
		{"just outside", "2014-11-10T16:46:56Z", nil, "stale"},
		{"another zone", "2014-11-10T17:46:55+01:00", nil, ""},
		{"longer age", "2014-11-10T17:00:00Z", []string{"-max-age", "15m"}, ""},
		{"ages", "2026-01-01T00:00:00Z", []string{"-max-age", "200000h"}, ""},
		{"longer skew", "2014-11-10T16:45:20Z", []string{"-skew", "1m"}, ""},
		{"no skew, early", "2014-11-10T16:46:19Z", []string{"-skew", "0"}, "future"},
		{"no skew, late", "2014-11-10T16:46:51Z", []string{"-skew", "0"}, "stale"},
		{"no age", "2014-11-10T16:46:26Z", []string{"-max-age", "0"}, "stale"},
		{"neither, on time", "2014-11-10T16:46:20Z", []string{"-max-age", "0", "-skew", "0"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, object := decoded(t, "", append(row.flags, "-at", row.at, r.Value)...)
			assert.Equal(t, row.reason, object["reason"], object["error"])
			assert.Equal(t, "pms52", object["principal"], "the signature holds at any time")
		})
	}
}

func TestPublishedKeys(t *testing.T) {
	real := loadRows[realResponse](t, "real_responses.json")
	demo := real[len(real)-1]
	require.Equal(t, "901", demo.Kid)
	at := demo.parse(t).Issue().Format(time.RFC3339)
	demoKey := webauth.RavenDemo().Keys.Keys()[0].Public()
	for _, row := range []struct {
		name   string
		args   []string
		reason string
	}{
		{"the demo service", []string{"-service", "raven-demo"}, ""},
		{"Raven", nil, "unknown-key"},
		{"Raven with the demo key in a directory", []string{"-keys", keyDir(t, "901", demoKey)}, "unknown-key"},
		{"the demo service with a directory", []string{"-service", "raven-demo", "-keys", keyDir(t, "901", demoKey)}, "unknown-key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, object := decoded(t, "", append(row.args, "-at", at, demo.Value)...)
			assert.Equal(t, row.reason, object["reason"])
			assert.Equal(t, row.reason == "", object["signed"])
			if row.reason == "" {
				assert.Contains(t, object["warning"], "anybody can sign")
			} else {
				assert.NotContains(t, object, "warning")
				assert.NotContains(t, object, "principal")
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		want string
	}{
		{"two responses", []string{"a", "b"}, "wlsverify: want one RESPONSE, got 2: put it in quotes\nRun 'wlsverify -help' for help.\n"},
		{"unknown flag", []string{"-x", "a"}, "there is no option -x"},
		{"mistyped flag", []string{"-sevice", "raven", "a"}, "did you mean -service?"},
		{"unknown service", []string{"-service", "eduroam", "a"}, `-service "eduroam" is none of raven, raven-demo; for another one,`},
		{"mistyped service", []string{"-service", "ravendemo1", "a"}, `did you mean "raven-demo"?`},
		{"bad url", []string{"-url", "soc.example", "a"}, "-url"},
		{"bad time", []string{"-at", "yesterday", "a"}, "-at"},
		{"time without a zone", []string{"-at", "2014-11-10T16:46:20", "a"}, "-at"},
		{"bad age", []string{"-max-age", "30", "a"}, "flag -max-age: want a time with its unit, such as 30s or 10m"},
		{"negative age", []string{"-max-age", "-1s", "a"}, "negative"},
		{"negative skew", []string{"-skew", "-1s", "a"}, "negative"},
		{"age beyond measure", []string{"-max-age", "2000000h", "a"}, "100 years"},
		{"unknown version", []string{"-versions", "3,4", "a"}, "-versions"},
		{"no versions", []string{"-versions", "", "a"}, "-versions"},
		{"unknown iact", []string{"-iact", "maybe", "a"}, "-iact"},
		{"empty aauth", []string{"-aauth", "", "a"}, "-aauth"},
		{"aauth with an empty type", []string{"-aauth", "pwd,", "a"}, "-aauth"},
		{"flag after the response", []string{"a", "-versions", "x"}, "-versions"},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, stdout, stderr := runOut(strings.NewReader(""), row.args...)
			assert.Equal(t, cli.ExitUsage, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, row.want)
			assert.Contains(t, stderr, "\nRun 'wlsverify -help' for help.\n")
			assert.Less(t, len(stderr), 500)
		})
	}
}

func TestUsageSeveralFaults(t *testing.T) {
	_, _, stderr := runOut(nil, "-at", "x", "-iact", "x", "a")
	assert.Contains(t, stderr, "-at")
	assert.Contains(t, stderr, "-iact")
}

func TestHelp(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		status, stdout, stderr := runOut(nil, flag)
		assert.Equal(t, cli.ExitOK, status)
		assert.Empty(t, stderr)
		for _, name := range []string{"-service", "-keys", "-url", "-at", "-max-age", "-skew", "-versions", "-iact", "-aauth"} {
			assert.Contains(t, stdout, "\n  "+name+" ")
		}
		for _, name := range []string{
			"malformed", "version", "unknown-key", "unsigned", "signature", "url", "stale", "future", "interact", "authtype", "status",
		} {
			assert.Contains(t, stdout, name)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, row := range []struct {
		name  string
		stdin io.Reader
		args  []string
		want  string
	}{
		{"broken input", iotest.ErrReader(errors.New("broken")), []string{"-"}, "wlsverify: standard input: broken\n"},
		{"far too long", nil, []string{strings.Repeat("3", maxText+1)}, "longer than"},
		{"far too long an input", strings.NewReader(strings.Repeat("3", 1<<20)), nil, "longer than"},
		{"no such directory", nil, []string{"-keys", "/nonexistent/keys", "a"}, "wlsverify: -keys: keys: /nonexistent/keys"},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, stdout, stderr := runOut(row.stdin, row.args...)
			assert.Equal(t, cli.ExitFailed, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, row.want)
			assert.NotContains(t, stderr, "-help")
		})
	}
}
