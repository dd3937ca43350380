package oauth2server

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

func TestASweepThatFailsIsReportedAndHarmsNobody(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	s.db.Exec(t, `DROP TABLE wlsoauth_codes`)
	s.personal(t, "spqr1") // takes a step of a sweep
	assert.Equal(t, 1, s.db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
	assert.Equal(t, []string{EventStoreError}, s.eventNames())
	assert.ErrorContains(t, s.Sweep(t.Context()), "oauth2server: Sweep: ")
}

func TestRunSweepsUntilItIsTold(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	for range 3 {
		s.personal(t, "spqr1")
	}
	s.db.Exec(t, `UPDATE wlsoauth_tokens SET expires_at = 1`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		s.Run(ctx)
		close(ended)
	}()
	dbtest.Eventually(t, func() bool { return s.db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`) == 0 })
	cancel()
	<-ended
	assert.Empty(t, s.eventNames())
}
