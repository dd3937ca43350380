package main

import (
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Senders of a response that was sent before.
const (
	senderCopy  = "copy"  // at once, to another machine
	senderSame  = "same"  // the same browser, later
	senderOther = "other" // another browser, which has logged in
	senderNone  = "none"  // one that has no cookies
)

// replays remembers the responses that went to the site, sends them again, and counts
// what comes of it.
type replays struct {
	stats *stats
	host  string // of the site, as browsers see it

	mu     sync.Mutex
	seen   map[string]*response // by key
	recent []*response          // those that are young enough to be accepted, oldest first

	tried, inFailover int
	verdicts          map[string]int // of those tried
	strangers         int            // accepted from another browser than theirs
	quiet, allRefused int            // sent to all machines while nothing was down; and refused by all
	unlucky           map[string]int // why others were not accepted by any machine
}

// response is one that a browser brought.
type response struct {
	path, query, cookies string
	header               http.Header
	at                   time.Time
	sent                 bool // the first requests with it are answered, and it was good
	accepted, began      int  // answers that accepted it; sessions that machines say it began
}

func newReplays(st *stats, host string) *replays {
	return &replays{stats: st, host: host, seen: map[string]*response{}, verdicts: map[string]int{}, unlucky: map[string]int{}}
}

// arrives notes a response that a browser brings.
func (p *replays) arrives(key string, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.of(key)
	n.path, n.query, n.header, n.at = r.URL.Path, r.URL.RawQuery, r.Header.Clone(), time.Now()
	n.cookies = strings.Join(slices.DeleteFunc(strings.Split(r.Header.Get("Cookie"), "; "), isSessionCookie), "; ")
	p.recent = append(p.recent, n)
}

// isSessionCookie reports whether a cookie is that of a session. Replays come without it,
// so that nothing but the response can let them in.
func isSessionCookie(pair string) bool { return strings.HasPrefix(pair, "wls-session") }

func (p *replays) of(key string) *response {
	if p.seen[key] == nil {
		p.seen[key] = &response{}
	}
	return p.seen[key]
}

// answered notes what the machines made of a response that was sent to all at once.
func (p *replays) answered(key string, verdicts []string) {
	down := p.stats.failingOver()
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.of(key)
	if slices.Contains(verdicts, refused) && !slices.Contains(verdicts, accepted) {
		return // cancelled, or signed an hour ago: nobody could have accepted it
	}
	n.sent = true
	own := max(0, slices.Index(verdicts, accepted)) // the others are replays
	for i, v := range verdicts {
		if i == own && v == accepted {
			n.accepted++
		}
		if i != own {
			p.count(n, v, down)
		}
	}
	if !down {
		p.quiet++
	}
	if slices.Contains(verdicts, accepted) {
		return
	}
	switch {
	case !down && !slices.Contains(verdicts, failed):
		p.allRefused++
	case slices.Contains(verdicts, lost):
		p.unlucky["lost memory"]++
	case slices.Contains(verdicts, failed):
		p.unlucky["no answer"]++
	default:
		p.unlucky["refused as used"]++
	}
}

// count counts a replay. One that is accepted because no machine accepted the response
// before is no second use. The caller holds the lock.
func (p *replays) count(n *response, verdict string, down bool) {
	p.tried++
	if verdict == accepted {
		if n.accepted++; n.accepted == 1 {
			verdict = "accepted, for the first time"
		}
	}
	p.verdicts[verdict]++
	if down {
		p.inFailover++
	}
}

// began notes that a machine says that it began a session by a response.
func (p *replays) began(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of(key).began++
}

// again sends one response to one machine.
func (p *replays) again(ctx context.Context, b *balancer, random *rand.Rand) {
	n, other := p.draw(random)
	if n == nil {
		return
	}
	r := b.request(ctx, random, n.path, n.query)
	r.Header = n.header.Clone()
	sender := senderSame
	r.Header.Set("Cookie", n.cookies)
	switch x := random.IntN(10); {
	case x < 2:
		sender = senderNone
		r.Header.Del("Cookie")
	case x < 4 && other.cookies != n.cookies:
		sender = senderOther
		r.Header.Set("Cookie", other.cookies)
	}
	r.Header.Set(senderHeader, sender)
	answer, err := b.transport.RoundTrip(r)
	if err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	} else if ctx.Err() != nil {
		return
	}
	down := p.stats.failingOver()
	p.mu.Lock()
	defer p.mu.Unlock()
	v := verdict(answer)
	p.count(n, v, down)
	if v == accepted && sender != senderSame {
		p.strangers++
	}
}

// draw returns a response that has been used, as a rule one of the latest, and another.
func (p *replays) draw(random *rand.Rand) (n, other *response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.recent) > 0 && time.Since(p.recent[0].at) > maxAge {
		p.recent = p.recent[1:]
	}
	if len(p.recent) == 0 {
		return nil, nil
	}
	back := int(random.ExpFloat64() * float64(len(p.recent)) / 4)
	n = p.recent[max(0, len(p.recent)-1-back)]
	if !n.sent {
		return nil, nil
	}
	return n, p.recent[random.IntN(len(p.recent))]
}

// twice returns how many responses were accepted more than once, by the answers or by
// what the machines say.
func (p *replays) twice() (n int) {
	for _, r := range p.seen {
		if r.accepted > 1 || r.began > 1 {
			n++
		}
	}
	return n
}

// report prints what came of the replays, and reports whether all is well.
func (p *replays) report(row func(format string, args ...any)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	row("responses\t%d\teach sent to all machines at once", len(p.seen))
	row("replays\t%d\t%d of them during failovers", p.tried, p.inFailover)
	for _, v := range slices.Sorted(maps.Keys(p.verdicts)) {
		row("  answered: %s\t%d", v, p.verdicts[v])
	}
	twice := p.twice()
	row("responses accepted twice\t%d\tmust be 0", twice)
	row("accepted from a stranger\t%d\tmust be 0", p.strangers)
	row("refused by all machines\t%d\tof %d sent to all while nothing was down; must be 0", p.allRefused, p.quiet)
	for _, why := range slices.Sorted(maps.Keys(p.unlucky)) {
		row("logins lost: %s\t%d", why, p.unlucky[why])
	}
	return twice == 0 && p.strangers == 0 && p.allRefused == 0
}
