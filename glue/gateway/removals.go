package gateway

import (
	"context"
	"log/slog"
	"maps"
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
	logged map[removed]time.Time
}

// removed is from what, and under which name as it is shown; the zero value stands for all
// names that there is no room for.
type removed struct{ from, name string }

// header notes that a header was removed from a request, and why. What front servers write
// as a matter of course, and what the configuration says, is as it should be and not worth
// a word.
func (r *removals) header(log *slog.Logger, name string, why *headername.Entry) {
	if (why.Class == headername.Peers || why == moreName) && headername.IsPlain(name) {
		return
	}
	r.metrics.headerRemoved(why)
	level := slog.LevelInfo
	if why.Class != 0 && !headername.IsOwn(name) {
		level = slog.LevelWarn // no honest program writes it so
	}
	r.log(log, level, "requests", name, why.Reason)
}

// trailer notes that a field was removed from what came after an answer.
func (r *removals) trailer(log *slog.Logger, name string) {
	r.metrics.trailersRemoved.Inc()
	r.log(log, slog.LevelInfo, "trailers", name, "programs that take it for a header would believe it")
}

// log logs a name, if it is time to.
func (r *removals) log(log *slog.Logger, level slog.Level, from, name, reason string) {
	switch name, now := r.turn(from, showName(name)); {
	case !now:
	case name == "":
		log.Warn("wls gateway: headers of many names are removed; no further name is logged for an hour")
	default:
		log.Log(context.Background(), level, "wls gateway: a header was removed from "+from, "header", name, "reason", reason)
	}
}

// turn reports whether a name is to be logged now, and was not lately. The name that it
// returns is empty where the line is about all those that there is no room for.
func (r *removals) turn(from, name string) (shown string, due bool) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	key := removed{from, name}
	if r.isLately(key, now) {
		return "", false
	}
	if len(r.logged) >= removalNames {
		maps.DeleteFunc(r.logged, func(other removed, _ time.Time) bool { return !r.isLately(other, now) })
	}
	if len(r.logged) >= removalNames {
		if key = (removed{}); r.isLately(key, now) {
			return "", false
		}
	}
	r.logged[key] = now
	return key.name, true
}

func (r *removals) isLately(key removed, now time.Time) bool {
	at, ok := r.logged[key]
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
