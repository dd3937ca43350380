package site_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// A page of the application's own in the look of the others.
func ExampleSite_Show() {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example"})
	if err != nil {
		panic(err)
	}
	full := site.Page{Kind: "full", Status: http.StatusServiceUnavailable, Title: "This course is full",
		Text: []string{"Another one begins in January."}}
	w := httptest.NewRecorder()
	soc.Show(w, httptest.NewRequest(http.MethodGet, "/", nil), full)
	fmt.Println(w.Code, w.Header().Get("Cache-Control"), strings.Contains(w.Body.String(), "<h1>This course is full</h1>"))
	// Output: 503 no-store true
}

func ExampleWantsPage() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site.WantsPage(r) {
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

func TestSite_Show(t *testing.T) {
	soc, _ := newSite(t, site.Config{BaseURL: base})
	form := &site.Form{Action: "https://soc.example/login", Button: "Go", Hidden: map[string]string{"h": `"<`}, Fields: []site.Field{
		{Name: "who", Label: `Your "<name>"`, Type: "text", Value: `"><script>`, Autocomplete: "username"},
		{Name: "what", Label: "Anything", Type: "password"},
	}}
	for _, tc := range []struct {
		name   string
		method string
		page   site.Page
		asks   string // WWW-Authenticate that is set before
		want   map[string]string
	}{
		{"in a frame", http.MethodGet, site.Page{Kind: "x", Status: 401, Title: "X", Framed: true}, "", map[string]string{"X-Frame-Options": "SAMEORIGIN"}},
		{"a text", http.MethodGet, site.Page{Kind: "x", Status: 403, Title: "X"}, "", map[string]string{"Referrer-Policy": "no-referrer"}},
		{"a form", http.MethodGet, site.Page{Kind: "x", Status: 200, Title: "X", Form: form}, "", map[string]string{"Referrer-Policy": "same-origin"}},
		{"401", http.MethodGet, site.Page{Kind: "x", Status: 401, Title: "X"}, "", map[string]string{"Www-Authenticate": "Ucam-WebAuth"}},
		{"401 with another scheme", http.MethodGet, site.Page{Kind: "x", Status: 401, Title: "X"}, `Basic realm="x"`, map[string]string{"Www-Authenticate": `Basic realm="x"`}},
		{"HEAD", http.MethodHead, site.Page{Kind: "x", Status: 403, Title: "X"}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if tc.asks != "" {
				w.Header().Set("WWW-Authenticate", tc.asks)
			}
			soc.Show(w, httptest.NewRequest(tc.method, "/", nil), tc.page)
			h := w.Result().Header
			assert.Equal(t, tc.page.Status, w.Code)
			assert.Equal(t, "no-store", h.Get("Cache-Control"))
			assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			if tc.page.Framed {
				assert.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'self';")
			} else {
				assert.Equal(t, "DENY", h.Get("X-Frame-Options"))
				assert.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none';")
			}
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
	soc, _ = newSite(t, site.Config{BaseURL: base, Page: func(w http.ResponseWriter, _ *http.Request, p site.Page) {
		w.WriteHeader(p.Status)
		fmt.Fprint(w, "own "+p.Title)
		assert.NotEmpty(t, p.Style)
	}})
	w := httptest.NewRecorder()
	soc.Show(w, httptest.NewRequest(http.MethodGet, "/", nil), site.Page{Status: 403, Title: "X"})
	assert.Equal(t, "own X", w.Body.String())
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
}

// The title and a line above the page say whose it is.
func TestSite_Name(t *testing.T) {
	for _, tc := range []struct{ name, said, baseURL, want, markup string }{
		{"default", "", "https://Soc.Example:443/", "soc.example", "soc.example"},
		{"default with a port and a path", "", "http://localhost:8080/~quiz/", "localhost:8080/~quiz", "localhost:8080/~quiz"},
		{"said", "Quiz Society", base, "Quiz Society", "Quiz Society"},
		{"escaped", `Q&A </title><script>`, base, `Q&A </title><script>`, "Q&amp;A &lt;/title&gt;&lt;script&gt;"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			soc, _ := newSite(t, site.Config{BaseURL: tc.baseURL, SiteName: tc.said})
			assert.Equal(t, tc.want, soc.Name())
			w := httptest.NewRecorder()
			soc.Show(w, httptest.NewRequest(http.MethodGet, "/", nil), site.Page{Status: 403, Title: "No"})
			assert.Contains(t, w.Body.String(), "<title>No – "+tc.markup+"</title>")
			assert.Contains(t, w.Body.String(), `<header class="alone"><bdi>`+tc.markup+`</bdi></header>`)
		})
	}
}

// A body has forms of its own; of the Form beside it only the target counts.
func TestSite_Show_body(t *testing.T) {
	soc, _ := newSite(t, site.Config{BaseURL: base})
	for name, tc := range map[string]struct {
		page   site.Page
		policy string
	}{
		"forms that stay":    {site.Page{Status: 200, Title: "X", Body: "<b>all</b>"}, "; form-action 'self'"},
		"a form to anywhere": {site.Page{Status: 200, Title: "X", Body: "<b>all</b>", Form: &site.Form{AnyTarget: true}}, "frame-ancestors 'none'"},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			soc.Show(w, httptest.NewRequest(http.MethodGet, "/", nil), tc.page)
			assert.Regexp(t, tc.policy+"$", w.Header().Get("Content-Security-Policy"))
			assert.Contains(t, w.Body.String(), "<b>all</b>")
			assert.NotContains(t, w.Body.String(), "<form")
		})
	}
}

func TestSite_Refuse(t *testing.T) {
	const person, script = "text/html", "application/json"
	for _, tc := range []struct {
		name, method, target, accept string
		page                         site.Page
		want                         string
	}{
		{"a person, and it may help to try again", http.MethodGet, "/a?b=c&WLS-Response=x", person, site.Page{Status: 503, Title: "X"}, `<a class="button" href="/a?b=c">Try again</a>`},
		{"a person, and it does not help", http.MethodGet, "/a", person, site.Page{Status: 403, Title: "X"}, `href="/">Front page</a>`},
		{"a form is not sent again", http.MethodPost, "/a", person, site.Page{Status: 503, Title: "X"}, `href="/">Front page</a>`},
		{"the page knows better", http.MethodGet, "/a", person, site.Page{Status: 503, Title: "X", Links: []site.Link{{Text: "There", Href: "/t"}}}, `href="/t">There</a>`},
		{"a script that takes JSON", http.MethodGet, "/a", script, site.Page{Status: 403, Title: "X"}, `{"error":"forbidden","reason":"why"}`},
		{"a script with a word of the page's own", http.MethodGet, "/a", script, site.Page{Status: 403, Title: "X", Code: "no"}, `{"error":"no","reason":"why"}`},
		{"another script", http.MethodGet, "/a", "", site.Page{Status: 403, Title: "X", Text: []string{"Y.", "Z."}}, "Forbidden: why. Y. Z.\n"},
		{"another script with a line of the page's own", http.MethodGet, "/a", "", site.Page{Status: 403, Title: "X", Brief: "No."}, "No.\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var seen site.Event
			soc, log := newSite(t, site.Config{BaseURL: base, OnEvent: func(_ context.Context, e site.Event) { seen = e }})
			r := httptest.NewRequest(tc.method, tc.target, nil)
			r.Host = "soc.example"
			r.Header.Set("Accept", tc.accept)
			w := httptest.NewRecorder()
			soc.Refuse(w, r, site.Event{From: "test", Name: "refused", Reason: "why", Level: slog.LevelWarn, More: []slog.Attr{slog.String("more", "yes")}}, tc.page)
			assert.Equal(t, tc.page.Status, w.Code)
			assert.Contains(t, w.Body.String(), tc.want)
			assert.Equal(t, []string{"/a", "soc.example", "192.0.2.1"}, []string{seen.Path, seen.Host, seen.Client})
			assert.Equal(t, tc.accept == person, seen.Ref != "" && strings.Contains(w.Body.String(), seen.Ref))
			assert.Contains(t, log.String(), `level=WARN msg="test refused" event=refused reason=why more=yes`)
		})
	}
}

func TestSite_SameOrigin(t *testing.T) {
	soc, _ := newSite(t, site.Config{BaseURL: base})
	for _, tc := range []struct {
		name, host, from, origin string
		same, told               bool
	}{
		{"nothing is said", "soc.example", "", "", false, false},
		{"an Origin that says nothing", "soc.example", "", "null", false, false},
		{"our page", "soc.example", "same-origin", base, true, true},
		{"our page, without Origin", "soc.example", "same-origin", "", true, true},
		{"our page, which asks for no referrer", "soc.example", "same-origin", "null", true, true},
		{"our page, of an old browser", "soc.example", "", base, true, true},
		{"the default port", "soc.example:443", "", base, true, true},
		{"another host of the same site", "soc.example", "same-site", "https://www.soc.example", false, true},
		{"another site", "soc.example", "cross-site", "https://evil.example", false, true},
		{"no page at all", "soc.example", "none", "", false, true},
		{"another origin, of an old browser", "soc.example", "", "https://evil.example", false, true},
		{"another scheme", "soc.example", "", "http://soc.example", false, true},
		{"the two contradict each other", "soc.example", "same-origin", "https://evil.example", false, true},
		{"at a host that is not ours", "evil.example", "same-origin", "https://evil.example", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Host = tc.host
			r.Header.Set("Sec-Fetch-Site", tc.from)
			r.Header.Set("Origin", tc.origin)
			same, told := soc.SameOrigin(r)
			assert.Equal(t, []bool{tc.same, tc.told}, []bool{same, told})
		})
	}
}
