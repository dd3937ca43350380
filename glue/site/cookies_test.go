package site_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestCookiesOfLogins(t *testing.T) {
	s, _ := newSite(t, site.Config{BaseURL: base})
	r := get("192.0.2.1:1", [2]string{"Cookie", "other=1; second-session="})
	assert.False(t, s.OwnCookie("first-session"))
	assert.False(t, s.HasSessionCookie(r))
	for _, login := range []string{"first", "second"} {
		s.AddCookies(site.Cookies{
			Sessions: []string{login + "-session"},
			Own:      func(name string) bool { return name == login+"-session" || name == login+"-browser" },
		})
	}
	for name, want := range map[string]bool{
		"first-session": true, "first-browser": true, "second-session": true, "second-browser": true, "other": false, "": false,
	} {
		assert.Equal(t, want, s.OwnCookie(name), name)
	}
	assert.True(t, s.HasSessionCookie(r), "good or bad")
	r.Header = http.Header{"Cookie": {"other=1; first-browser=1"}}
	assert.False(t, s.HasSessionCookie(r))
}
