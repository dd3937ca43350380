package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

// upgradeGrace is how long upgraded connections may take to end when they are told to.
const upgradeGrace = 5 * time.Second

// stop ends the service: no new connections, requests under way may finish in time, then
// what is left is cut off. The admin listeners go last, so that they can tell.
func (s *Server) stop() error {
	cfg, limits := s.cfg.Load(), s.limits.Load()
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if grace := limits.StopTimeout; grace >= 0 {
		ctx, cancel = context.WithTimeout(ctx, grace)
	}
	defer cancel()
	err := s.shutdown(ctx, func(kind string) bool { return kind != socketAdmin })
	s.endRequests()
	s.upgrades.stop(upgradeGrace)
	err = errors.Join(err, s.shutdown(ctx, func(kind string) bool { return kind == socketAdmin }))
	if errors.Is(err, context.DeadlineExceeded) {
		cfg.Logger.Warn(cfg.Program+": stopped, though some requests had not ended", "waited", words.Duration(limits.StopTimeout))
		return nil
	}
	return err
}

// shutdown ends some of the servers, all at the same time.
func (s *Server) shutdown(ctx context.Context, which func(kind string) bool) error {
	var group sync.WaitGroup
	errs := make([]error, len(s.sockets))
	for i, p := range s.sockets {
		if !which(p.kind) {
			continue
		}
		group.Go(func() {
			if err := p.server.Shutdown(ctx); err != nil {
				errs[i] = errors.Join(err, p.server.Close())
			}
			_ = p.Close() // Shutdown closes only what Serve has seen
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// upgrades knows of requests that may become other protocols, each of which reads for as
// long as it runs: a server forgets about connections that were taken over.
type upgrades struct{ running sync.RWMutex }

// count passes requests on. After stop, which does not unlock, there are no more upgrades.
func (u *upgrades) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header["Upgrade"] == nil {
			next.ServeHTTP(w, r)
			return
		}
		if !u.running.TryRLock() {
			respond.Text(w, http.StatusServiceUnavailable, "The server is stopping.")
			return
		}
		defer u.running.RUnlock()
		next.ServeHTTP(w, r)
	})
}

// stop waits for what began to end.
func (u *upgrades) stop(grace time.Duration) {
	ended := make(chan struct{})
	go func() {
		u.running.Lock()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(grace):
	}
}
