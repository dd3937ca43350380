package readmes

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`^#{1,6} +(.*?)$`)
	notAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchor is the fragment that a heading is found by, as GitHub makes it.
func anchor(heading string) string {
	return strings.ReplaceAll(notAnchors.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// TestLinks: every file and every heading that a document refers to is there.
func TestLinks(t *testing.T) {
	texts, anchors := documents(t), map[string][]string{}
	for file, text := range texts {
		_, prose, err := cut(file, text)
		require.NoError(t, err)
		for _, line := range prose {
			if m := heading.FindStringSubmatch(line); m != nil {
				require.NotContains(t, anchors[file], anchor(m[1]), "%s: two headings are called %s", file, m[1])
				anchors[file] = append(anchors[file], anchor(m[1]))
			}
		}
	}
	for file, text := range texts {
		_, prose, err := cut(file, text)
		require.NoError(t, err)
		for i, line := range prose {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				target, fragment, hasFragment := strings.Cut(m[1], "#")
				if target = path.Join(path.Dir(file), target); strings.HasPrefix(m[1], "#") {
					target = file
				}
				_, err := os.Stat(filepath.Join(root, target))
				assert.NoError(t, err, "%s:%d: %s", file, i+1, m[1])
				if hasFragment {
					assert.Contains(t, anchors[target], fragment, "%s:%d: %s", file, i+1, m[1])
				}
			}
		}
	}
}
