package observe

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logTo opens a log that writes into a buffer.
func logTo(t testing.TB, format string) (*AccessLog, *bytes.Buffer) {
	t.Helper()
	l, err := NewAccessLog("wls gateway", "off", Combined)
	require.NoError(t, err)
	b := &bytes.Buffer{}
	require.NoError(t, l.use(b, nil, format))
	return l, b
}

// visitAt gives a request as it comes in, and its observation.
func visitAt(target string) (*http.Request, *observed) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RequestURI, r.Host, r.RemoteAddr = target, "soc.example", "192.0.2.7:4711"
	o := &observed{
		start: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC), duration: 1500 * time.Millisecond,
		status: 200, bytes: 1234,
		record: Record{Client: netip.MustParseAddr("2001:db8::1"), Principal: "spqr1", Rule: "/api", Backend: "unix:/run/app.sock", Ref: "ABCDEFGH"},
	}
	r.Header.Set("Referer", "https://soc.example/?WLS-Response=3!200&a=b")
	r.Header.Set("User-Agent", `Mozilla/5.0 "x"`)
	return r, o
}

func TestCombinedLog(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(r *http.Request, o *observed)
		want string
	}{
		{"all", nil,
			`2001:db8::1 - spqr1 [01/Mar/2026:12:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 1234 "https://soc.example/?a=b" "Mozilla/5.0 \"x\""`},
		{"nothing known", func(r *http.Request, o *observed) { o.record, o.bytes, r.Header = Record{}, 0, http.Header{} },
			`192.0.2.7 - - [01/Mar/2026:12:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 - "-" "-"`},
		{"unix socket", func(r *http.Request, o *observed) { o.record, r.RemoteAddr, r.Header = Record{}, "@", http.Header{} },
			`- - - [01/Mar/2026:12:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 1234 "-" "-"`},
		{"zone of the clock", func(r *http.Request, o *observed) {
			o.start, r.Header = o.start.In(time.FixedZone("", 3600)), http.Header{}
		},
			`2001:db8::1 - spqr1 [01/Mar/2026:13:00:00 +0100] "GET /a?b=c HTTP/1.1" 200 1234 "-" "-"`},
		{"hostile", func(r *http.Request, o *observed) {
			r.Method, r.RequestURI = "G\"T", "/\n\r\t\v\b\x00\x1b[31m\\\x7f\xff"
			o.record.Principal = "a\nb"
			r.Header = http.Header{"User-Agent": {"é"}}
		},
			`2001:db8::1 - a\nb [01/Mar/2026:12:00:00 +0000] "G\"T /\n\r\t\v\b\x00\x1b[31m\\\x7f\xff HTTP/1.1" 200 1234 "-" "\xc3\xa9"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, b := logTo(t, "combined")
			r, o := visitAt("/a?b=c&WLS-Response=3!200")
			if row.edit != nil {
				row.edit(r, o)
			}
			require.NoError(t, l.write(r, o))
			assert.Equal(t, row.want+"\n", b.String())
		})
	}
}

func TestJSONLog(t *testing.T) {
	l, b := logTo(t, "json")
	r, o := visitAt("/a?b=\"c&WLS-Response=3!200")
	require.NoError(t, l.write(r, o))
	var got map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.Equal(t, map[string]any{
		"time": "2026-03-01T12:00:00.5Z", "msg": "request", "client": "2001:db8::1", "method": "GET", "host": "soc.example",
		"uri": "/a?b=\"c", "proto": "HTTP/1.1", "status": 200.0, "bytes": 1234.0, "duration": 1.5, "principal": "spqr1",
		"rule": "/api", "backend": "unix:/run/app.sock", "ref": "ABCDEFGH",
		"referer": "https://soc.example/?a=b", "user_agent": `Mozilla/5.0 "x"`,
	}, got)
	assert.Equal(t, 1, strings.Count(b.String(), "\n"))

	b.Reset()
	r.Header, o.record = http.Header{}, Record{}
	r.RequestURI = "/\n\x00\xff"
	require.NoError(t, l.write(r, o))
	assert.Equal(t, 1, strings.Count(b.String(), "\n"), "one line")
	got = nil
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.NotContains(t, got, "principal", "what is unknown is left out")
	assert.Equal(t, "192.0.2.7", got["client"])
}

// TestJSONLogShowsEverything sends what a terminal or an editor would obey.
func TestJSONLogShowsEverything(t *testing.T) {
	l, b := logTo(t, "json")
	r, o := visitAt("/")
	const hidden = "a\u009b2J\u202eb\u2028c\x7fd"
	r.Header.Set("User-Agent", hidden)
	r.RequestURI, r.Host, r.Method = "/"+hidden, hidden, hidden
	require.NoError(t, l.write(r, o))
	assert.NotRegexp(t, "[\u007f-\u009f\u202e\u2028]", b.String())
	var got map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	assert.Equal(t, hidden, got["user_agent"], "programs read what was sent")
}

// The old file may have failed long ago; the new one is in use all the same.
func TestLogOutlivesItsOldFile(t *testing.T) {
	dir := t.TempDir()
	l, err := NewAccessLog("wls gateway", filepath.Join(dir, "one"), Combined)
	require.NoError(t, err)
	require.NoError(t, l.closer.Close())
	var told bytes.Buffer
	require.NoError(t, l.Reopen(filepath.Join(dir, "two"), Combined, slog.New(slog.NewTextHandler(&told, nil))))
	assert.Contains(t, told.String(), "closing the old access log")
	r, o := visitAt("/a")
	require.NoError(t, l.write(r, o))
	text, err := os.ReadFile(filepath.Join(dir, "two"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "/a")
}

// logrotate moves the file away, and a reload opens a new one.
func TestLogIsReopened(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	l, err := NewAccessLog("wls gateway", path, Combined)
	require.NoError(t, err)
	r, o := visitAt("/one")
	require.NoError(t, l.write(r, o))
	require.NoError(t, os.Rename(path, path+".1"))
	r.RequestURI = "/two"
	require.NoError(t, l.write(r, o))
	require.NoError(t, l.Reopen(path, JSON, nil))
	r.RequestURI = "/three"
	require.NoError(t, l.write(r, o))

	require.ErrorContains(t, l.Reopen(filepath.Join(dir, "none", "access.log"), Combined, nil), "access log: ")
	r.RequestURI = "/four"
	require.NoError(t, l.write(r, o), "the old one stays")
	require.NoError(t, l.Close())
	require.NoError(t, l.write(r, o), "off")

	old, err := os.ReadFile(path + ".1")
	require.NoError(t, err)
	assert.Equal(t, []string{"/one", "/two"}, regexp.MustCompile(`/one|/two|/three|/four`).FindAllString(string(old), -1))
	young, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, []string{"/three", "/four"}, regexp.MustCompile(`/one|/two|/three|/four`).FindAllString(string(young), -1))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Zero(t, info.Mode()&0o027, "not for everybody")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A full disk costs lines, not requests, and shows in the metrics.
func TestLogCannotBeWritten(t *testing.T) {
	for _, format := range []string{"combined", "json"} {
		l, _ := logTo(t, format)
		require.NoError(t, l.use(brokenWriter{}, nil, format))
		m := NewMetrics("wls")
		h := Handler(http.NotFoundHandler(), l, m, time.Now)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		assert.Equal(t, http.StatusNotFound, w.Code)
		assert.EqualValues(t, 1, testutil.ToFloat64(m.lostLines))
	}
}

// No value can end its field or its line.
func FuzzEscaped(f *testing.F) {
	for _, seed := range []string{"", "abc", `a"b\c`, "a\nb\r\t\v\b\x00\x1b\x7f\xff", "é", `\x41`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped := string(appendEscaped(nil, s))
		var back []byte
		for i := 0; i < len(escaped); i++ {
			c := escaped[i]
			require.True(t, c >= ' ' && c < 0x7f && c != '"')
			if c != '\\' {
				back = append(back, c)
				continue
			}
			i++
			switch c = escaped[i]; c {
			case 'x':
				n, err := strconv.ParseUint(escaped[i+1:i+3], 16, 8)
				require.NoError(t, err)
				back = append(back, byte(n))
				i += 2
			case '"', '\\':
				back = append(back, c)
			default:
				back = append(back, "\b\n\r\t\v"[strings.IndexByte("bnrtv", c)])
			}
		}
		require.Equal(t, s, string(back))
	})
}
