package oauth2server

import (
	"context"
	"fmt"
	"time"
)

// Sweep deletes what has expired, however much it is, and what belongs to applications that
// are gone. It goes in small steps, and after each leaves the database to others for as
// long as the step took: about half a minute for 150,000 tokens in SQLite. Requests that give tokens delete what has expired, too: a
// step a minute, and while that leaves something a step each, which is more than they
// add. A busy site therefore need not call it.
func (s *Server) Sweep(ctx context.Context) error {
	if err := s.store.Sweep(ctx); err != nil {
		return fmt.Errorf("oauth2server: Sweep: %w", err)
	}
	return nil
}

// Run calls [Server.Sweep] every hour until ctx ends. It is for sites that do not call Sweep
// themselves; nothing depends on it but the size of the database.
func (s *Server) Run(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.site.Tell(ctx, event{Name: EventStoreError, Reason: "sweep", Err: err}.forSite())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
