package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRealBackendsWithoutNameRule: the table would notice if odd names were passed on. Each
// server takes for '-' what is known of it, and believes the rest.
func TestRealBackendsWithoutNameRule(t *testing.T) {
	var folding []realBackend
	for _, b := range realBackends {
		if b.folds != "" {
			folding = append(folding, b)
		}
	}
	rows := completed(nameRows([]believedName{{"Remote-User", "evil"}, {"Script-Name", "/optional"}, {"Content-Length", "0"}}))
	tried := tryBackends(t, folding, rows, func(w *world) { AllowOddHeaderNames(w.gateway) })
	for _, b := range tried {
		folded := ""
		for _, c := range strings.Split(oddCharacters, "") {
			if b.believed("Remote" + c + "User: evil") {
				folded += c
			}
		}
		assert.Equal(t, b.of.folds, folded, b.of.name)
		t.Logf("%s: %d requests, %d mismatches", b.of.name, len(b.asked), len(b.wrong))
	}
}

// believed reports whether something was wrong with a row.
func (b *backendWorld) believed(row string) bool {
	for _, m := range b.wrong {
		if m.row == row {
			return true
		}
	}
	return false
}
