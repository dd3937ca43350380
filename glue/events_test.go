package glue_test

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// last gives the last log line, without its time.
func last(s *testSite) map[string]any {
	lines := s.logLines()
	line := lines[len(lines)-1]
	delete(line, "time")
	return line
}

func TestEventsAndLogLines(t *testing.T) {
	s := startSite(t, setup{routes: adminRoute})
	b := s.browser("test0001")
	b.begin("/private/page?n=1")
	assert.Equal(t, map[string]any{
		"level": "DEBUG", "msg": "wls redirect", "event": "redirect", "service": "fake", "client": "127.0.0.1", "path": "/private/page",
	}, last(s))
	b.get("/private/page?n=1").requireEcho("test0001")
	assert.Equal(t, map[string]any{
		"level": "INFO", "msg": "wls login", "event": "login", "service": "fake", "client": "127.0.0.1", "path": "/private/page", "principal": "test0001",
	}, last(s))
	e := s.lastEvent(glue.EventLogin)
	assert.Equal(t, site.Event{From: "wls", Name: "login", More: []slog.Attr{slog.String("service", "fake")}, Principal: "test0001", Client: "127.0.0.1", Path: "/private/page", Host: e.Host}, e)
	assert.Equal(t, s.url, "http://"+e.Host)

	s.advance(6 * time.Minute)
	s.fake.Next(webauthtest.Outcome{Status: 570, Msg: "not today"})
	a := b.get("/admin").requirePage(http.StatusForbidden, "declined")
	assert.NotContains(t, a.Body, "not today", "for logs only")
	assert.Equal(t, map[string]any{
		"level": "WARN", "msg": "wls refused", "event": "refused", "service": "fake", "client": "127.0.0.1", "path": "/admin", "reason": "status",
		"ref": a.ref(), "status": 570.0, "signed": true, "error": "webauth: response refused (status): status 570 (authentication declined), signed",
		"wls_msg": "not today", // "msg" is the line's own
	}, last(s))
	assert.Equal(t, a.ref(), s.lastEvent(glue.EventRefused).Ref)

	b.post("/logout", nil)
	assert.Equal(t, []string{"login", "refused", "logout", "person-changed"}, s.eventNames())
}

func TestEventsOfAFailureThatIsNotSigned(t *testing.T) {
	eachKind(t, testEventsOfAFailureThatIsNotSigned)
}

func testEventsOfAFailureThatIsNotSigned(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	s.fake.Next(webauthtest.Outcome{Status: 410, Quirks: []webauthtest.Quirk{webauthtest.QuirkUnsignedFailure}})
	s.browser("test0001").get("/private/").requirePage(http.StatusOK, "cancelled")
	assert.Equal(t, false, last(s)["signed"])
	assert.EqualValues(t, 410, last(s)["status"])
}

func TestNoEventsWithoutAHookOrALogger(t *testing.T) { eachKind(t, testNoEventsWithoutAHookOrALogger) }

func testNoEventsWithoutAHookOrALogger(t *testing.T, kind kind) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var log lockedBuffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.Logger, c.OnEvent = nil, nil }})
	b := s.browser("test0001")
	s.fake.Next(webauthtest.Outcome{Status: 410})
	b.get("/private/").requirePage(http.StatusOK, "cancelled")
	b.get("/private/").requireEcho("test0001")
	assert.Empty(t, s.eventNames())
	assert.Contains(t, log.String(), `level=WARN msg="wls refused"`)
	assert.Contains(t, log.String(), `level=INFO msg="wls login"`)
	assert.NotContains(t, log.String(), "redirect")
	require.Empty(t, s.log.String())
}
