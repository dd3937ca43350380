package enginetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// RedisCluster is a Redis Cluster.
type RedisCluster struct {
	// Servers are its processes: the masters, which share the slots equally, then the
	// replicas, those of the first master first. After a failover a replica is a master.
	Servers []*Redis
}

// slots is how many hash slots a cluster has.
const slots = 16384

// StartRedisCluster starts a cluster of so many masters with so many replicas each, and
// returns when it is ready. A master that was killed is replaced after 2 to 4 seconds if it
// has a replica and most masters run. Each server gets the options args besides.
func StartRedisCluster(masters, replicasEach int, args ...string) (*RedisCluster, error) {
	c := &RedisCluster{}
	timeout := "2000"
	if replicasEach == 0 { // nothing takes over: a master that is slow to answer is busy, not dead
		timeout = "60000"
	}
	for range masters * (1 + replicasEach) {
		r, err := start(func(r *Redis) []string {
			bus, _ := FreeAddr() // without one the server does not start
			r.bus = port(bus)
			return slices.Concat(r.plain(), []string{
				"--cluster-enabled", "yes", "--cluster-port", r.bus, "--cluster-node-timeout", timeout,
				"--cluster-require-full-coverage", "no", "--cluster-allow-replica-migration", "no",
			}, args)
		})
		if err != nil {
			c.Close()
			return nil, err
		}
		c.Servers = append(c.Servers, r)
	}
	if err := c.form(masters, replicasEach); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// form makes one cluster of the servers.
func (c *RedisCluster) form(masters, replicasEach int) error {
	var errs []error
	for i, r := range c.Servers {
		errs = append(errs, r.Do("CLUSTER", "SET-CONFIG-EPOCH", i+1))
		if i < masters {
			errs = append(errs, r.Do("CLUSTER", "ADDSLOTSRANGE", i*slots/masters, (i+1)*slots/masters-1))
		}
		if i > 0 {
			first := c.Servers[0]
			errs = append(errs, r.Do("CLUSTER", "MEET", "127.0.0.1", port(first.Addr), first.bus))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the cluster cannot be made: %w", err)
	}
	if !await(func() bool { return c.all(func(r *Redis) bool { return r.knows(len(c.Servers)) }) }, nil) {
		return errors.New("the cluster does not meet")
	}
	for i, r := range c.Servers[masters:] {
		if err := r.Do("CLUSTER", "REPLICATE", c.Servers[i/replicasEach].id()); err != nil {
			return err
		}
	}
	if !await(func() bool { return c.all(func(r *Redis) bool { return r.inService(len(c.Servers) - masters) }) }, nil) {
		return errors.New("the cluster does not become ready")
	}
	return nil
}

func (c *RedisCluster) all(is func(*Redis) bool) bool {
	for _, r := range c.Servers {
		if !is(r) {
			return false
		}
	}
	return true
}

// Addrs returns the addresses of all servers.
func (c *RedisCluster) Addrs() []string { return addrs(c.Servers) }

// Master returns the server that has the slot of a key, as most of the running servers
// see it, or nil if they see none that runs.
func (c *RedisCluster) Master(key string) *Redis {
	votes := map[string]int{}
	for _, r := range c.Servers {
		if r.cmd != nil {
			votes[r.masterOf(key)]++
		}
	}
	for _, r := range c.Servers {
		if r.cmd != nil && votes[r.Addr]*2 > len(c.Servers) {
			return r
		}
	}
	return nil
}

// Close kills all servers.
func (c *RedisCluster) Close() {
	for _, r := range c.Servers {
		r.Close()
	}
}

// clusterNodes returns what this server says of all nodes, a line for each.
func (r *Redis) clusterNodes() []string {
	c := r.Client()
	defer func() { _ = c.Close() }()
	text, err := c.ClusterNodes(context.Background()).Result()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(text), "\n")
}

// id returns the server's name in its cluster.
func (r *Redis) id() string {
	c := r.Client()
	defer func() { _ = c.Close() }()
	id, _ := c.ClusterMyID(context.Background()).Result() // "" is refused where it is used
	return id
}

// knows reports whether the server knows so many nodes and shakes hands with none.
func (r *Redis) knows(nodes int) bool {
	lines := r.clusterNodes()
	return len(lines) == nodes && !strings.Contains(strings.Join(lines, "\n"), "handshake")
}

// inService reports whether the server and the cluster, with so many replicas, are ready.
func (r *Redis) inService(replicas int) bool {
	c := r.Client()
	defer func() { _ = c.Close() }()
	state, err := c.ClusterInfo(context.Background()).Result()
	seen := strings.Count(strings.Join(r.clusterNodes(), "\n"), "slave ")
	return err == nil && strings.Contains(state, "cluster_state:ok") && seen == replicas &&
		r.info("replication", "master_link_status") != "down"
}

// masterOf returns the address of the master of a key's slot, as this server sees it.
func (r *Redis) masterOf(key string) string {
	c := r.Client()
	defer func() { _ = c.Close() }()
	slot, err := c.ClusterKeySlot(context.Background(), key).Result()
	if err != nil {
		return ""
	}
	shards, err := c.ClusterShards(context.Background()).Result()
	if err != nil {
		return ""
	}
	for _, shard := range shards {
		has := slices.ContainsFunc(shard.Slots, func(s redis.SlotRange) bool { return s.Start <= slot && slot <= s.End })
		for _, node := range shard.Nodes {
			if has && node.Role == "master" && node.Health != "fail" {
				return net.JoinHostPort(node.IP, strconv.FormatInt(node.Port, 10))
			}
		}
	}
	return ""
}
