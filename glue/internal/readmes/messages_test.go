package readmes

import (
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	pageSource = regexp.MustCompile(`Status:\s*http\.Status(\w+),\s*Title:\s*"([^"]+)"`)
	pageRow    = regexp.MustCompile(`^\| ([^|]+) \((\d+)\) \|`)
)

// TestMessages: the pages that "When something goes wrong" names have these titles and
// statuses, and each page of package glue that refuses somebody is named.
func TestMessages(t *testing.T) {
	made, ours := map[string]bool{}, map[string]bool{}
	codes := map[string]int{}
	for code := 200; code < 600; code++ {
		codes[strings.NewReplacer(" ", "", "'", "", "-", "").Replace(http.StatusText(code))] = code
	}
	tree := os.DirFS(root + "/glue")
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		for _, m := range pageSource.FindAllStringSubmatch(read(t, root+"/glue/"+name), -1) {
			require.NotZero(t, codes[m[1]], m[1])
			page := m[2] + " (" + strconv.Itoa(codes[m[1]]) + ")"
			made[page] = true
			if name == "pages.go" && codes[m[1]] >= 400 {
				ours[page] = true
			}
		}
		return nil
	}))
	require.NotEmpty(t, ours)

	_, section, found := strings.Cut(readmes(t)["glue/README.md"], "\n## When something goes wrong\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		m := pageRow.FindStringSubmatch(line)
		if m == nil || strings.Contains(m[1], "…") { // with a name in it
			continue
		}
		for title := range strings.SplitSeq(m[1], ", ") {
			page := title + " (" + m[2] + ")"
			if !made[page] { // a title may have a comma
				page = m[1] + " (" + m[2] + ")"
			}
			assert.True(t, made[page], "no page is called %s", page)
			delete(ours, page)
		}
	}
	assert.Empty(t, ours, "pages that no row names")
}
