package gateway

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// startCaddy starts Caddy in a directory of its own, with the README's configuration.
func startCaddy(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	program, dir := frontProgram(t, "caddy", "caddy"), t.TempDir()
	_, port, _ := strings.Cut(addr, ":")
	config := "{\n\tadmin off\n\tauto_https off\n}\n" + snippet(t, "Caddyfile",
		"soc.example {", "http://localhost:"+port+" {\n\tbind 127.0.0.1",
		"127.0.0.1:8000", strings.TrimPrefix(app, "http://"),
		"127.0.0.1:8090", strings.TrimPrefix(gateway, "http://"))
	file := filepath.Join(dir, "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	cmd := exec.Command(program, "run", "--config", file, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	return startProgram(t, addr, cmd)
}

func TestCaddy(t *testing.T) { testFront(t, startCaddy) }
