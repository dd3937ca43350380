package stale_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/internal/stale"
)

func TestPasswords(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := stale.New(3, time.Minute, func() time.Time { return now })
	old := stale.Pair{Network: "192.0.2.1/32", Name: "carol", Password: "old"}
	assert.False(t, p.Known(old), "never tried")
	p.Wrong(old)
	for name, other := range map[string]stale.Pair{
		"another password":        {old.Network, old.Name, "new"},
		"another name":            {old.Network, "bob", old.Password},
		"another network":         {"192.0.2.2/32", old.Name, old.Password},
		"parts that run together": {old.Network + old.Name, "", old.Password},
	} {
		assert.False(t, p.Known(other), name)
		assert.Zero(t, p.Wait(other), name)
	}
	assert.True(t, p.Known(old))
	for range 2 { // the first one was a try too
		assert.False(t, p.Worn(old))
		assert.Zero(t, p.Take(old))
		p.Wrong(old)
	}
	assert.True(t, p.Worn(old))
	assert.Equal(t, time.Minute, p.Wait(old))
	assert.Equal(t, time.Minute, p.Take(old))
	now = now.Add(time.Minute)
	assert.Zero(t, p.Take(old), "one more after the rest")
	p.GiveBack(old)
	assert.Zero(t, p.Take(old), "it was right in the end")
	now = now.Add(time.Hour)
	assert.False(t, p.Known(old), "forgotten")
	assert.False(t, p.Worn(old))
}
