package serve

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// Masters of a cluster fail in several ways at once: each change of kind is a line.
func TestReadinessNotes(t *testing.T) {
	full := fmt.Errorf("Redis at a: %w (%w)", redisstore.ErrReadOnly, errors.New("OOM"))
	dead := errors.New("Redis at b: connection refused")
	var log bytes.Buffer
	var r Readiness
	for _, row := range []struct {
		name  string
		err   error
		lines int // so far
	}{
		{"ready", nil, 0},
		{"one is full", errors.Join(full), 1},
		{"two are", errors.Join(full, full), 1},
		{"another is dead", errors.Join(full, dead), 2},
		{"the full one has room again", errors.Join(dead), 3},
		{"still dead", errors.Join(dead), 3},
		{"ready again", nil, 4},
	} {
		r.note(slog.New(slog.NewTextHandler(&log, nil)), "wls gateway", row.err)
		assert.Equal(t, row.lines, strings.Count(log.String(), "\n"), row.name)
	}
}
