package xsrf

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// A token is, in base64url, version (1 byte), flags (1), time (8 bytes, Unix microseconds),
// nonce (16) and an HMAC-SHA256 (32) over these and all that it is bound to.
const (
	tokenVersion  = 2
	flagSingleUse = 1
	macAt         = 1 + 1 + 8 + 16
	tokenLen      = macAt + sha256.Size
)

// binding is what a token is for.
type binding struct {
	visitor bool   // an anonymous visitor and no person
	who     string // principal, or the visitor's id
	session string
	action  string
}

var encoding = base64.RawURLEncoding.Strict()

// mint makes a token. No two are alike, so none can be guessed from how well a page
// compresses.
func mint(key []byte, b binding, singleUse bool, now time.Time) string {
	raw := make([]byte, macAt, tokenLen)
	raw[0] = tokenVersion
	if singleUse {
		raw[1] = flagSingleUse
	}
	binary.BigEndian.PutUint64(raw[2:], uint64(now.UnixMicro()))
	rand.Read(raw[10:macAt])
	return encoding.EncodeToString(append(raw, sign(key, b, raw)...))
}

// sign covers parts with their lengths, so that no two lists of parts look alike.
func sign(key []byte, b binding, head []byte) []byte {
	h := hmac.New(sha256.New, key)
	kind := "person"
	if b.visitor {
		kind = "visitor"
	}
	for _, part := range []string{string(head), kind, b.who, b.session, b.action} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// open checks a token and returns the mark of a single-use one, else nil.
func open(keys [][]byte, b binding, token string, ttl time.Duration, now time.Time) (*webauth.Item, error) {
	raw, err := encoding.DecodeString(token)
	// The decoder skips line breaks; a token has none.
	if err != nil || len(raw) != tokenLen || len(token) != encoding.EncodedLen(tokenLen) || raw[0] != tokenVersion || raw[1] > flagSingleUse {
		return nil, ErrMalformed
	}
	genuine := false
	for _, key := range keys {
		genuine = genuine || hmac.Equal(raw[macAt:], sign(key, b, raw[:macAt]))
	}
	if !genuine {
		return nil, ErrNotValid
	}
	made := time.UnixMicro(int64(binary.BigEndian.Uint64(raw[2:])))
	if age := now.Sub(made); age > ttl || age < -time.Minute {
		return nil, ErrExpired
	}
	if raw[1] != flagSingleUse {
		return nil, nil
	}
	id := sha256.Sum256(raw)
	kind := "xsrf:"
	if b.visitor {
		kind = "xsrf-visitor:" // anybody gets these, and must not use up the room of the others
	}
	return &webauth.Item{ID: kind + encoding.EncodeToString(id[:]), Issued: made, Expires: made.Add(ttl), Unsigned: true}, nil
}
