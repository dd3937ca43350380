package enginetest

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// MasterName is what Sentinels call the master that they watch.
const MasterName = "wls"

// Sentinel is a Redis with replicas, watched by three Sentinels, two of which agree when
// its master is to be replaced.
type Sentinel struct {
	// Servers are the Redis: the first master, then its replicas. After a failover a
	// replica is the master.
	Servers []*Redis
	// Sentinels watch them.
	Sentinels []*Redis
}

// StartSentinel starts a master with so many replicas, and three Sentinels, and returns when
// all know of each other. A master that was killed is replaced after 1 to 3 seconds.
// Each Redis gets the options args besides.
func StartSentinel(replicas int, args ...string) (*Sentinel, error) {
	s := &Sentinel{}
	if err := s.start(replicas, args); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Sentinel) start(replicas int, args []string) error {
	for i := range 1 + replicas {
		r, err := StartRedis(args...)
		if err != nil {
			return err
		}
		s.Servers = append(s.Servers, r)
		if i > 0 {
			if err := r.Do("REPLICAOF", "127.0.0.1", port(s.Servers[0].Addr)); err != nil {
				return err
			}
		}
	}
	// Sentinels look for replicas once in ten seconds: they must be there at the start.
	if !await(func() bool { return s.Servers[0].info("replication", "connected_slaves") == strconv.Itoa(replicas) }, nil) {
		return errors.New("the replicas do not follow the master")
	}
	for range 3 {
		r, err := start(s.sentinel)
		if err != nil {
			return err
		}
		s.Sentinels = append(s.Sentinels, r)
	}
	if !await(func() bool { return s.aware(replicas) }, nil) {
		return errors.New("the Sentinels do not find each other")
	}
	return nil
}

// sentinel returns the command line of a Sentinel, and writes the file that it keeps its state in.
func (s *Sentinel) sentinel(r *Redis) []string {
	file := filepath.Join(r.dir, "sentinel.conf")
	// A file that cannot be written is one that the server does not start with.
	_ = os.WriteFile(file, []byte("sentinel monitor "+MasterName+" 127.0.0.1 "+port(s.Servers[0].Addr)+" 2\n"+
		"sentinel down-after-milliseconds "+MasterName+" 1000\n"+
		"sentinel failover-timeout "+MasterName+" 5000\n"), 0o600)
	return append([]string{file, "--sentinel"}, r.place()...)
}

// aware reports whether each Sentinel knows of all others and of all replicas.
func (s *Sentinel) aware(replicas int) bool {
	for _, r := range s.Sentinels {
		c := redis.NewSentinelClient(&redis.Options{Addr: r.Addr})
		master, err := c.Master(context.Background(), MasterName).Result()
		_ = c.Close()
		if err != nil || master["num-other-sentinels"] != strconv.Itoa(len(s.Sentinels)-1) ||
			master["num-slaves"] != strconv.Itoa(replicas) || master["flags"] != "master" {
			return false
		}
	}
	return true
}

// Addrs returns the addresses of the Sentinels.
func (s *Sentinel) Addrs() []string { return addrs(s.Sentinels) }

// Master returns the server that most Sentinels call the master, or nil where none is, or
// where it does not run.
func (s *Sentinel) Master() *Redis {
	votes := map[string]int{}
	for _, r := range s.Sentinels {
		if r.cmd == nil {
			continue
		}
		c := redis.NewSentinelClient(&redis.Options{Addr: r.Addr})
		at, err := c.GetMasterAddrByName(context.Background(), MasterName).Result()
		_ = c.Close()
		if err == nil && len(at) == 2 {
			votes[net.JoinHostPort(at[0], at[1])]++
		}
	}
	for _, r := range s.Servers {
		if r.cmd != nil && votes[r.Addr]*2 > len(s.Sentinels) {
			return r
		}
	}
	return nil
}

// Close kills all processes.
func (s *Sentinel) Close() {
	for _, r := range append(s.Sentinels, s.Servers...) {
		r.Close()
	}
}
