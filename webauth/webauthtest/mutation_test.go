package webauthtest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

func TestMutations(t *testing.T) {
	all := slices.Collect(webauthtest.Mutations("a!"))
	assert.NotContains(t, all, "a!")
	for _, one := range []string{"!", "a", "aa!", "a!!", "A!", "a\x00", "a;", "a ", "c!", "q!", "a\xa1"} {
		assert.Contains(t, all, one)
	}
	assert.Empty(t, slices.Collect(webauthtest.Mutations("")))
}
