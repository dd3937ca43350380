package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// logged is a line of the gateway's access log.
type logged struct {
	URI, Rule, Backend string
	Status             int
}

// judge compares what the gateway judged with what the backend believed, and gives the
// numbers of requests that either had.
func (b *backendWorld) judge() (passed, believed int) {
	b.running.Wait()
	rules := map[string]logged{}
	for _, line := range linesOf[logged](b.t, b.lines) {
		if i := strings.LastIndex(line.URI, "id="); i >= 0 && line.Backend != "" {
			rules[line.URI[i+len("id="):]] = line
			passed++
		}
	}
	seen := map[string]int{}
	for _, got := range linesOf[belief](b.t, b.serving.seen) {
		believed++
		id := got.Env["HTTP_X_ROW"]
		line, ok := rules[id]
		i, err := strconv.Atoi(id)
		if !ok || err != nil || i >= len(b.asked) {
			b.mismatch(asked{}, "nobody asked for this: %s %q of %q", got.Env["REQUEST_METHOD"], got.Env["REQUEST_URI"]+got.Env["RAW_URI"], got.Env["HTTP_REMOTE_USER"])
			continue
		}
		a := b.asked[i]
		if seen[id]++; seen[id] > 1 {
			b.mismatch(a, "seen twice")
		}
		want := judged{rule: line.Rule, visitor: a.visitor, method: a.method, host: b.host, body: a.body}
		want.anyBody = a.broken || b.of.whole && a.wire != ""
		for _, wrong := range got.mismatches(want, b.of.script) {
			b.mismatch(a, "%s", wrong)
		}
		for _, line := range a.lines {
			name, value, _ := strings.Cut(line, ": ")
			if a.honest && strings.HasPrefix(name, "X-") && got.Env["HTTP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] != value {
				b.mismatch(a, "%s did not arrive", line)
			}
		}
	}
	for i, a := range b.asked {
		id := strconv.Itoa(i)
		if b.of.methods != nil && !slices.Contains(b.of.methods, a.method) {
			continue
		}
		if a.honest && seen[id] == 0 {
			b.mismatch(a, "did not arrive (status %d)", rules[id].Status)
		}
		if rules[id].Status == http.StatusOK && seen[id] == 0 {
			b.mismatch(a, "the backend answered what its program did not see")
		}
		var got belief
		if a.answer != nil && (json.Unmarshal(a.answer, &got) != nil || got.Env["HTTP_X_ROW"] != id) && a.method != http.MethodHead {
			b.mismatch(a, "got the answer to another request: %.300s", a.answer)
		}
	}
	return passed, believed
}

func (b *backendWorld) mismatch(a asked, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if a.name != "" {
		what = a.String() + ": " + what
	}
	b.wrong = append(b.wrong, mismatch{b.of.name, a.name, what})
}

// linesOf reads a file of JSON values.
func linesOf[T any](t testing.TB, name string) (all []T) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		var v T
		require.NoError(t, json.Unmarshal(line, &v), "%s", line)
		all = append(all, v)
	}
	return all
}
