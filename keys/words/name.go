package words

import (
	"fmt"
	"strings"
)

// Name returns that of the known names which was meant, whatever its letter case. If there is
// none, the error says which are known, and the nearest of them.
func Name(meant string, known ...string) (string, error) {
	for _, name := range known {
		if strings.EqualFold(name, meant) {
			return name, nil
		}
	}
	list := strings.Join(known, ", ")
	if nearest := Nearest(meant, known); nearest != "" {
		return "", fmt.Errorf("%q is none of %s: did you mean %q?", meant, list, nearest)
	}
	return "", fmt.Errorf("%q is none of %s", meant, list)
}

// Nearest returns the known name that a mistyped one resembles most, by the
// Damerau-Levenshtein distance; empty if it resembles none. Letter case, '_' and '-' make no
// difference, and about every third letter may be wrong.
func Nearest(mistyped string, known []string) (nearest string) {
	least, a := 0, folded(mistyped)
	for _, name := range known {
		b := folded(name)
		if len(a) > 2*len(b) {
			continue // whatever was typed, this takes no time
		}
		if d := distance(a, b); 3*d <= len(b) && (nearest == "" || d < least) {
			nearest, least = name, d
		}
	}
	return nearest
}

func folded(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}

// distance returns how many letters must be put in, taken out, replaced or swapped with the next
// one to make b of a: the Damerau-Levenshtein distance, without edits of what was swapped.
func distance(a, b string) int {
	var before, last []int // of what of a is done, to each beginning of b; before that by one letter less
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, row[j]+1, last[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
