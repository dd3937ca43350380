package redisstore

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// names makes the names of a site's keys. The version comes first; the braces make a
// Redis cluster keep all of them on one node.
type names struct{ base string }

func newNames(site string) names { return names{"wls1:{" + site + "}:"} }

// sessions and people are the beginnings of the keys of sessions and of the lists of
// people's sessions; scripts put the rest behind.
func (n names) sessions() string { return n.base + "session:" }
func (n names) people() string   { return n.base + "person:" }

// memory holds since when Redis has forgotten nothing.
func (n names) memory() string { return n.base + "memory" }

// mark stands for a used item.
func (n names) mark(id string) string { return n.base + "used:" + digest("mark", id) }

// canary is there for a while after each mark, if Redis's clock does not leap.
func (n names) canary() string { return n.base + "canary" }

// count is of the items of a room that were marked in the hour.
func (n names) count(r webauth.Room, at time.Time) string {
	return n.base + r.String() + ":" + strconv.FormatInt(at.Unix()/3600, 10)
}

// person is what stands for a principal in names of keys; nobody is "".
func person(principal string) string {
	if principal == "" {
		return ""
	}
	return digest("person", principal)
}

// digest is a hash of length-prefixed parts, as 43 characters of base64url.
func digest(purpose string, parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{"ucam-webauth redisstore v1", purpose}, parts...) {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
