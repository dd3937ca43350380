package redirecturi

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOrigin(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example/cb?tenant=1": "https://app.example",
		"https://app.example":             "https://app.example",
		"https://app.example:8443/cb":     "https://app.example:8443",
		"http://127.0.0.1/cb":             "http://127.0.0.1",
		"http://127.0.0.1:5173":           "http://127.0.0.1", // any port, as Matches
		"http://[::1]:5173/":              "http://[::1]",
		"http://app.example/cb":           "http://app.example", // none that can be registered
		"com.example.app:/callback":       "",
		"null":                            "",
		"":                                "",
		"chrome-extension://abcdef":       "",
		"https://":                        "",
		"https://a@app.example":           "",
	} {
		assert.Equal(t, want, Origin(uri), uri)
	}
}

func TestOrigins(t *testing.T) {
	assert.Equal(t, []string{"https://app.example", "http://127.0.0.1"},
		Origins([]string{"https://app.example/a", "com.example.app:/", "http://127.0.0.1:1/", "https://app.example/b", "http://127.0.0.1/x"}))
	assert.Empty(t, Origins(nil))
}
