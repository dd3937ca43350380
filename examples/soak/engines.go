package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// engine is something that can be killed.
type engine interface {
	// kill ends a process of it at once, and says which just before.
	kill(ctx context.Context, killing func(what string)) error
	// restore has it as it was before, ready to be killed again.
	restore(ctx context.Context) error
}

// The kinds of Redis that -redis starts, and that -postgres does.
const (
	redisSingle   = "single"
	redisSentinel = "sentinel"
	redisCluster  = "cluster"
	postgresStart = "start"
)

func startsRedis(kind string) bool {
	return kind == redisSingle || kind == redisSentinel || kind == redisCluster
}

// redisEngine is a Redis that was started here.
type redisEngine struct {
	addr   redisAddr
	master func(key string) *enginetest.Redis // nil while there is none
	alone  bool                               // nobody takes over
	down   time.Duration                      // how long the dead stay so after they are replaced
	close  func()

	kills int
	dead  *enginetest.Redis
	key   string // one that the dead one was the master of
}

// startRedis starts a Redis of a kind, where something is killed every so often. Its
// settings are those that package redisstore recommends, but for what is kept on disk.
func startRedis(kind string, every time.Duration) (*redisEngine, error) {
	e, err := newRedis(kind)
	if err != nil {
		return nil, err
	}
	e.down = every / 2 // what takes over must do without the dead
	if e.alone {
		e.down = restartAfter
	}
	return e, nil
}

// restartAfter is how long after its end something is started again that nothing replaces.
const restartAfter = 2 * time.Second

func newRedis(kind string) (*redisEngine, error) {
	switch kind {
	case redisSentinel:
		s, err := enginetest.StartSentinel(2, "--min-replicas-to-write", "1")
		if err != nil {
			return nil, err
		}
		return &redisEngine{
			addr:   redisAddr{Addrs: s.Addrs(), Master: enginetest.MasterName},
			master: func(string) *enginetest.Redis { return s.Master() }, close: s.Close,
		}, nil
	case redisCluster:
		c, err := enginetest.StartRedisCluster(3, 1)
		if err != nil {
			return nil, err
		}
		return &redisEngine{addr: redisAddr{Addrs: c.Addrs()}, master: c.Master, close: c.Close}, nil
	}
	r, err := enginetest.StartRedis()
	if err != nil {
		return nil, err
	}
	return &redisEngine{
		addr: redisAddr{URL: "redis://" + r.Addr}, alone: true, close: r.Close,
		master: func(string) *enginetest.Redis { return r },
	}, nil
}

// kill kills a master; in a Cluster, another one each time.
func (e *redisEngine) kill(ctx context.Context, killing func(string)) error {
	e.kills++
	e.key = strconv.Itoa(e.kills)
	if !eventually(ctx, func() bool { e.dead = e.master(e.key); return e.dead != nil }) {
		return errors.New("there is no Redis master to kill")
	}
	how := "killed"
	if e.kills%2 == 1 && !e.alone {
		how = "cut off and killed"
	}
	killing("Redis master " + e.dead.Addr + " " + how)
	if how != "killed" {
		cutOff(ctx, e.dead)
	}
	e.dead.Kill()
	return nil
}

// cutOff keeps replicas away from a master for a moment, so that they lack what it is told
// last.
func cutOff(ctx context.Context, r *enginetest.Redis) {
	if r.Do("ACL", "SETUSER", "default", "-psync", "-sync") == nil && r.Do("CLIENT", "KILL", "TYPE", "replica") == nil {
		pause(ctx, 700*time.Millisecond)
	}
}

func (e *redisEngine) restore(ctx context.Context) error {
	replaced := func() bool { now := e.master(e.key); return now != nil && now != e.dead }
	if !e.alone && !eventually(ctx, replaced) {
		return errors.New("no Redis took over")
	}
	pause(ctx, e.down)
	if err := e.dead.Restart(); err != nil || e.alone {
		return err
	}
	if !eventually(ctx, func() bool { return isReplica(e.dead) }) {
		return errors.New("the Redis that was killed does not come back as a replica")
	}
	return nil
}

// isReplica reports whether a server has all that its master has.
func isReplica(r *enginetest.Redis) bool {
	c := redis.NewClient(&redis.Options{Addr: r.Addr})
	defer func() { _ = c.Close() }()
	info, err := c.Info(context.Background(), "replication").Result()
	return err == nil && strings.Contains(info, "role:slave") && strings.Contains(info, "master_link_status:up")
}

// postgresEngine is a PostgreSQL that was started here.
type postgresEngine struct{ *enginetest.PostgreSQL }

// startPostgres starts a PostgreSQL that keeps what it has confirmed when it is killed,
// though not when the power fails.
func startPostgres() (*postgresEngine, error) {
	p, err := enginetest.StartPostgreSQL("synchronous_commit=on")
	if err != nil {
		return nil, err
	}
	return &postgresEngine{p}, nil
}

func (e *postgresEngine) kill(_ context.Context, killing func(string)) error {
	killing("PostgreSQL killed")
	return e.Kill()
}

func (e *postgresEngine) restore(ctx context.Context) error {
	pause(ctx, restartAfter)
	return e.Restart()
}

// eventually waits for something to become true, for two minutes at most.
func eventually(ctx context.Context, condition func() bool) bool {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 100*time.Millisecond) {
		if condition() {
			return true
		}
	}
	return ctx.Err() != nil // nobody waits for the answer
}

// machineEngine kills the site's machines in turn. They come back by themselves.
type machineEngine struct {
	machines []*machine
	kills    int
}

func (e *machineEngine) kill(_ context.Context, killing func(string)) error {
	n := e.kills % len(e.machines)
	e.kills++
	killing(fmt.Sprintf("machine %d killed", n+1))
	if !e.machines[n].kill() {
		return fmt.Errorf("machine %d does not run", n+1)
	}
	return nil
}

func (e *machineEngine) restore(ctx context.Context) error {
	pause(ctx, restartAfter)
	return e.serve(ctx)
}

// serve waits until all machines serve.
func (e *machineEngine) serve(ctx context.Context) error {
	for i, m := range e.machines {
		if !eventually(ctx, m.serves) {
			return fmt.Errorf("machine %d does not come back", i+1)
		}
	}
	return nil
}

// killAll kills engines in turn until the context ends, one whenever a time has passed. A
// machine may not start while an engine is down, so that all is back when all machines are.
func (f *fleet) killAll(ctx context.Context, engines []engine) {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for i := 0; f.kills == 0 || i < f.kills; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		e := engines[i%len(engines)]
		err := e.kill(ctx, f.stats.killed)
		if err == nil {
			err = e.restore(ctx)
		}
		if err == nil {
			err = f.site.serve(ctx)
		}
		switch {
		case err == nil:
			f.stats.restored()
		case ctx.Err() == nil:
			f.stats.fault(err.Error())
		}
	}
}
