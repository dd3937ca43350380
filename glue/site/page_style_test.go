package site_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// The style of pages: colours that can be read (WCAG 2.2, 1.4.3 and 1.4.11), a focus that
// can be seen (2.4.7), and targets that can be hit (2.5.5).
func TestPages_style(t *testing.T) {
	var pageStyle string
	soc, _ := newSite(t, site.Config{BaseURL: base, Page: func(_ http.ResponseWriter, _ *http.Request, p site.Page) { pageStyle = string(p.Style) }})
	soc.Show(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), site.Page{})

	light, dark, found := strings.Cut(pageStyle, "@media (prefers-color-scheme: dark)")
	require.True(t, found)
	for theme, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			colours[m[1]] = m[2]
		}
		for _, c := range []struct {
			front, back string
			atLeast     float64
		}{
			{"text", "card", 7}, {"text", "page", 7}, {"muted", "card", 4.5}, {"muted", "page", 4.5},
			{"accent", "card", 4.5}, {"accent", "page", 4.5}, {"accent-over", "card", 4.5},
			{"on-accent", "accent", 4.5}, {"on-accent", "accent-over", 4.5},
			{"danger", "card", 4.5}, {"danger", "page", 4.5}, {"on-danger", "danger", 4.5}, {"on-danger", "danger-over", 4.5},
			{"edge", "card", 3}, {"edge", "page", 3}, {"done", "card", 3}, {"alert", "card", 3},
		} {
			require.NotEmpty(t, colours[c.front]+colours[c.back], theme)
			ratio := contrast(t, colours[c.front], colours[c.back])
			assert.GreaterOrEqual(t, ratio, c.atLeast, "%s: %s on %s", theme, c.front, c.back)
		}
	}
	assert.Regexp(t, `:focus-visible \{ outline: 3px solid`, pageStyle)
	assert.NotContains(t, strings.Replace(pageStyle, "main:focus { outline: none; }", "", 1), "outline: none", "but for where a link leads")
	for _, target := range []string{`.next a`, `.next .button, .button, button`, `input[type=text], input[type=url], input[type=password], select, textarea`} {
		assert.Regexp(t, `(?m)^`+regexp.QuoteMeta(target)+` \{[^}]*min-height: 2\.75rem;`, pageStyle)
	}
	assert.NotRegexp(t, `url\(|@import|@font-face`, pageStyle)
}

// contrast is the contrast ratio of two colours (WCAG 2.2, "contrast ratio").
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, colour string) (sum float64) {
	t.Helper()
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}
