package webauthtest

import (
	"iter"
	"slices"
)

// Mutations returns every text that differs from a given one in one place: each bit
// flipped, each byte removed, doubled, and replaced by each of the special characters of
// the protocol, of queries and of cookies, a letter, a digit and NUL. No mutation of what
// is signed or sealed may be accepted.
func Mutations(text string) iter.Seq[string] {
	const others = "!%&=+,;-._\" 0A\x00"
	return func(yield func(string) bool) {
		for i := range len(text) {
			with := func(middle ...byte) bool {
				mutant := string(slices.Concat([]byte(text[:i]), middle, []byte(text[i+1:])))
				return mutant == text || yield(mutant)
			}
			for bit := range 8 {
				if !with(text[i] ^ 1<<bit) {
					return
				}
			}
			if !with() || !with(text[i], text[i]) {
				return
			}
			for _, other := range []byte(others) {
				if !with(other) {
					return
				}
			}
		}
	}
}
