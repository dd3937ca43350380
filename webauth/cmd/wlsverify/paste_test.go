package main

import (
	"bytes"
	"html"
	"mime/quotedprintable"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// broken breaks a text into lines as a mail program does.
func broken(text, newline string) string {
	var lines []string
	for len(text) > 60 {
		lines, text = append(lines, text[:60]), text[60:]
	}
	return strings.Join(append(lines, text), newline)
}

// TestPasted gives each real response as people paste it: it verifies as it does by itself, and what
// was done to find it is said.
func TestPasted(t *testing.T) {
	const taken, lines, twice = "out of the text around", "line breaks", "encoded twice: a site that gets it so refuses it"
	for _, r := range loadRows[realResponse](t, "real_responses.json") {
		u := r.parse(t)
		encoded := url.QueryEscape(r.Value)
		address := "https://soc.example/a?b=c&WLS-Response=" + encoded
		var printable strings.Builder
		w := quotedprintable.NewWriter(&printable)
		_, _ = w.Write([]byte("Hello,\n" + address + "\nBye"))
		_ = w.Close()
		for _, row := range []struct {
			name, text string
			notes      []string
		}{
			{"plain", encoded, nil},
			{"the parameter", "WLS-Response=" + encoded, nil},
			{"the parameter, raw", "WLS-Response=" + r.Value, nil},
			{"as developers' tools show it", "WLS-Response: " + r.Value, nil},
			{"a query", "?b=c&WLS-Response=" + encoded + "&d=e", []string{taken}},
			{"a path", "/a?WLS-Response=" + encoded, []string{taken}},
			{"a line of a log", `192.0.2.1 - - [30/Nov/2026:12:00:00 +0000] "GET /a?WLS-Response=` + encoded + `&x=y HTTP/1.1" 302 5 "-" "Mozilla/5.0"`, []string{taken}},
			{"a line of a log that has it twice", `"GET /a?WLS-Response=` + encoded + ` HTTP/1.1" 200 5 "` + address + `"`, []string{taken}},
			{"a line of a log in JSON", `{"path":"\/a?WLS-Response=` + encoded + `","status":302}`, []string{taken}},
			{"a header", "HTTP/1.1 303 See Other\r\nLocation: " + address + "\r\nCache-Control: no-store\r\n\r\n", []string{taken}},
			{"in double quotes", `"` + address + `"`, nil},
			{"in single quotes", " '" + encoded + "'\n", nil},
			{"in angle brackets", "<" + address + ">", nil},
			{"raw in quotes of two kinds", "“`" + r.Value + "`”", nil},
			{"in lines", broken(encoded, "\n"), []string{lines}},
			{"a URL in lines", broken(address, "\r\n"), []string{lines}},
			{"a URL in lines of a quoted mail", "> " + broken(address, "\n> "), []string{lines, taken}},
			{"a URL in brackets, in lines", "<" + broken(address, "\n") + ">", []string{lines}},
			{"quoted-printable", printable.String(), []string{"quoted-printable", taken}},
			{"HTML", html.EscapeString(address) + "&amp;d=e", []string{"&amp;"}},
			{"a link in HTML", `<a href="` + html.EscapeString(address) + `">here</a>`, []string{"&amp;", taken}},
			{"encoded twice", url.QueryEscape(encoded), []string{twice}},
			{"a URL that has it encoded twice", "https://soc.example/?WLS-Response=" + url.QueryEscape(encoded), []string{twice}},
		} {
			t.Run(r.About+"/"+row.name, func(t *testing.T) {
				args := []string{"-service", strings.ToUpper(r.Service), "-url", u.URL(), "-at", u.Issue().Add(20 * time.Second).Format(time.RFC3339)}
				status, object := decoded(t, row.text, args...)
				checkReal(t, r, u, status, object)
				notes, _ := object["notes"].([]any)
				require.Len(t, notes, len(row.notes), "%v", notes)
				for i, want := range row.notes {
					assert.Contains(t, notes[i], want)
				}
			})
		}
	}
}

// TestPastedWrong: nothing that is done to find a response makes a forged one verify, and what spoilt a
// raw one is said.
func TestPastedWrong(t *testing.T) {
	r := loadRows[realResponse](t, "real_responses.json")[0]
	at := r.parse(t).Issue().Format(time.RFC3339)
	forged := strings.Replace(r.Value, r.Principal, "spqr1", 1)
	require.NotEqual(t, r.Value, forged)
	for name, text := range map[string]string{
		"raw": forged, "quoted": `"` + forged + `"`, "encoded twice": url.QueryEscape(url.QueryEscape(forged)),
		"in lines": broken(url.QueryEscape(forged), "\n"), "in a log": `"GET /?WLS-Response=` + url.QueryEscape(forged) + ` HTTP/1.1"`,
	} {
		_, object := decoded(t, text, "-at", at)
		assert.Equal(t, "signature", object["reason"], name)
		assert.NotContains(t, object, "principal", name)
	}

	address := r.parse(t).URL()
	escaped := strings.Replace(r.Value, address, address+"?a&amp;b", 1)
	_, object := decoded(t, escaped, "-at", at)
	assert.Equal(t, "signature", object["reason"])
	assert.Contains(t, object["notes"].([]any)[0], "copy what the page shows")
}

// Somebody who sits at the program is told what it waits for.
func TestAwaited(t *testing.T) {
	zero, err := os.Open("/dev/zero") // a device, as a terminal is
	require.NoError(t, err)
	defer zero.Close()
	_, _, stderr := runOut(zero)
	assert.Contains(t, stderr, "wlsverify: paste a response, or the URL that has it here, then press Enter and Ctrl-D.\n")
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"-version"}, {"--version"}, {"-service", "raven", "-version"}} {
		status, stdout, stderr := runOut(nil, args...)
		assert.Equal(t, cli.ExitOK, status)
		assert.Equal(t, "wlsverify "+cli.Version()+"\n", stdout)
		assert.Empty(t, stderr)
	}
}

// TestBinary builds the program and runs it as people do.
func TestBinary(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "wlsverify")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	r := loadRows[realResponse](t, "real_responses.json")[0]
	cmd := exec.Command(binary, "-at", r.parse(t).Issue().Format(time.RFC3339))
	cmd.Stdin = strings.NewReader("WLS-Response=" + url.QueryEscape(r.Value))
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), `"principal": "`+r.Principal+`"`)

	var stderr bytes.Buffer
	cmd = exec.Command(binary, "-service", "ravne")
	cmd.Stderr = &stderr
	var ended *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &ended)
	assert.Equal(t, cli.ExitUsage, ended.ExitCode())
	assert.Contains(t, stderr.String(), `did you mean "raven"?`)
}
