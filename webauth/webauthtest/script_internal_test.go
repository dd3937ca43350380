package webauthtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestADelayIsWaitedOnce: what is given back for the form's answer has waited already.
func TestADelayIsWaitedOnce(t *testing.T) {
	s := script{next: []Outcome{{Delay: time.Hour, Fault: FaultSlow, Status: 560}}}
	o, giveBack := s.choose(false, "")
	assert.Equal(t, time.Hour, o.Delay)
	assert.Equal(t, FaultSlow, o.Fault)
	giveBack()
	o, _ = s.choose(true, "")
	assert.Equal(t, Outcome{Status: 560}, o)
	assert.Empty(t, s.next)
}
