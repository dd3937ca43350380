package redisstore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// A session's id is the value of its cookie: a version, a byte that names its shard, and
// 256 random bits. Redis never sees it: the session is stored under its handle, a hash of
// the id and of the cookie's name, so that readers of the database, a backup or a log of
// commands cannot use a session.
const (
	idVersion = "1."
	idBytes   = 1 + 32
	handleLen = 43
)

// The shard is the person's, so that one script can reach a person's sessions and the list
// of them, which a failover keeps or loses together. A session gets another id when its
// person changes. There are 256 shards: eight masters have equal shares, give or take a
// tenth, and the byte in a cookie says little about a person.

// newID returns an id for a session of the person with this hash, "" for nobody.
func newID(user string) string {
	var b [idBytes]byte
	rand.Read(b[:])
	if user != "" {
		b[0] = shardByte(user)
	}
	return idVersion + base64.RawURLEncoding.EncodeToString(b[:])
}

func shardByte(user string) byte { return sha256.Sum256([]byte(user))[0] }

// shardOf returns the name of the shard of a person's sessions.
func shardOf(user string) string { return hex.EncodeToString([]byte{shardByte(user)}) }

// locate returns the shard and the handle that belong to an id; false if id is malformed.
func locate(cookieName, id string) (shard, handle string, ok bool) {
	text, versioned := strings.CutPrefix(id, idVersion)
	if !versioned || len(text) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return "", "", false
	}
	// The length again, because the decoder overlooks line breaks.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != idBytes {
		return "", "", false
	}
	return hex.EncodeToString(raw[:1]), digest("session", cookieName, id), true
}
