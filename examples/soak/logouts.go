package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// logouts tries the cookies of sessions whose end the site has confirmed, as somebody
// would who had copied them.
type logouts struct {
	mu          sync.Mutex
	ended       []*ended // the latest last
	confirmed   int
	tried       int
	back        int // sessions that worked again although nothing was killed
	broughtBack int // those that a failover brought back: it lost their end
}

// ended is a session that was ended.
type ended struct {
	cookies string
	at      time.Time
	worked  bool
}

// note notes the cookies that came with a logout.
func (l *logouts) note(cookies string) {
	if !strings.Contains(cookies, "wls-session") {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.confirmed++
	l.ended = append(l.ended, &ended{cookies: cookies, at: time.Now()})
	if len(l.ended) > 500 {
		l.ended = l.ended[1:]
	}
}

// again tries one of them at a machine.
func (l *logouts) again(ctx context.Context, b *balancer, random *rand.Rand) {
	e := l.draw(random)
	if e == nil {
		return
	}
	r := b.request(ctx, random, "/page", "")
	r.Header.Set("Cookie", e.cookies)
	r.Header.Set("Sec-Fetch-Mode", "cors")
	answer, err := b.transport.RoundTrip(r)
	if err != nil {
		return // it did not let anybody in
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	killed := b.replays.stats.redisKilledSince(e.at)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried++
	switch {
	case answer.StatusCode != http.StatusOK || e.worked:
		return
	case killed:
		l.broughtBack++
	default:
		l.back++
	}
	e.worked = true
}

func (l *logouts) draw(random *rand.Rand) *ended {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ended) == 0 {
		return nil
	}
	return l.ended[random.IntN(len(l.ended))]
}

// report prints what came of it, and reports whether all is well.
func (l *logouts) report(row func(format string, args ...any)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	row("logouts\t%d\tthen tried %d times: %d worked, must be 0; %d more brought back by a failover", l.confirmed, l.tried, l.back, l.broughtBack)
	return l.back == 0
}
