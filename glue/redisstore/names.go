package redisstore

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// names builds the names of a site's keys. The version comes first; the braces make a
// Redis cluster keep all of them on one node.
type names struct{ site, base string }

func newNames(site string) names { return names{site, "wls1:{" + site + "}:"} }

// in returns the name of a key in a shard of the site. Keys of one shard are on one node of
// a Redis cluster.
func (n names) in(shard, key string) string { return "wls1:{" + n.site + ":" + shard + "}:" + key }

// sessions and userSessions return the prefixes of the keys of sessions and of the lists of
// a user's sessions; scripts append the rest.
func (n names) sessions(shard string) string     { return n.in(shard, "session:") }
func (n names) userSessions(shard string) string { return n.in(shard, "person:") }

// person returns the hash of a principal, and the prefixes of the keys in the shard of the
// person's sessions.
func (n names) person(principal string) (user, sessions, userSessions string) {
	user = userHash(principal)
	shard := shardOf(user)
	return user, n.sessions(shard), n.userSessions(shard)
}

// memory returns the key of the time since which Redis has forgotten nothing.
func (n names) memory() string { return n.base + "memory" }

// mark returns the key that marks an item as used.
func (n names) mark(id string) string { return n.base + "used:" + digest("mark", id) }

// canary returns the key that exists for a while after each mark, unless Redis's clock leaps.
func (n names) canary() string { return n.base + "canary" }

// count returns the key that counts the items of a room that were marked in the hour.
func (n names) count(r webauth.Room, at time.Time) string {
	return n.base + r.String() + ":" + strconv.FormatInt(at.Unix()/3600, 10)
}

// userHash returns what stands for a principal in names of keys, "" for no principal.
func userHash(principal string) string {
	if principal == "" {
		return ""
	}
	return digest("person", principal)
}

// digest returns a hash of length-prefixed parts, as 43 characters of base64url.
func digest(purpose string, parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{"ucam-webauth redisstore v1", purpose}, parts...) {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
