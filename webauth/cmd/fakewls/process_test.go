package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBinary builds the program, and stops it as people and systemd do.
func TestBinary(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "fakewls")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for signal, name := range map[os.Signal]string{os.Interrupt: "SIGINT", syscall.SIGTERM: "SIGTERM"} {
		cmd := exec.Command(binary, "-addr", "127.0.0.1:0")
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var text strings.Builder
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			text.WriteString(lines.Text() + "\n")
			if strings.HasPrefix(lines.Text(), "  log in ") {
				require.NoError(t, cmd.Process.Signal(signal))
			}
		}
		assert.NoError(t, cmd.Wait(), name)
		assert.Contains(t, text.String(), "msg=stopped reason="+name+" took=")
	}
}
