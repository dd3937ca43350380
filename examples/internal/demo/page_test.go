package demo_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// The examples look like the pages of the SDK: colours and fonts are said there alone.
func TestStyle(t *testing.T) {
	page, sheet := httptest.NewRecorder(), httptest.NewRecorder()
	demo.Dress(site.Config{}).Show(page, httptest.NewRequest(http.MethodGet, "/", nil), site.Page{Status: http.StatusOK})
	_, style, _ := strings.Cut(page.Body.String(), "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	demo.Style(sheet, httptest.NewRequest(http.MethodGet, "/page.css", nil))
	assert.Equal(t, "text/css; charset=utf-8", sheet.Header().Get("Content-Type"))
	own, found := strings.CutPrefix(sheet.Body.String(), style)
	assert.True(t, found)
	assert.NotRegexp(t, `#[0-9a-f]{6}|--[a-z]+:|system-ui`, own)
}

func TestNotFound(t *testing.T) {
	for accept, want := range map[string]string{
		"text/html": `<a class="button" href="/">Front page</a>`, "*/*": "There is no such page\n", "application/json": "There is no such page\n",
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/evil?evil=%3Cscript%3E", nil)
		r.Header.Set("Accept", accept)
		demo.NotFound(demo.Dress(site.Config{}))(w, r)
		assert.Equal(t, http.StatusNotFound, w.Code)
		assert.Contains(t, w.Body.String(), want)
		assert.NotContains(t, w.Body.String(), "evil")
		assert.Equal(t, accept == "text/html", strings.Contains(w.Body.String(), "<html"))
	}
}
