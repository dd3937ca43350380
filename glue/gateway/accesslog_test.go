package gateway

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a whole login leaves in the log is who came, and nothing to come in with.
func TestLogOfALogin(t *testing.T) {
	for _, format := range []string{"combined", "json"} {
		t.Run(format, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "access.log")
			w := newWorld(t, kit{config: func(cfg *Config) { cfg.Log = Log{Access: path, Format: format} }})
			v := w.visitor("test0001")
			require.Equal(t, http.StatusOK, v.get("/private/a?b=c").StatusCode)
			require.Equal(t, http.StatusForbidden, v.get("/named").StatusCode)
			require.NoError(t, w.gateway.log.Close())
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
			require.Len(t, lines, 4, "to the login service, back, the page, and the one for others:\n%s", text)
			assert.NotContains(t, string(text), "WLS-Response")
			assert.Contains(t, lines[0], "/private/a?b=c")
			assert.NotContains(t, lines[0], "test0001")
			for _, line := range lines[1:] {
				assert.Contains(t, line, "test0001")
			}
			if format == "json" {
				assert.Contains(t, lines[2], `"rule":"/private"`)
				assert.Contains(t, lines[3], `"ref":"`)
			}
		})
	}
}
