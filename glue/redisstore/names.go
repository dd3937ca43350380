package redisstore

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// names builds the names of a site's keys.
type names struct{ site string }

// in returns the name of a key in a shard of the site. The version comes first; the braces
// make a Redis cluster keep the keys of one shard on one node.
func (n names) in(shard, key string) string { return "wls1:{" + n.tag(shard) + "}:" + key }

// tag returns what stands between the braces. No site's name has a colon.
func (n names) tag(shard string) string { return n.site + ":" + shard }

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
