// Soak lets many browsers loose on one site: they log in, click, idle out, step up,
// cancel and log out, against a fake login service that goes wrong now and then. It
// ends with a table, and with exit code 1 if anybody saw somebody else's name, or
// anything else that must not happen.
//
//	go run ./examples/soak -users 2000 -for 60s
//
// With -machines the site is served by several processes behind a small balancer, which
// share a Redis. Each response goes to all of them at once, and is sent again later, by
// the same browser and by others; and with -kill, what serves the site is killed again
// and again. The table then says what was lost, and for how long.
//
//	go run ./examples/soak -users 100 -for 5m -machines 3 -redis sentinel -kill redis,machine
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

type options struct {
	users  int
	length time.Duration
	think  time.Duration
	speed  int
	seed   uint64
	// enough, for tests, has the soak go on, on a busy computer, until it reports true.
	enough func(*soak) bool
	fleetOptions
}

func main() {
	if spec := os.Getenv(machineVariable); spec != "" {
		os.Exit(runMachine(spec))
	}
	program(&options{}).Main()
}

func program(o *options) demo.Program {
	return demo.Program{Name: "soak", Flags: o.define, Check: o.check, Run: func(ctx context.Context, stdout, _ io.Writer) error {
		start := measureProcess(10)
		s, err := newSoak(ctx, *o)
		if err != nil {
			return err
		}
		if err := s.run(ctx, stdout); err != nil {
			return err
		}
		if !s.stats.report(stdout, start, measureProcess(start.goroutines+leakedGoroutines), s.reporters...) {
			return errors.New("something happened that must not")
		}
		return nil
	}}
}

func (o *options) define(fs *flag.FlagSet) {
	fs.IntVar(&o.users, "users", 2000, "browsers at once")
	fs.DurationVar(&o.length, "for", time.Minute, "how long they go on")
	fs.DurationVar(&o.think, "think", 2*time.Second, "how long a person looks at a page, on average")
	fs.IntVar(&o.speed, "speed", 20, "how much faster than ours the site's clock runs, so that sessions end within the test; with -machines 1, because Redis has a clock of its own")
	fs.Uint64Var(&o.seed, "seed", 1, "seed of everything that is drawn by chance")
	o.fleetOptions.define(fs)
}

func (o *options) check() error {
	if o.users < 1 || o.length <= 0 || o.think <= 0 || o.speed < 1 {
		return errors.New("-users, -for, -think and -speed must be positive")
	}
	return o.fleetOptions.check(o)
}

// soak is a site, a fake login service and what they went through.
type soak struct {
	options
	listeners []net.Listener
	site      http.Handler
	baseURL   string
	fake      *webauthtest.WLS
	stats     *stats
	fleet     *fleet // nil where the site is served by this process
	reporters []reporter
}

func newSoak(ctx context.Context, o options) (*soak, error) {
	s := &soak{options: o, stats: newStats()}
	addr, wlsAddr := "localhost:0", "127.0.0.1:0"
	listeners, err := demo.Listen(&addr, &wlsAddr)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	now := func() time.Time { return began.Add(time.Since(began) * time.Duration(o.speed)) }
	s.listeners, s.baseURL = listeners, "http://"+addr
	users := make([]webauthtest.User, o.users)
	for i := range users {
		users[i] = webauthtest.User{ID: userName(i), Password: "test", Ptags: []string{"current"}}
	}
	s.fake, err = webauthtest.NewWLS(webauthtest.Config{
		BaseURL: "http://" + wlsAddr, Users: users, Now: now, Seed: o.seed, LogSize: 1,
		SlowFor: 300 * time.Millisecond,
		Faults: map[webauthtest.Fault]float64{
			webauthtest.FaultCancel: 0.05, webauthtest.FaultStale: 0.05,
			webauthtest.FaultSlow: 0.02, webauthtest.FaultDown: 0.01,
		},
	})
	if err == nil {
		err = s.makeSite(ctx, now, "http://"+wlsAddr)
	}
	if err != nil {
		demo.Close(listeners)
		return nil, err
	}
	return s, nil
}

// makeSite makes the site: here, or on machines.
func (s *soak) makeSite(ctx context.Context, now func() time.Time, wls string) (err error) {
	secret := strings.Join([]string{"soak test only:", s.baseURL, now().String()}, " ")
	if s.machines > 0 {
		if s.fleet, err = startFleet(ctx, s, machineSpec{BaseURL: s.baseURL, WLS: wls, Secret: secret, Apart: s.apart}); err != nil {
			return err
		}
		s.site, s.reporters = s.fleet.balancer.handler(), s.fleet.reporters()
		return nil
	}
	s.site, err = newSite(ctx, siteConfig{
		baseURL: s.baseURL, secret: secret, service: s.fake.Service(), now: now,
		onEvent: func(_ context.Context, e site.Event) { s.stats.event(e.Name, e.Reason) },
	})
	return err
}

func userName(i int) string { return fmt.Sprintf("soak%05d", i) }

// atMost is how much longer a soak goes on until it is enough.
const atMost = 5 * time.Minute

// run serves, and lets the browsers go until the time is over.
func (s *soak) run(ctx context.Context, out io.Writer) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx)) // the browsers' last requests need it
	stopped := make(chan error, 1)
	go func() { stopped <- demo.Serve(serving, s.listeners, s.site, s.fake) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var browsers sync.WaitGroup
	s.stats.began = time.Now()
	if s.fleet != nil {
		browsers.Go(func() { s.fleet.run(ctx) })
	}
	for i := range s.users {
		browsers.Go(func() { newBrowser(s, i).run(ctx) })
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	end := time.NewTimer(s.length)
	defer end.Stop()
	for over := false; !over; {
		select {
		case <-tick.C:
			fmt.Fprint(out, "\r", s.stats.line(s.length))
		case <-end.C:
			over = s.enough == nil || s.enough(s) || time.Since(s.stats.began) > s.length+atMost
			end.Reset(100 * time.Millisecond)
		case <-ctx.Done():
			over = true
		}
	}
	cancel()
	browsers.Wait()
	s.stats.ended = time.Now()
	fmt.Fprintln(out)
	if s.fleet != nil {
		s.fleet.stop()
	}
	s.fake.Close()
	stop()
	return <-stopped
}

// process is what the process uses.
type process struct {
	heap       uint64
	goroutines int
}

// measureProcess waits for goroutines that are ending, until there are no more than some or
// it has waited long enough, so that a leak shows and nothing else.
func measureProcess(goroutines int) process {
	var m runtime.MemStats
	for range 500 {
		runtime.GC()
		if runtime.NumGoroutine() <= goroutines {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	runtime.ReadMemStats(&m)
	return process{heap: m.HeapAlloc, goroutines: runtime.NumGoroutine()}
}
