package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// failover is what followed a kill, until the next one.
type failover struct {
	what          string
	at            time.Time
	restored      time.Time // when what was killed was back; zero while it is not
	pages, logins service
	api           service // uses of tokens that are good
	sessionsLost  int     // people who had to log in again
}

// settled is how long after what was killed is back all must be well again.
const settled = 15 * time.Second

// service is how well something went.
type service struct {
	ok, failed         int
	lastOK, lastFailed time.Time
	gap                time.Duration // longest without a success
}

// note counts a success or a failure, since a kill at from.
func (s *service) note(ok bool, from, now time.Time) {
	if !ok {
		s.failed++
		s.lastFailed = now
		return
	}
	s.end(from, now)
	s.ok++
	s.lastOK = now
}

// end ends the time without a success.
func (s *service) end(from, now time.Time) {
	if s.lastOK.IsZero() {
		s.lastOK = from
	}
	s.gap = max(s.gap, now.Sub(s.lastOK))
}

// since says how it went since a kill.
func (s *service) since(from time.Time) string {
	if s.failed == 0 {
		return fmt.Sprintf("none of %d failed, %v without", s.ok, tenths(s.gap))
	}
	return fmt.Sprintf("%d of %d failed until %v, %v without", s.failed, s.ok+s.failed, tenths(s.lastFailed.Sub(from)), tenths(s.gap))
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// killed notes that something was killed.
func (s *stats) killed(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if f := s.failover(); f != nil {
		f.close(now)
	}
	s.failovers = append(s.failovers, &failover{what: what, at: now})
}

// restored notes that what was killed last is back.
func (s *stats) restored() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failover().restored = time.Now()
}

func (f *failover) close(now time.Time) {
	f.pages.end(f.at, now)
	f.logins.end(f.at, now)
	f.api.end(f.at, now)
}

// failover returns the latest, nil if there was none. The caller holds the lock.
func (s *stats) failover() *failover {
	if len(s.failovers) == 0 {
		return nil
	}
	return s.failovers[len(s.failovers)-1]
}

// failingOver reports whether something was killed that is not back, or was not a short time
// ago.
func (s *stats) failingOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsettled(time.Now())
}

// redisKilledSince reports whether a Redis was killed after a time, or shortly before it:
// nothing else that is killed takes what it keeps with it.
func (s *stats) redisKilledSince(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.failovers, func(f *failover) bool {
		return strings.HasPrefix(f.what, "Redis") && f.at.After(t.Add(-settled))
	})
}

func (s *stats) unsettled(now time.Time) bool {
	f := s.failover()
	return f != nil && (f.restored.IsZero() || now.Sub(f.restored) < settled)
}

// trouble counts a failure, which is a fault unless something was killed a short time ago.
func (s *stats) trouble(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure(what, time.Now())
}

// failure is trouble for a caller that holds the lock.
func (s *stats) failure(what string, now time.Time) {
	if s.unsettled(now) {
		s.failures[what]++
	} else {
		s.faults[what]++
	}
}

// serve notes in the latest failover how a visit went. The caller holds the lock.
func (s *stats) serve(o outcome, now time.Time) {
	f := s.failover()
	if f == nil || !o.page || !o.atSite {
		return
	}
	if o.lost {
		f.sessionsLost++
	}
	ok := o.status == 200
	if !ok && o.status < 500 {
		return // refused by itself
	}
	if o.redirected {
		f.logins.note(ok, f.at, now)
	} else {
		f.pages.note(ok, f.at, now)
	}
}

// apiServed is serve for a use of the API.
func (s *stats) apiServed(ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.failover(); f != nil {
		f.api.note(ok, f.at, time.Now())
	}
}

// reportFailovers prints a row for each kill.
func (s *stats) reportFailovers(row func(format string, args ...any)) {
	s.failover().close(s.ended)
	lost := 0
	var pages, logins time.Duration
	for _, f := range s.failovers {
		row("%s\tafter %v\tpages: %s", f.what, tenths(f.at.Sub(s.began)), f.pages.since(f.at))
		row("\t\tlogins: %s", f.logins.since(f.at))
		if f.api.ok+f.api.failed > 0 {
			row("\t\tAPI: %s", f.api.since(f.at))
		}
		row("\t\tsessions lost: %d", f.sessionsLost)
		lost += f.sessionsLost
		pages, logins = max(pages, f.pages.gap), max(logins, f.logins.gap)
	}
	row("failovers\t%d\tlongest without a page %v, without a login %v; sessions lost: %d", len(s.failovers), tenths(pages), tenths(logins), lost)
}
