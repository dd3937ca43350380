package gateway

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// How much is logged about removed headers, whoever sends them.
const (
	removalAgain = time.Hour // until a name is logged again
	removalNames = 128       // names in that time
)

// removals counts headers that were removed, and tells the operator once an hour about
// each name: an application may miss it, or somebody tries what cannot work. It needs a
// bounded amount of memory, outlives a reload, and is safe for concurrent use.
type removals struct {
	now     func() time.Time
	metrics *metrics

	mu     sync.Mutex
	logger *slog.Logger
	logged map[string]time.Time // by name as shown; "" for the others
}

func newRemovals(now func() time.Time, m *metrics) *removals {
	return &removals{now: now, metrics: m, logged: map[string]time.Time{}}
}

// setLogger says where to log from now on.
func (r *removals) setLogger(log *slog.Logger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logger = log
}

// add notes that a header was removed, and why. What front servers write as a matter of
// course, and what the configuration says, is as it should be and not worth a word.
func (r *removals) add(name string, why *headername.Entry) {
	if why.Class == headername.Peers || why == moreName {
		return
	}
	r.metrics.headerRemoved(why)
	shown := showName(name)
	if !r.isFirst(&shown) {
		return
	}
	level := slog.LevelInfo
	if why.Class != 0 && !headername.IsOwn(name) {
		level = slog.LevelWarn // no honest program writes it so
	}
	if shown == "" {
		r.log(slog.LevelWarn, "wls gateway: headers of many names are removed from requests; no further one is logged for an hour")
		return
	}
	r.log(level, "wls gateway: a header was removed from requests", "header", shown, "reason", why.Reason)
}

func (r *removals) log(level slog.Level, text string, args ...any) {
	r.mu.Lock()
	log := r.logger
	r.mu.Unlock()
	log.Log(context.Background(), level, text, args...)
}

// isFirst reports whether a name is to be logged now. It becomes "" where that is about
// all names that there is no room for.
func (r *removals) isFirst(name *string) bool {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isLately(*name, now) {
		return false
	}
	if len(r.logged) >= removalNames {
		for other := range r.logged {
			if !r.isLately(other, now) {
				delete(r.logged, other)
			}
		}
	}
	if len(r.logged) >= removalNames {
		if *name = ""; r.isLately("", now) {
			return false
		}
	}
	r.logged[*name] = now
	return true
}

func (r *removals) isLately(name string, now time.Time) bool {
	at, ok := r.logged[name]
	return ok && now.Sub(at) < removalAgain && !now.Before(at)
}

// showName makes a name fit for a log: printable, and not long.
func showName(name string) string {
	end := ""
	if len(name) > headername.MaxName {
		name, end = name[:headername.MaxName], "..."
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, name) + end
}
