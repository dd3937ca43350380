package redisstore

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
)

// A session's id is the value of its cookie: a version and 256 random bits. Redis never
// sees it: it is stored under its handle, a hash of it and of the cookie's name, so
// that readers of the database, a backup or a log of commands cannot use a session.
const (
	idVersion = "1."
	idBytes   = 32
	handleLen = 43
)

func newID() string {
	var b [idBytes]byte
	rand.Read(b[:])
	return idVersion + base64.RawURLEncoding.EncodeToString(b[:])
}

// handleOf returns the handle that belongs to an id; false if id is malformed.
func handleOf(cookieName, id string) (string, bool) {
	text, versioned := strings.CutPrefix(id, idVersion)
	if !versioned || len(text) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return "", false
	}
	// The length again, because the decoder overlooks line breaks.
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(text); err != nil || len(raw) != idBytes {
		return "", false
	}
	return digest("session", cookieName, id), true
}

// presented returns the session id of a request and its handle.
func presented(r *http.Request, cookieName string) (id, handle string, ok bool) {
	id = cookie.Get(r, cookieName)
	handle, ok = handleOf(cookieName, id)
	return id, handle, ok
}
