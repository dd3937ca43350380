package redisstore_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// The settings in ENGINES.md, by their first lines.
const (
	anyServer      = "# redis.conf of every server"
	besideSentinel = "# redis.conf, besides, with Sentinel"
	ofSentinel     = "# sentinel.conf"
	inCluster      = "# redis.conf, besides, in a cluster"
)

// enginesBlock returns the settings in ENGINES.md that begin with a line.
func enginesBlock(t testing.TB, first string) string {
	t.Helper()
	page, err := os.ReadFile("../ENGINES.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "```\n"+first+"\n")
	require.True(t, found, first)
	block, _, found := strings.Cut(rest, "```\n")
	require.True(t, found, first)
	return block
}

// enginesOptions returns settings as options of redis-server's command line.
func enginesOptions(t testing.TB, firsts ...string) (options []string) {
	t.Helper()
	for _, first := range firsts {
		for line := range strings.Lines(enginesBlock(t, first)) {
			setting, _, _ := strings.Cut(line, "#")
			if fields := strings.Fields(setting); len(fields) > 0 {
				options = append(append(options, "--"+fields[0]), fields[1:]...)
			}
		}
	}
	return options
}

// TestEnginesSettings: Redis starts with the settings of ENGINES.md, and is fit for use.
func TestEnginesSettings(t *testing.T) {
	t.Parallel()
	t.Run("one server", func(t *testing.T) {
		t.Parallel()
		redis := startRedis(t, enginesOptions(t, anyServer)...)
		s := redis.open()
		settle(t, s)
		require.NoError(t, s.Check(t.Context()))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		_, options := startCluster(t, 3, 1, enginesOptions(t, anyServer, inCluster)...)
		s := openStore(t, options)
		settle(t, s)
		require.NoError(t, s.Check(t.Context()))
	})
}

// TestEnginesSentinel cuts a master off from its replicas and from the Sentinels, which have
// the settings of ENGINES.md. By the time that a replica is the master, the old one, which its
// own clients still reach, has stopped: nothing is marked at both.
func TestEnginesSentinel(t *testing.T) {
	if testing.Short() {
		t.Skip("Sentinels wait for ten seconds before they act")
	}
	t.Parallel()
	options := enginesOptions(t, anyServer, besideSentinel)
	master, replicas := startRedis(t, options...), []*server{startRedis(t, options...), startRedis(t, options...)}
	network := newProxy(t, master.Addr)
	host, port, err := net.SplitHostPort(network.addr)
	require.NoError(t, err)
	for _, r := range replicas {
		r.do("REPLICAOF", host, port)
	}
	eventually(t, func() bool { return master.Do("SET", "a", "b") == nil })
	sentinels := startSentinels(t, host, port)
	eventually(t, func() bool { return all(sentinels, func(c *redis.SentinelClient) bool { return knowsAll(t, c) }) })

	network.stall(true)
	refused := 0
	for promoted := false; !promoted; {
		for _, r := range replicas {
			promoted = promoted || isMaster(t, r)
		}
		if err := master.Do("SET", "a", "c"); err == nil {
			require.False(t, promoted, "two masters take writes")
		} else {
			require.ErrorContains(t, err, "NOREPLICAS")
			refused++
		}
	}
	assert.Positive(t, refused)
}

func all[T any](of []T, is func(T) bool) bool {
	for _, one := range of {
		if !is(one) {
			return false
		}
	}
	return true
}

// isMaster reports whether a Redis says so; one that becomes a master closes connections.
func isMaster(t *testing.T, r *server) bool {
	c := r.Client()
	defer func() { _ = c.Close() }()
	role, err := c.Do(t.Context(), "ROLE").Slice()
	return err == nil && role[0] == "master"
}

// knowsAll reports whether a Sentinel knows of both replicas and of both other Sentinels.
func knowsAll(t *testing.T, c *redis.SentinelClient) bool {
	m, err := c.Master(t.Context(), "soc").Result()
	return err == nil && m["num-slaves"] == "2" && m["num-other-sentinels"] == "2" && m["flags"] == "master"
}

// startSentinels starts three with the settings in ENGINES.md, for a master at an address.
func startSentinels(t *testing.T, host, port string) (clients []*redis.SentinelClient) {
	t.Helper()
	address := regexp.MustCompile(`monitor (\S+) \S+ \d+`)
	conf := address.ReplaceAllString(enginesBlock(t, ofSentinel), "monitor $1 "+host+" "+port)
	for range 3 {
		addr, err := enginetest.FreeAddr()
		require.NoError(t, err)
		_, port, err := net.SplitHostPort(addr)
		require.NoError(t, err)
		dir := t.TempDir()
		file := filepath.Join(dir, "sentinel.conf")
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "port %s\nbind 127.0.0.1\ndir %s\n%s", port, dir, conf), 0o600))
		cmd := exec.Command("redis-server", file, "--sentinel")
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
		})
		c := redis.NewSentinelClient(&redis.Options{Addr: addr})
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		clients = append(clients, c)
	}
	return clients
}
