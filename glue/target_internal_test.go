package glue

import (
	"compress/flate"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
)

func TestCookiePath(t *testing.T) {
	long := "/" + strings.Repeat("a", maxCookiePath)
	for name, tt := range map[string]struct{ landing, want string }{
		"the start":              {"/", "/"},
		"a page":                 {"/private/page", "/private/page"},
		"a folder":               {"/private/", "/private/"},
		"encoded":                {"/private/%3B", "/private/%3B"},
		"the longest":            {long[:maxCookiePath], long[:maxCookiePath]},
		"too long":               {"/a/b" + long, "/a/b/"},
		"too long by a folder":   {long + "/b", "/"},
		"too long, one segment":  {long, "/"},
		"with a semicolon":       {"/private/page;v=1/x", "/private/"},
		"begins with one":        {"/;a", "/"},
		"with a control":         {"/a/\x00b", "/a/"},
		"beyond ASCII":           {"/a/é", "/a/"},
		"none":                   {"", "/"},
		"no path":                {";a/b", "/"},
		"a semicolon far behind": {"/a" + long + ";", "/a/"},
	} {
		assert.Equal(t, tt.want, cookiePath(tt.landing), name)
	}
}

func TestCutTargetMark(t *testing.T) {
	ref := randomID()
	for name, tt := range map[string]struct {
		url, left string
		ok        bool
	}{
		"ours":                {"https://soc.example/a?wls-target=" + ref, "https://soc.example/a", true},
		"of Login":            {"https://soc.example/login?next=%2Fa&wls-target=" + ref, "https://soc.example/login?next=%2Fa", true},
		"none":                {"https://soc.example/a?b=c", "", false},
		"nothing":             {"", "", false},
		"alone":               {"wls-target=" + ref, "", false},
		"in the path":         {"https://soc.example/wls-target=" + ref, "", false},
		"part of a name":      {"https://soc.example/a?xwls-target=" + ref, "", false},
		"not at the end":      {"https://soc.example/a?wls-target=" + ref + "&b", "", false},
		"too short":           {"https://soc.example/a?wls-target=" + ref[1:], "", false},
		"too long":            {"https://soc.example/a?wls-target=" + ref + "A", "", false},
		"no base64url":        {"https://soc.example/a?wls-target=" + ref[:21] + ".", "", false},
		"with bits to spare":  {"https://soc.example/a?wls-target=AAAAAAAAAAAAAAAAAAAAAB", "", false},
		"behind a semicolon":  {"https://soc.example/a?b;wls-target=" + ref, "", false},
		"in a path, and ours": {"https://soc.example/wls-target=" + ref + "?wls-target=" + ref, "https://soc.example/wls-target=" + ref, true},
	} {
		left, got, ok := cutTargetMark(tt.url)
		assert.Equal(t, tt.ok, ok, name)
		if ok {
			assert.Equal(t, []string{tt.left, ref}, []string{left, got}, name)
		}
	}
}

func TestTargetBase(t *testing.T) {
	ref := randomID()
	for name, base := range map[string]string{
		"wls-target." + ref + ".0":                   "wls-target",
		"__Secure-wls-target.app-8080." + ref + ".3": "__Secure-wls-target.app-8080",
		"wls-target." + ref:                          "",
		"wls-target." + ref + ".":                    "",
		"wls-target." + ref + ".10":                  "",
		"wls-target." + ref[1:] + ".0":               "",
		"wls-target":                                 "",
		"":                                           "",
		"..":                                         "",
	} {
		assert.Equal(t, base, targetBase(name), name)
	}
}

// What is inflated is bounded by what a target may have, whoever made it.
func TestInflate(t *testing.T) {
	longest := strings.Repeat("a", localpath.MaxTarget)
	text, ok := inflate(deflate(longest))
	require.True(t, ok)
	assert.Equal(t, longest, text)
	_, ok = inflate(deflate(longest + "a"))
	assert.False(t, ok)

	var bomb strings.Builder
	w, err := flate.NewWriter(&bomb, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 64<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	least := uint64(math.MaxUint64)
	for range 5 { // what other tests have left may allocate at one time or another
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, ok = inflate(bomb.String())
		runtime.ReadMemStats(&after)
		assert.False(t, ok)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	assert.Less(t, least, uint64(1<<20), "bytes")
	for name, data := range map[string]string{"nothing": "", "cut": deflate(longest)[:8], "noise": "\xff\xff\xff"} {
		_, ok := inflate(data)
		assert.False(t, ok, name)
	}
}
