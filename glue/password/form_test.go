package password_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestNewFormRefuses(t *testing.T) {
	checker := func(cfg site.Config) *password.Checker {
		t.Helper()
		cfg.BaseURL = "https://soc.example/app"
		soc, err := site.New(cfg)
		require.NoError(t, err)
		c, err := password.New(password.Config{Site: soc, Check: onePassword})
		require.NoError(t, err)
		return c
	}
	good := checker(site.Config{Secret: rand.Text() + rand.Text()})
	for _, row := range []struct {
		name    string
		checker *password.Checker
		cfg     password.FormConfig
		want    string // "" where it is no mistake
	}{
		{"the defaults", good, password.FormConfig{}, ""},
		{"paths of the site", good, password.FormConfig{Path: "/app/in", LogoutPath: "/app/out", MaxLife: time.Minute}, ""},
		{"no checker", nil, password.FormConfig{}, "there is no Checker"},
		{"a site without a secret", checker(site.Config{}), password.FormConfig{}, "Secret"},
		{"a path elsewhere", good, password.FormConfig{Path: "//evil.example"}, "FormConfig.Path"},
		{"a path beside the site", good, password.FormConfig{Path: "/login"}, "FormConfig.Path"},
		{"a path with a query", good, password.FormConfig{Path: "/app/login?x"}, "FormConfig.Path"},
		{"no path", good, password.FormConfig{LogoutPath: "logout"}, "FormConfig.LogoutPath"},
		{"one path for both", good, password.FormConfig{LogoutPath: "/app/login"}, "are one"},
		{"a short life", good, password.FormConfig{MaxLife: time.Second}, "MaxLife is 1 second"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, err := password.NewForm(row.checker, row.cfg)
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.want)
			assert.Nil(t, f)
		})
	}
}
