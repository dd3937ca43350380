package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
)

// stats counts what happens. One lock serves them all: a visit takes it once.
type stats struct {
	mu           sync.Mutex
	began, ended time.Time
	logins       int
	refusals     map[string]int // by reason, as the site's events tell
	visits       int
	served       int // pages that showed the right name
	mixUps       int
	wlsDown      int
	faults       map[string]int // what must not happen
	failures     map[string]int // what may, for a short time after something was killed
	failovers    []*failover
	pages        []time.Duration
	dances       []time.Duration // visits that were redirected on the way
}

func newStats() *stats {
	return &stats{refusals: map[string]int{}, faults: map[string]int{}, failures: map[string]int{}, began: time.Now()}
}

// event listens to the site.
func (s *stats) event(name, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case glue.EventLogin:
		s.logins++
	case glue.EventRefused, glue.EventForbidden, glue.EventLoop, glue.EventStoreError:
		s.refusals[name+" "+reason]++
	}
}

// outcome is how a visit ended.
type outcome struct {
	status                          int
	page, fetch, atSite, redirected bool
	cancelled                       bool // the page for who cancelled the login, which has no name on it
	lost                            bool // the person should have been logged in, and was not
	name, want                      string
	took                            time.Duration
}

func (s *stats) visit(o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visits++
	now := time.Now()
	s.serve(o, now)
	if o.redirected {
		s.dances = append(s.dances, o.took)
	} else {
		s.pages = append(s.pages, o.took)
	}
	switch {
	case !o.atSite && o.status == http.StatusServiceUnavailable:
		s.wlsDown++
	case !o.atSite:
		s.faults[fmt.Sprintf("left at the login service with status %d", o.status)]++
	case o.cancelled && o.status == http.StatusOK: // a refusal, counted by its event
	case o.page && o.status == http.StatusOK && o.name == o.want:
		s.served++
	case o.page && o.status == http.StatusOK:
		s.mixUps++
	case o.status == http.StatusOK, o.status == http.StatusForbidden, o.fetch && o.status == http.StatusUnauthorized:
		// logged out; a refusal, counted by its event; a fetch without a session
	case o.status > http.StatusInternalServerError:
		s.failure(fmt.Sprintf("status %d from the site", o.status), now)
	default:
		s.faults[fmt.Sprintf("status %d from the site", o.status)]++
	}
}

// fault counts something that must not happen.
func (s *stats) fault(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[what]++
}

// reporter adds rows to the closing table and reports whether all is well.
type reporter func(row func(format string, args ...any)) bool

// line is the live progress.
func (s *stats) line(length time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ran := time.Since(s.began)
	return fmt.Sprintf("%3.0f%%  %d visits (%.0f/s)  %d logins  %d refusals  %d mix-ups  %d faults  ",
		min(100, 100*ran.Seconds()/length.Seconds()), s.visits, float64(s.visits)/ran.Seconds(),
		s.logins, sum(s.refusals), s.mixUps, sum(s.faults))
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// leakedGoroutines is how many more goroutines at the end are no leak.
const leakedGoroutines = 5

// report prints the closing table and returns whether all is well.
// more adds rows of its own, and returns the same.
func (s *stats) report(out io.Writer, start, end process, more ...reporter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seconds := s.ended.Sub(s.began).Seconds()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	row("visits\t%d\t%.0f/s, each with all its redirects", s.visits, float64(s.visits)/seconds)
	row("logins\t%d\t%.0f/s", s.logins, float64(s.logins)/seconds)
	row("pages with the right name\t%d", s.served)
	row("identity mix-ups\t%d\tmust be 0", s.mixUps)
	row("page\t%s", quantiles(s.pages))
	row("page with redirects\t%s", quantiles(s.dances))
	for _, reason := range slices.Sorted(maps.Keys(s.refusals)) {
		row("%s\t%d", reason, s.refusals[reason])
	}
	row("login service down\t%d", s.wlsDown)
	if len(s.failovers) > 0 {
		s.reportFailovers(row)
	}
	for _, what := range slices.Sorted(maps.Keys(s.failures)) {
		row("failed after a kill: %s\t%d", what, s.failures[what])
	}
	well := true
	for _, report := range more {
		well = report(row) && well
	}
	for _, what := range slices.Sorted(maps.Keys(s.faults)) {
		row("FAULT: %s\t%d", what, s.faults[what])
	}
	row("heap\t%.1f MiB at the start, %.1f MiB at the end", float64(start.heap)/(1<<20), float64(end.heap)/(1<<20))
	row("goroutines\t%d at the start, %d at the end", start.goroutines, end.goroutines)
	_ = w.Flush() // to standard output
	leaked := end.goroutines > start.goroutines+leakedGoroutines
	if leaked {
		fmt.Fprintln(out, "goroutines leaked")
	}
	return well && s.mixUps == 0 && len(s.faults) == 0 && s.logins > 0 && s.served > 0 && !leaked
}

func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	at := func(p float64) time.Duration { return d[int(p*float64(len(d)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v\tp95 %v\tp99 %v", at(0.50), at(0.95), at(0.99))
}
