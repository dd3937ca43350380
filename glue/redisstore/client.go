package redisstore

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// newClient returns a client whose every wait is bounded by timeout, and by the deadline
// of the context.
func newClient(o redis.UniversalOptions, timeout time.Duration) redis.UniversalClient {
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	o.DialerRetries = 1
	o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = 2, 8*time.Millisecond, 64*time.Millisecond
	// A replica or a cache may not know yet that a session has ended.
	o.ReadOnly, o.RouteByLatency, o.RouteRandomly = false, false, false
	o.ClientSideCache, o.ClientSideCacheConfig = nil, nil
	o.PipelinePoolSize = -1 // pipelines are rare: they use the other connections
	if o.MaintNotificationsConfig == nil {
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	}
	dial := o.Dialer
	if dial == nil {
		dial = redis.NewDialer(&redis.Options{DialTimeout: timeout, TLSConfig: o.TLSConfig})
	}
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			closed, _ := net.Pipe()
			return unconnected{closed, fmt.Errorf("%v", err)}, nil // wrapped, it would be tried again
		}
		return conn, nil
	}
	if o.MasterName == "" && (o.IsClusterMode || len(o.Addrs) > 1) {
		c := o.Cluster()
		// A client looks at the topology again when it is used after that time, or sent
		// elsewhere. A master that is dead sends nobody elsewhere.
		c.ClusterStateReloadInterval = time.Second
		return redis.NewClusterClient(c)
	}
	return redis.NewUniversalClient(&o)
}

// unconnected stands for a connection that was not made: its first use returns the
// reason. The client counts connections that it could not make, and after as many as
// its pool holds tries only once a second; this way a Redis that is back is used at
// once. Each try costs no more than a refused connection meanwhile.
type unconnected struct {
	net.Conn // for the methods that say nothing
	err      error
}

func (c unconnected) Read([]byte) (int, error)  { return 0, c.err }
func (c unconnected) Write([]byte) (int, error) { return 0, c.err }
