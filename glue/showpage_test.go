package glue_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// A package without an Auth shows a page in the look of the others.
func ExampleShowPage() {
	full := glue.Page{Kind: "full", Status: http.StatusServiceUnavailable, Title: "This course is full",
		Text: []string{"Another one begins in January."}}
	w := httptest.NewRecorder()
	if err := glue.ShowPage(w, httptest.NewRequest(http.MethodGet, "/", nil), full, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Println(w.Code, w.Header().Get("Cache-Control"), strings.Contains(w.Body.String(), "<h1>This course is full</h1>"))
	// Output: 503 no-store true
}

func ExampleWantsPage() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if glue.WantsPage(r) {
			fmt.Println("a page")
			return
		}
		fmt.Println("a short answer")
	})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "text/html")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	r.Header.Set("Accept", "application/json")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// a page
	// a short answer
}

func TestShowPage(t *testing.T) {
	form := &glue.Form{Action: "https://soc.example/login", Button: "Go", Hidden: map[string]string{"h": `"<`}, Fields: []glue.Field{
		{Name: "who", Label: `Your "<name>"`, Type: "text", Value: `"><script>`, Autocomplete: "username"},
		{Name: "what", Label: "Anything", Type: "password"},
	}}
	for _, tc := range []struct {
		name   string
		method string
		page   glue.Page
		asks   string // WWW-Authenticate that is set before
		want   map[string]string
	}{
		{"a text", http.MethodGet, glue.Page{Kind: "x", Status: 403, Title: "X"}, "", map[string]string{"Referrer-Policy": "no-referrer"}},
		{"a form", http.MethodGet, glue.Page{Kind: "x", Status: 200, Title: "X", Form: form}, "", map[string]string{"Referrer-Policy": "same-origin"}},
		{"401", http.MethodGet, glue.Page{Kind: "x", Status: 401, Title: "X"}, "", map[string]string{"Www-Authenticate": "Ucam-WebAuth"}},
		{"401 with another scheme", http.MethodGet, glue.Page{Kind: "x", Status: 401, Title: "X"}, `Basic realm="x"`, map[string]string{"Www-Authenticate": `Basic realm="x"`}},
		{"HEAD", http.MethodHead, glue.Page{Kind: "x", Status: 403, Title: "X"}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if tc.asks != "" {
				w.Header().Set("WWW-Authenticate", tc.asks)
			}
			require.NoError(t, glue.ShowPage(w, httptest.NewRequest(tc.method, "/", nil), tc.page, nil))
			h := w.Result().Header
			assert.Equal(t, tc.page.Status, w.Code)
			assert.Equal(t, "no-store", h.Get("Cache-Control"))
			assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			assert.Equal(t, "DENY", h.Get("X-Frame-Options"))
			assert.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
			for name, value := range tc.want {
				assert.Equal(t, value, h.Get(name), name)
			}
			assert.Equal(t, tc.method == http.MethodHead, w.Body.Len() == 0)
			assert.NotContains(t, w.Body.String(), "<script>")
			if tc.page.Form != nil {
				assert.Contains(t, w.Body.String(), `<label for="who">Your &#34;&lt;name&gt;&#34;</label><input id="who" name="who" type="text" value="&#34;&gt;&lt;script&gt;" autocomplete="username"`)
				assert.Contains(t, w.Body.String(), `<input id="what" name="what" type="password" value="" autocapitalize="none"`)
			}
		})
	}

	// In the site's own dress, with our headers.
	w := httptest.NewRecorder()
	require.NoError(t, glue.ShowPage(w, httptest.NewRequest(http.MethodGet, "/", nil), glue.Page{Status: 403, Title: "X"},
		func(w http.ResponseWriter, _ *http.Request, p glue.Page) {
			w.WriteHeader(p.Status)
			fmt.Fprint(w, "own "+p.Title)
		}))
	assert.Equal(t, "own X", w.Body.String())
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
}
