package gateway

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhoami(t *testing.T) {
	w := newWorld(t, kit{rules: append(everyAccess(t), Rule{Path: "/old", Access: Login, AnyPtags: true})})
	nobody, person, former := w.visitor(""), w.loggedIn("test0001"), w.visitor("test0010")
	require.Equal(t, http.StatusOK, former.get("/old").StatusCode)
	w.backend.reset()
	const anonymous, known = `{"logged_in":false}`, `{"logged_in":true,"principal":"test0001","ptags":["current"],"expires":"2026-02-03T14:00:00Z"}`
	for _, row := range []struct {
		name, method, path string
		v                  *visitor
		edit               func(*http.Request)
		status             int
		body               string
	}{
		{"nobody", "GET", "", nobody, scripted, 200, anonymous},
		{"somebody", "GET", "", person, scripted, 200, known},
		{"somebody whom no rule but one lets in", "GET", "", former, scripted, 200, `{"logged_in":true,"principal":"test0010","expires":"2026-02-03T14:00:00Z"}`},
		{"HEAD", "HEAD", "", person, scripted, 200, ""},
		{"an older browser", "GET", "", person, func(*http.Request) {}, 200, known},
		{"into the address bar", "GET", "", person, header("Sec-Fetch-Site", "none"), 200, known},
		{"a page elsewhere", "GET", "", person, foreign, 403, ""},
		{"a page elsewhere that a link leads from", "GET", "", person, header("Sec-Fetch-Site", "cross-site"), 403, ""},
		{"a page of a sibling", "GET", "", person, header("Sec-Fetch-Site", "same-site"), 403, ""},
		{"a page elsewhere, in an older browser", "GET", "", person, header("Origin", "https://evil.example"), 403, ""},
		{"a page elsewhere that says it was typed", "GET", "", person, func(r *http.Request) {
			foreign(r)
			r.Header.Set("Sec-Fetch-Site", "none")
		}, 403, ""},
		{"POST", "POST", "", person, scripted, 405, ""},
		{"OPTIONS", "OPTIONS", "", person, foreign, 405, ""},
		{"below it", "GET", "/x", person, scripted, 404, ""},
		{"with a response of the login service", "GET", "?WLS-Response=3!200", person, scripted, 401, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := row.v.do(row.method, whoamiPath+row.path, nil, row.edit)
			require.Equal(t, row.status, answer.StatusCode, answer.body)
			assert.Empty(t, answer.Header["Set-Cookie"])
			assert.Empty(t, answer.Header["Access-Control-Allow-Origin"])
			if row.status != http.StatusOK {
				assert.NotContains(t, answer.body, "test0001")
				return
			}
			assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
			assert.Equal(t, "same-origin", answer.Header.Get("Cross-Origin-Resource-Policy"))
			assert.Equal(t, "application/json", answer.Header.Get("Content-Type"))
			if row.body != "" {
				assert.JSONEq(t, row.body, answer.body)
			}
		})
	}
	assert.Empty(t, w.backend.take())
}

// A page that is left open and asks keeps no session alive.
func TestWhoamiIsNoUse(t *testing.T) {
	w := newWorld(t, kit{config: func(cfg *Config) { cfg.Session.Inactivity = Duration(10 * time.Minute) }})
	v := w.loggedIn("test0001")
	for _, after := range []time.Duration{0, 9 * time.Minute, 11 * time.Minute} {
		w.fake.SetNow(testNow.Add(after))
		answer := v.get(whoamiPath, scripted)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Empty(t, answer.Header["Set-Cookie"])
		var got session
		require.NoError(t, json.Unmarshal([]byte(answer.body), &got))
		assert.Equal(t, after < 10*time.Minute, got.LoggedIn, after)
	}
}
