package gateway

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIsLaxer(t *testing.T) {
	five, six := Duration(5*time.Minute), Duration(6*time.Minute)
	here, there := netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24")
	for _, row := range []struct {
		name          string
		strict, laxer Rule
	}{
		{"public", Rule{Access: Optional}, Rule{Access: Public}},
		{"optional", Rule{Access: Basic}, Rule{Access: Optional}},
		{"a token of the backend's", Rule{Access: Login}, Rule{Access: LoginOrBearer}},
		{"a password, not a token of the backend's", Rule{Access: LoginOrBearer}, Rule{Access: Basic}},
		{"another kind", Rule{Access: Login}, Rule{Access: Basic}},
		{"everybody", Rule{Principals: []string{"a"}}, Rule{}},
		{"one more person", Rule{Principals: []string{"a"}}, Rule{Principals: []string{"a", "b"}}},
		{"a group too", Rule{Principals: []string{"a"}}, Rule{Principals: []string{"a"}, Groups: []string{"g"}}},
		{"everybody, not a group", Rule{Groups: []string{"g"}}, Rule{}},
		{"former members", Rule{}, Rule{AnyPtags: true}},
		{"one more ptag", Rule{Ptags: []string{"x"}}, Rule{Ptags: []string{"x", "y"}}},
		{"no ptag of its own", Rule{Ptags: []string{"x"}}, Rule{}},
		{"no password now", Rule{IAct: "yes"}, Rule{}},
		{"any way", Rule{AAuth: []string{"pwd"}}, Rule{}},
		{"not fresh", Rule{Fresh: five}, Rule{}},
		{"less fresh", Rule{Fresh: five}, Rule{Fresh: six}},
		{"from somewhere", Rule{}, Rule{AllowFrom: []netip.Prefix{here}}},
		{"from elsewhere too", Rule{AllowFrom: []netip.Prefix{here}}, Rule{AllowFrom: []netip.Prefix{here, there}}},
		{"from one other site", Rule{}, Rule{CrossOrigin: CrossOrigin{"https://a.example"}}},
		{"from one more site", Rule{CrossOrigin: CrossOrigin{"https://a.example"}}, Rule{CrossOrigin: CrossOrigin{"https://b.example", "https://a.example"}}},
		{"from all, not one", Rule{CrossOrigin: CrossOrigin{"https://a.example"}}, Rule{CrossOrigin: CrossOrigin{AnyOrigin}}},
		{"from other sites", Rule{}, Rule{CrossOrigin: CrossOrigin{AnyOrigin}}},
		{"a header more", Rule{PassHeaders: []string{"X_A"}}, Rule{PassHeaders: []string{"X_A", "X-Original-Url"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.True(t, isLoosened(&row.strict, &row.laxer))
			assert.False(t, isLoosened(&row.laxer, &row.laxer))
			assert.False(t, isLoosened(&row.laxer, &row.strict))
		})
	}
}

func TestReloadTellsWhatItOpens(t *testing.T) {
	w := newWorld(t, kit{})
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.NotContains(t, w.log.String(), "since the reload")
	cfg := w.cfg
	cfg.Rules = []Rule{
		{Path: "/public/", Access: Public, To: cfg.Rules[0].To}, {Path: "/optional", Access: Optional},
		{Path: "/private", Access: Public}, {Path: "/named", Access: Login, Principals: []string{"test0003"}},
	}
	for i := range cfg.Rules {
		cfg.Rules[i].To = cfg.Rules[0].To
	}
	require.NoError(t, w.gateway.Reload(cfg))
	assert.Contains(t, w.log.String(), `level=WARN msg="wls gateway: rules are gone since the reload" rules="[/public/deep /basic]"`)
	assert.Contains(t, w.log.String(), `level=WARN msg="wls gateway: rules ask for less since the reload" rules="[/private /named]"`)
	assert.NotContains(t, w.log.String(), "test000")
}

// A secret that is away for a moment is not made anew: that would log everybody out.
func TestReloadMakesNoSecret(t *testing.T) {
	w := newWorld(t, kit{})
	v := w.loggedIn("test0001")
	kept := w.cfg.SecretFile + ".kept"
	require.NoError(t, os.Rename(w.cfg.SecretFile, kept))
	cfg := w.cfg
	cfg.Rules = []Rule{{Path: "/", Access: Public, To: cfg.Rules[0].To}}
	err := w.gateway.Reload(cfg)
	require.Error(t, err)
	found := Findings(err)
	require.Len(t, found, 1)
	assert.Equal(t, "secret-file", found[0].Key)
	assert.NoFileExists(t, w.cfg.SecretFile)
	asked := len(w.fake.Requests())
	assert.Equal(t, 200, v.get("/private/").StatusCode)
	assert.Equal(t, 403, v.get("/named").StatusCode, "the old rules")
	assert.Len(t, w.fake.Requests(), asked, "still logged in")

	require.NoError(t, os.Rename(kept, w.cfg.SecretFile))
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.Equal(t, 200, v.get("/private/").StatusCode)
	assert.Len(t, w.fake.Requests(), asked, "still logged in")
}
