package redisstore

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestSlotOf(t *testing.T) {
	// The vector of the Redis Cluster specification, and what CLUSTER KEYSLOT says.
	for tag, want := range map[string]int{"123456789": 0x31c3, "": 0, "soc:0": 8286, "foo": 12182} {
		assert.Equal(t, want, slotOf(tag), tag)
	}
}

// TestMarkShards: machines of one site, of different releases perhaps, must look for a mark
// in one place.
func TestMarkShards(t *testing.T) {
	var tags []string
	for _, m := range (names{"soc"}).marks() {
		tags = append(tags, strings.TrimSuffix(strings.TrimPrefix(string(m), "wls1:{soc:"), "}:"))
	}
	assert.Equal(t, strings.Fields("2 13 40 62 3 12 41 63 0 11 42 60 1 10 43 61"), tags)

	s := &Store{marks: names{"soc"}.marks()}
	assert.Equal(t, s.marks[9], s.markShard(webauth.Item{ID: "response:a", Group: "token:a"}))
	assert.Equal(t, s.marks[9], s.markShard(webauth.Item{ID: "token:a", Group: "token:a"}))
	assert.Equal(t, s.marks[9], s.markShard(webauth.Item{ID: "token:a"}), "a group of its own")
	assert.NotEqual(t, s.marks[9], s.markShard(webauth.Item{ID: "response:a"}))
}

// TestMarkShardsAreBalanced: masters with equal parts of the slots have shards in equal
// numbers, and shards have items in equal numbers.
func TestMarkShardsAreBalanced(t *testing.T) {
	for _, site := range []string{"soc", "www.soc.example", "a", strings.Repeat("x", 64)} {
		shards := names{site}.marks()
		for masters := 1; masters <= 8; masters++ {
			has := make([]int, masters)
			for _, m := range shards {
				tag, _, _ := strings.Cut(strings.TrimPrefix(string(m), "wls1:{"), "}")
				has[slotOf(tag)*masters/slots]++
			}
			for _, n := range has {
				require.InDelta(t, float64(markShards)/float64(masters), n, 1.5, "%s: %d masters have %v", site, masters, has)
			}
		}
	}
	s := &Store{marks: names{"soc"}.marks()}
	has := map[markShard]int{}
	for i := range 16_000 {
		has[s.markShard(webauth.Item{ID: "token:" + strconv.Itoa(i)})]++
	}
	require.Len(t, has, markShards)
	for m, n := range has {
		assert.InDelta(t, 1000, n, 150, fmt.Sprint(m))
	}
}
