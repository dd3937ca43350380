package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// fleetOptions are the flags about a site of several machines.
type fleetOptions struct {
	machines        int
	redis, postgres string
	kill            string
	every           time.Duration

	flags *flag.FlagSet
	apart bool // for tests of the soak itself: what was used each machine keeps to itself
	kills int  // for tests: how often something is killed at most; 0 for no limit
}

func (o *fleetOptions) define(fs *flag.FlagSet) {
	o.flags = fs
	fs.IntVar(&o.machines, "machines", 0, "serve the site by so many processes behind a balancer, which share a Redis (default: by this process)")
	fs.StringVar(&o.redis, "redis", "", "`URL` of the Redis that the machines share; or single, sentinel or cluster, to have one started")
	fs.StringVar(&o.postgres, "postgres", "", "let the machines serve an API as well, with tokens in the PostgreSQL of this `URL`; or start, to have one started")
	fs.StringVar(&o.kill, "kill", "", "kill these again and again, in turn: a `list` of redis, machine and postgres, with commas")
	fs.DurationVar(&o.every, "every", 20*time.Second, "how often something is killed")
}

// What -kill can kill.
const (
	killRedis    = "redis"
	killMachine  = "machine"
	killPostgres = "postgres"
)

// victims are what -kill names.
func (o *fleetOptions) victims() []string {
	if o.kill == "" {
		return nil
	}
	return strings.Split(o.kill, ",")
}

func (o *fleetOptions) check(all *options) error {
	set := map[string]bool{}
	o.flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if o.machines == 0 && !set["machines"] {
		for _, name := range []string{"redis", "postgres", "kill", "every"} {
			if set[name] {
				return fmt.Errorf("-%s is for a site of several machines: say -machines 2 or more", name)
			}
		}
		return nil
	}
	switch {
	case o.machines < 2 || o.machines > 16:
		return errors.New("-machines must be 2 to 16")
	case o.redis == "":
		return errors.New("-machines needs -redis: the URL of a Redis for tests, or single, sentinel or cluster to have one started")
	case set["speed"] && all.speed != 1:
		return errors.New("-speed must be 1 with -machines: Redis has a clock of its own")
	case o.every <= 0 || o.kill != "" && o.every >= all.length:
		return errors.New("-every must be positive and shorter than -for, or nothing is killed")
	}
	all.speed = 1
	return o.checkVictims()
}

func (o *fleetOptions) checkVictims() error {
	for _, v := range o.victims() {
		switch {
		case v == killRedis && !startsRedis(o.redis):
			return errors.New("-kill redis kills only a Redis that was started here: say -redis single, sentinel or cluster")
		case v == killPostgres && o.postgres != postgresStart:
			return errors.New("-kill postgres kills only a PostgreSQL that was started here: say -postgres start")
		case v != killRedis && v != killMachine && v != killPostgres:
			return fmt.Errorf("-kill: want some of redis, machine and postgres, with commas between them, not %q", v)
		}
	}
	return nil
}

// fleet is a site of several machines, and what kills them.
type fleet struct {
	options
	stats    *stats
	balancer *balancer
	api      *api              // nil for none
	engines  map[string]engine // by what -kill calls them
	site     *machineEngine    // one of them

	end    context.CancelFunc // of the machines
	ended  []<-chan struct{}
	closes []func() // of engines
}

// startFleet starts the engines and the machines, and returns when they serve.
func startFleet(ctx context.Context, s *soak, spec machineSpec) (*fleet, error) {
	f := &fleet{options: s.options, stats: s.stats, engines: map[string]engine{}}
	ctx, f.end = context.WithCancel(context.WithoutCancel(ctx)) // the browsers' last requests need it
	if err := f.start(ctx, s, spec); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func (f *fleet) start(ctx context.Context, s *soak, spec machineSpec) error {
	spec.Redis.URL = f.redis
	if startsRedis(f.redis) {
		e, err := startRedis(f.redis, f.every)
		if err != nil {
			return err
		}
		f.closes, f.engines[killRedis] = append(f.closes, e.close), e
		spec.Redis = e.addr
	}
	spec.Postgres = f.postgres
	if f.postgres == postgresStart {
		e, err := startPostgres()
		if err != nil {
			return err
		}
		f.closes, f.engines[killPostgres] = append(f.closes, e.Close), e
		spec.Postgres = e.DSN
	}
	replays := newReplays(f.stats, strings.TrimPrefix(spec.BaseURL, "http://"))
	heard := func(line string) {
		fields := append(strings.Split(line, "\t"), "", "")
		f.stats.event(fields[0], fields[1])
		if fields[0] == glue.EventLogin {
			replays.began(fields[2])
		}
	}
	var machines []*machine
	var addrs []string
	for range f.machines {
		var err error
		if spec.Addr, err = enginetest.FreeAddr(); err != nil {
			return err
		}
		m, ended, err := startMachine(ctx, spec, heard, f.stats.trouble)
		f.ended = append(f.ended, ended)
		if err != nil {
			return err
		}
		machines, addrs = append(machines, m), append(addrs, m.spec.Addr)
	}
	pause(ctx, memoryBegins)
	f.site = &machineEngine{machines: machines}
	f.engines[killMachine] = f.site
	f.balancer = newBalancer(addrs, replays)
	if f.postgres != "" {
		f.api = newAPI(s, addrs)
	}
	return nil
}

// memoryBegins is how long after a Redis began to remember what was used people can log
// in: before, it refuses them, for what it may have forgotten.
const memoryBegins = 2 * time.Second

// replayers is how many replay at once.
const replayers = 8

// run replays and kills until the context ends.
func (f *fleet) run(ctx context.Context) {
	var all sync.WaitGroup
	for i := range replayers {
		all.Go(func() { f.balancer.run(ctx, rand.New(rand.NewPCG(f.seed, uint64(1<<32+i)))) })
	}
	if f.api != nil {
		all.Go(func() { f.api.runAll(ctx) })
	}
	if f.kill != "" {
		var victims []engine
		for _, v := range f.victims() {
			victims = append(victims, f.engines[v])
		}
		all.Go(func() { f.killAll(ctx, victims) })
	}
	all.Wait()
}

// stop ends the machines and then the engines.
func (f *fleet) stop() {
	f.end()
	for _, ended := range f.ended {
		<-ended
	}
	if f.balancer != nil {
		f.balancer.transport.CloseIdleConnections()
	}
	if f.api != nil {
		f.api.client.CloseIdleConnections()
	}
	for _, c := range slices.Backward(f.closes) {
		c()
	}
}

func (f *fleet) reporters() []reporter {
	all := []reporter{f.balancer.replays.report, f.balancer.logouts.report}
	if f.api != nil {
		all = append(all, f.api.report)
	}
	return all
}
