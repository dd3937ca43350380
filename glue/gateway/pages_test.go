package gateway

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The page about what is not there leads to what is, and never to itself alone.
func TestNotFound_links(t *testing.T) {
	for _, row := range []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"a front page", []Rule{{Path: "/wiki"}, {Path: "/", Access: Public}}, `href="/">Front page</a>`},
		{"none", []Rule{{Path: "/b"}, {Path: "/wiki/long"}}, `href="/b/">Go to /b/</a>`},
		{"not to a password", []Rule{everyAccess(t)[5], {Path: "/wiki"}}, `href="/wiki/">Go to /wiki/</a>`},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, kit{rules: row.rules})
			for _, path := range []string{"/.wls/nothing", "/nothing"} {
				if row.name == "a front page" && path == "/nothing" {
					continue
				}
				answer := w.visitor("test0001").get(path)
				assert.Equal(t, http.StatusNotFound, answer.StatusCode)
				assert.Contains(t, answer.body, row.want)
				assert.NotContains(t, answer.body, `href="`+path+`"`)
			}
		})
	}
}

// Whoever cancels the browser's question for a password sees a page.
func TestBasic_cancelled(t *testing.T) {
	answer := basicWorld(t).visitor("").get("/basic")
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.Contains(t, answer.Header.Get("WWW-Authenticate"), "Basic")
	assert.Contains(t, answer.body, `data-page="password-needed"`)
	assert.NotContains(t, answer.body, "quote this reference", "nothing is logged")
}
