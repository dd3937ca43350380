package redisstore

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// The marks of what was used are spread over shards. Each has a hash slot of its own, and
// what a script needs besides a mark, because a script may touch one slot only, and because
// what Redis remembers is a matter of the node that has the slot. They are the same with
// every kind of Redis: a site that is moved to a cluster finds its marks.
const (
	// markShards is how many there are: sixteen, so that three to eight masters with equal
	// parts of the slots have shards in equal numbers, give or take one, and Check looks at
	// no more than sixteen.
	markShards = 16
	// slots is how many hash slots a Redis Cluster has.
	slots = 16384
)

// markShard is the prefix of the keys of a shard.
type markShard string

// marks returns the shards of a site's marks, the slot of each in another sixteenth of all
// slots: left to chance, one of eight masters would often have none, and another five.
func (n names) marks() (shards [markShards]markShard) {
	for number, found := 0, 0; found < markShards; number++ {
		shard := strconv.Itoa(number)
		if i := slotOf(n.tag(shard)) * markShards / slots; shards[i] == "" {
			shards[i] = markShard(n.in(shard, ""))
			found++
		}
	}
	return shards
}

// slotOf returns the hash slot of what stands between the braces of a key: its CRC16, as
// in the Redis Cluster specification.
func slotOf(tag string) int {
	var crc uint16
	for _, b := range []byte(tag) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
	}
	return int(crc) % slots
}

// markShard returns the shard of an item, which is the same for all items of a group.
func (s *Store) markShard(item webauth.Item) markShard {
	group := item.Group
	if group == "" {
		group = item.ID
	}
	return s.marks[sha256.Sum256([]byte(group))[0]%markShards]
}

// memory returns the key of the time since which Redis has forgotten nothing.
func (m markShard) memory() string { return string(m) + "memory" }

// mark returns the key that marks an item as used.
func (m markShard) mark(id string) string { return string(m) + "used:" + digest("mark", id) }

// canary returns the key that exists for a while after each mark and each Check, unless
// Redis's clock leaps.
func (m markShard) canary() string { return string(m) + "canary" }

// count returns the key that counts the items of a room that were marked in the hour.
func (m markShard) count(r webauth.Room, at time.Time) string {
	return string(m) + r.String() + ":" + strconv.FormatInt(at.Unix()/3600, 10)
}
