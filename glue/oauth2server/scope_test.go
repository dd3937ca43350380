package oauth2server

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScopeSet(t *testing.T) {
	s := scopeSet(testScopes)
	assert.Equal(t, []string{"records:read", "records:write", "profile", "harvest"}, s.names())
	assert.Equal(t, []string{"records:read", "records:write", "profile"}, s.offered().names())
	assert.Equal(t, []string{"records:write", "harvest"}, s.pick([]string{"harvest", "gone", "records:write"}).names())
	assert.Len(t, s, 4, "unchanged")
	_, ok := s.find("records")
	assert.False(t, ok)
}
